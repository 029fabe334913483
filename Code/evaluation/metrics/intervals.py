"""95% interval of a mean over problems, or over runs and problems: also where every problem is solved, or none.

A problem's value is a rate from 0 to 1: 0 or 1 with one sample, the share of its samples that pass with several. The
bootstrap is not used here: it knows nothing of what it has not seen, and calls 0 of 5 certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import numpy.typing as npt

from evaluation.metrics.random_effects import Floats, checked_rates, estimated_variance

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """The two ends of a confidence interval."""

    low: float
    high: float


def mean_interval(values: npt.ArrayLike, *, level: float = LEVEL) -> Interval:
    """`score_interval` of one run: of the mean of `values`, rates from 0 to 1, shape (problems,)."""
    return score_interval([checked_rates(np.asarray(values, dtype=np.float64)[np.newaxis])], [1.0], level=level)


def score_interval(tables: Sequence[Floats], weights: Sequence[float], *, level: float = LEVEL) -> Interval:
    """Wilson's score interval of the mean p over runs and problems, the sum over tables of weight x mean of the table.

        (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    Wilson (1927), JASA 22; recommended by Brown, Cai and DasGupta (2001), Statistical Science 16. With one run and one
    sample a problem n is the number of problems. Else n is the effective sample size of Korn and Graubard (1998), Survey
    Methodology 24: as many problems as with one run and one sample each would give the mean its variance,

        n = q (1 - q) / (sum over tables of weight^2 v / problems + what runs add) * (z / t)^2

    where q and v are mean and variance of the problems' rates and of z^2 / 2 zeros and as many ones besides, the
    pseudo-observations of Agresti and Coull (1998), The American Statistician 52. They change nothing where there is one
    run and one sample a problem, and keep v above 0 where all rates are the same. What runs add, and the degrees of freedom
    of Student's t, are those of `random_effects.estimated_variance`; t is z where runs add nothing, as with a single run, of
    which nobody can tell how lucky it was.

    Args:
        tables: rates of shape (runs, problems), with a mean from 0 to 1, of the same runs on problems that have nothing to
            do with each other. One is the usual case; an average over benchmarks has one for each set of related problems.
        weights: of the tables, which add up to 1.

    Raises:
        InputError: there is no problem or no run.
    """
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    pseudo = z * z / 2
    mean = expected = 0.0
    problems, weighted = [], []
    for table, weight in zip(tables, weights, strict=True):
        rates = checked_rates(table, inf)  # in an average a problem of many benchmarks may count more than one
        values = rates.mean(axis=0)
        size = len(values)
        q = float(values.sum() + pseudo) / (size + 2 * pseudo)
        v = float(np.square(values).sum() + pseudo) / (size + 2 * pseudo) - q * q
        mean, expected = mean + weight * float(rates.mean()), expected + weight * q
        problems.append((weight * weight * v / size, size))
        weighted.append(weight * rates)
    found = estimated_variance(problems, [weighted])
    ratio = z / found.quantile(level) if found.runs else 1.0
    p, n = min(mean, 1.0), expected * (1 - expected) / found.value * ratio * ratio
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # at 0 and 1 one end is the mean itself, which rounding must not move
    return Interval(0.0 if p == 0 else max(0.0, middle - half), 1.0 if p == 1 else min(1.0, middle + half))
