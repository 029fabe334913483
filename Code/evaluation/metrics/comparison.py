"""Two students on the same problems: how far apart they are, and whether that could be chance.

The unit is the problem. Samples and repeats of one problem resemble each other, and counted one by one they would make any
difference look certain. So each problem has one rate: the share of its samples that pass, over all repeats.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from seedkit.errors import InputError

from evaluation.metrics.intervals import LEVEL, Floats, Interval, difference_interval


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean pass@1 of the second student minus that of the first, a fraction, with its interval."""

    estimate: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class McNemar:
    """How many problems each student alone solves, and the two-sided p-value of that split."""

    only_first: int
    only_second: int
    p: float


def paired_difference(first: npt.ArrayLike, second: npt.ArrayLike, *, level: float = LEVEL) -> Difference:
    """Second minus first, with the interval that `difference_interval` has for it.

    `first` and `second` are pass@1 by problem, from 0 to 1, shape (problems,), in the same order of problems.
    """
    one, two = _rates(first, second)
    difference = two - one
    return Difference(float(difference.mean()), difference_interval(difference, level=level))


def mcnemar(first: npt.ArrayLike, second: npt.ArrayLike) -> McNemar:
    """McNemar's exact test: are the problems that only one of the two solves split as evenly as by chance?

    With b of them the first's and c the second's, p = min(1, 2 P(X <= min(b, c))), X ~ Binomial(b + c, 1/2); 1 where there
    are none. McNemar (1947), Psychometrika 12; exact as in Fagerland et al. (2013), BMC Med Res Methodol 13:91.

    `first` and `second` are pass@1 by problem, shape (problems,). With one sample a problem, a rate is 0 or 1 and this is the
    usual test. With several samples or repeats, a problem counts as solved when more than half of them pass: the test then
    compares what the students solve as a rule, and p holds for that and not for the mean rate, whose measure is
    `paired_difference`.
    """
    from scipy.stats import binomtest

    one, two = (rates > 0.5 for rates in _rates(first, second))
    only_first, only_second = int(np.count_nonzero(one & ~two)), int(np.count_nonzero(two & ~one))
    discordant = only_first + only_second
    p = float(binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0
    return McNemar(only_first, only_second, p)


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


def _rates(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Floats, Floats]:
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != two.shape or one.ndim != 1:
        raise ValueError(f"expected two arrays of shape (problems,), got {one.shape} and {two.shape}")
    if not all(((rates >= 0) & (rates <= 1)).all() for rates in (one, two)):
        raise ValueError("expected pass@1 from 0 to 1, got another number")
    if not len(one):
        raise InputError("comparison: expected at least one problem that both students have, got none")
    return one, two
