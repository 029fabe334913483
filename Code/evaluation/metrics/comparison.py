"""Two subsets on the same problems: how far apart their students are, and how far apart those of equal subsets would be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evaluation.metrics.intervals import LEVEL, Interval
from evaluation.metrics.random_effects import checked_rates, estimated_variance

# degrees of freedom for how runs vary: of simulated subsets that are equal, one told up to 14% apart
LEAST_DF = 2
TOST_LEVEL = 0.90  # of the interval that two one-sided tests at 5% read


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean pass@1 of the second subset minus that of the first, a fraction. With too few runs only the estimate."""

    estimate: float
    interval: Interval | None = None  # over runs and problems
    p: float | None = None  # two-sided
    df: float | None = None  # Satterthwaite's
    run_sd: float | None = None  # the estimate of a run's own effect, a standard deviation; 0 where it does not show
    standard_error: float | None = None  # of the estimate


def difference(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    paired: bool = False,
    others: Sequence[npt.ArrayLike] = (),
    level: float = LEVEL,
) -> Difference:
    """Second minus first, with Student's t over runs and problems (`random_effects.estimated_variance` has the formula and assumptions).

    `first` and `second` are pass@1 by run and problem, each the share of a problem's samples that pass: shapes (runs of the
    first, problems) and (runs of the second, problems), in the same order of problems. The numbers of runs may differ; what
    a run adds is then taken to vary as much in both subsets. With one run each, a subset and its run cannot be told apart:
    there is no interval and no p. Nor with one against two, which leave one degree of freedom for how runs vary.

    `paired`: run i of both subsets was made from the same draw. Then what they share cancels in the difference of the two,
    and k pairs leave k - 1 degrees of freedom for runs instead of 2k - 2. Two pairs are compared as if
    they shared nothing, which is on the safe side.

    `others`: further subsets of the study on the same problems, whose runs help to say how much runs vary. With two runs of
    each subset, two subsets alone say so little about it that one test in a hundred is at p < 0.001 where subsets are equal,
    and a family of many tests cannot be corrected. Where `paired`, their runs are from the same draws too.

    The variance over problems is at least that of two problems that one run alone solves, one for each subset, and none
    besides, so that equal answers are not certain to stay equal.

    Raises:
        InputError: there is no run or no problem.
    """
    one, two, *more = tables = [checked_rates(rates) for rates in (first, second, *others)]
    if len({table.shape[1] for table in tables}) > 1 or (paired and len({len(table) for table in tables}) > 1):
        raise ValueError(
            f"expected the same problems{' and pairs of runs' * paired}, got {' and '.join(str(table.shape) for table in tables)}"
        )
    by_problem = two.mean(axis=0) - one.mean(axis=0)
    n, estimate = len(by_problem), float(by_problem.mean())
    if len(one) + len(two) - 2 < LEAST_DF:
        return Difference(estimate)
    least = 2 / min(len(one), len(two)) ** 2 / (n + 1)
    variance = max(float(np.square(by_problem - estimate).sum()) / max(n - 1, 1), least)
    subsets, share = [[one], [two], *([table] for table in more)], 1.0
    if paired and len(one) > LEAST_DF:
        # what is left of each run without the mean of its draw varies by (m - 1) / m of what m subsets' runs do
        shared = sum(tables) / len(tables)
        subsets, share = [[table - shared] for table in tables], 1 - 1 / len(tables)
    factor = 1 / len(one) + 1 / len(two)
    found = estimated_variance([(variance / n, n)], subsets, factor=factor, share=share)
    # of pairs it is the standard deviation of a difference, which two runs make
    run_sd = (found.runs / factor) ** 0.5
    tested = Difference(estimate, None, found.p(estimate), found.df, run_sd, found.value**0.5)
    return replace(tested, interval=ends(tested, found.quantile(level)))


def ends(found: Difference, quantile: float) -> Interval:
    """The difference and so many standard errors to either side, from -1 to 1. ValueError where it has no standard error."""
    if found.standard_error is None:
        raise ValueError("expected a difference with a standard error")
    half = quantile * found.standard_error
    return Interval(max(-1.0, found.estimate - half), min(1.0, found.estimate + half))


def interval_at(found: Difference, level: float) -> Interval | None:
    """The interval of Student's t at another level; None where there is none."""
    from scipy.special import stdtrit

    return None if found.df is None else ends(found, float(stdtrit(found.df, (1 + level) / 2)))


def equivalent(found: Difference, margin: float) -> bool:
    """Whether two subsets differ by less than `margin`, a fraction, by two one-sided tests at 5% (TOST).

    Both tests, of a difference of at most -margin and of at least margin, reject where the 90% interval lies within the
    margins: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15. False where nothing could be tested.
    """
    within = interval_at(found, TOST_LEVEL)
    return within is not None and -margin < within.low and within.high < margin


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for a family of tests, in the order given: reject where one is at most the level wanted.

        adjusted p_(i) = max over j <= i of min(1, (m - j + 1) p_(j)),  p_(1) <= ... <= p_(m)

    Holm (1979), Scandinavian Journal of Statistics 6: the chance of one false rejection or more in the family stays below
    the level, whatever the dependence between the tests.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"expected p-values from 0 to 1, got {p_values!r:.100}")
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return [float(value) for value in adjusted]
