"""Two subsets on the same problems: how far apart their students are, and whether other runs could have shown as much by chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.metrics.intervals import LEVEL, Interval
from evaluation.metrics.random_effects import checked_rates, estimated_variance

# degrees of freedom for how runs vary: of simulated subsets that are equal, one told up to 14% apart
LEAST_DF = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean pass@1 of the second subset minus that of the first, a fraction. With too few runs only the estimate."""

    estimate: float
    interval: Interval | None = None  # over runs and problems
    p: float | None = None  # two-sided
    df: float | None = None  # Satterthwaite's
    run_sd: float | None = None  # the estimate of a run's own effect, a standard deviation; 0 where it does not show


def difference(
    first: npt.ArrayLike, second: npt.ArrayLike, *, paired: bool = False, level: float = LEVEL
) -> Difference:
    """Second minus first, with Student's t over runs and problems (`random_effects.estimated_variance` has the formula and assumptions).

    `first` and `second` are pass@1 by run and problem, each the share of a problem's samples that pass: shapes (runs of the
    first, problems) and (runs of the second, problems), in the same order of problems. The numbers of runs may differ; what
    a run adds is then taken to vary as much in both subsets. With one run each, a subset and its run cannot be told apart:
    there is no interval and no p. Nor with one against two, which leave one degree of freedom for how runs vary.

    `paired`: run i of both subsets was made from the same draw. Then run i is the difference of the two, in which what
    they share cancels, and k pairs leave k - 1 degrees of freedom for runs instead of 2k - 2. Two pairs are compared as if
    they shared nothing, which is on the safe side.

    The variance over problems is at least that of two problems that one run alone solves, one for each subset, and none
    besides, so that equal answers are not certain to stay equal.

    Raises:
        InputError: there is no run or no problem.
    """
    one, two = checked_rates(first), checked_rates(second)
    if one.shape[1] != two.shape[1] or (paired and len(one) != len(two)):
        raise ValueError(f"expected the same problems{' and pairs of runs' * paired}, got {one.shape} and {two.shape}")
    by_problem = two.mean(axis=0) - one.mean(axis=0)
    n, estimate = len(by_problem), float(by_problem.mean())
    subsets = [[two - one]] if paired and len(one) > LEAST_DF else [[one], [two]]
    if len(one) + len(two) - 2 < LEAST_DF:
        return Difference(estimate)
    least = 2 / min(len(one), len(two)) ** 2 / (n + 1)
    variance = max(float(np.square(by_problem - estimate).sum()) / max(n - 1, 1), least)
    found = estimated_variance([(variance / n, n)], subsets)
    half = found.quantile(level) * found.value**0.5
    # of pairs it is the standard deviation of a difference, which two runs make
    run_sd = (found.runs / (1 / len(one) + 1 / len(two))) ** 0.5
    ends = Interval(max(-1.0, estimate - half), min(1.0, estimate + half))
    return Difference(estimate, ends, found.p(estimate), found.df, run_sd)


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
