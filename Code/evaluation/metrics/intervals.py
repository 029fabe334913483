"""95% intervals of a mean over problems, and of a difference of two: also where every problem is solved, or none.

The unit is the problem, whose value is a rate from 0 to 1: 0 or 1 with one sample, the share of its samples that pass with
several. The bootstrap is not used here: it knows nothing of what it has not seen, and calls 0 of 5 certain.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from seedkit.errors import InputError

LEVEL = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """The two ends of a confidence interval."""

    low: float
    high: float


def mean_interval(values: npt.ArrayLike, *, level: float = LEVEL) -> Interval:
    """Wilson's score interval of the mean p of `values`, rates from 0 to 1, shape (problems,).

        (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    Wilson (1927), JASA 22; recommended by Brown, Cai and DasGupta (2001), Statistical Science 16. With one sample a problem
    n is the number of problems. Rates of several samples vary less than those of one. Then n is the effective sample size
    of Korn and Graubard (1998), Survey Methodology 24: as many problems as with one sample each would give the mean its
    variance,

        n = problems * q (1 - q) / v

    where q and v are mean and variance of the values and of z^2 / 2 zeros and as many ones besides, the pseudo-observations
    of Agresti and Coull (1998), The American Statistician 52. They change nothing where there is one sample a problem, and
    keep v above 0 where all values are the same. n is at least the number of problems.

    Raises:
        InputError: there is no problem.
    """
    rates = _checked(values, 0.0)
    z = _normal_quantile(level)
    pseudo = z * z / 2
    problems, p = len(rates), float(rates.mean())
    q = (rates.sum() + pseudo) / (problems + 2 * pseudo)
    variance = (np.square(rates).sum() + pseudo) / (problems + 2 * pseudo) - q * q
    n = max(problems, problems * float(q * (1 - q) / variance))
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # at 0 and 1 one end is the mean itself, which rounding must not move
    return Interval(0.0 if p == 0 else max(0.0, middle - half), 1.0 if p == 1 else min(1.0, middle + half))


def difference_interval(differences: npt.ArrayLike, *, level: float = LEVEL) -> Interval:
    """The interval of the mean of `differences` by problem, from -1 to 1, shape (problems,), of two students on the same.

        d +- z sqrt(v / n),  d and v: mean and variance of the differences and of -1 and 1 besides,  n = problems + 2

    Bonett and Price (2012), Journal of Educational and Behavioral Statistics 37, for one sample a problem; Fagerland,
    Lydersen and Laake (2014), Statistics in Medicine 33, recommend it. The two pseudo-observations keep v above 0 where all
    differences are the same. A problem that is hard for both students does not widen it, as it would widen two intervals
    laid side by side.

    Raises:
        InputError: there is no problem.
    """
    found = _checked(differences, -1.0)
    n = len(found) + 2
    middle = float(found.sum()) / n
    half = _normal_quantile(level) * sqrt((float(np.square(found).sum() + 2) / n - middle * middle) / n)
    return Interval(max(-1.0, middle - half), min(1.0, middle + half))


def _normal_quantile(level: float) -> float:
    """z: a standard normal number lies between -z and z with the chance `level`."""
    from scipy.stats import norm

    return float(norm.ppf((1 + level) / 2))


def _checked(values: npt.ArrayLike, least: float) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not ((array >= least) & (array <= 1)).all():
        raise ValueError(f"expected numbers from {least:g} to 1 of shape (problems,), got shape {array.shape}")
    if not len(array):
        raise InputError("interval: expected at least one problem, got none")
    return array
