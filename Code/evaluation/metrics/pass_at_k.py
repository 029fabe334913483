"""pass@k, unbiased, and a bootstrap interval of a mean over problems."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from seedkit.errors import InputError

DRAWS = 10_000
LEVEL = 0.95
_AT_ONCE = 1 << 20  # drawn indices held at a time: 8 MB

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """The two ends of a confidence interval."""

    low: float
    high: float


def pass_at_k(samples: npt.ArrayLike, correct: npt.ArrayLike, k: int) -> Floats:
    """The chance that at least one of k samples passes, per problem, estimated from n samples of which c pass.

        pass@k = 1 - C(n - c, k) / C(n, k) = 1 - prod_{j = 0}^{k - 1} (1 - c / (n - j))

    arXiv 2107.03374, equation 1. `samples` (n) and `correct` (c) are whole numbers, shape (problems,); the result is
    float64, shape (problems,). The product is summed as logarithms, and the difference to 1 is taken by expm1, so that
    small chances keep their digits: relative error below 1e-12 up to n = 10,000. InputError where a problem has fewer
    than k samples or an impossible count.
    """
    n, c = np.asarray(samples), np.asarray(correct)
    if n.shape != c.shape or n.ndim != 1 or not all(np.issubdtype(array.dtype, np.integer) for array in (n, c)):
        raise ValueError(
            f"expected two integer arrays of shape (problems,), got {n.dtype}{n.shape}, {c.dtype}{c.shape}"
        )
    n, c = n.astype(np.int64), c.astype(np.int64)
    if k < 1:
        raise InputError(f"pass@{k}: expected k of at least 1")
    if short := int(np.count_nonzero(n < k)):
        raise InputError(
            f"pass@{k}: expected at least {k:,} samples of every problem, got fewer for {short:,} of {len(n):,} problems"
            f" (the least: {n.min():,})"
        )
    if wrong := int(np.count_nonzero((c < 0) | (c > n))):
        raise InputError(f"pass@{k}: expected from 0 to n correct samples, got another number for {wrong:,} problems")
    certain = n - c < k  # no k samples without one that passes
    fails = np.zeros(len(n))  # logarithm of the chance that none of k passes
    failing = np.where(certain, 0, c)
    for j in range(k):
        fails += np.log1p(-failing / (n - j))
    return np.where(certain, 1.0, -np.expm1(fails))


def bootstrap_interval(values: npt.ArrayLike, *, draws: int = DRAWS, level: float = LEVEL, seed: int = 0) -> Interval:
    """The percentile interval of the mean of `values`, shape (problems,), when problems are drawn with replacement.

    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. The same seed gives the same interval; memory
    is that of a million indices, however many problems and draws. InputError where there is no problem.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(f"expected finite numbers of shape (problems,), got shape {array.shape}")
    if not len(array):
        raise InputError("bootstrap: expected at least one problem, got none")
    rng = np.random.default_rng(seed)
    means = np.empty(draws)
    step = max(1, _AT_ONCE // len(array))
    for start in range(0, draws, step):
        some = means[start : start + step]
        some[:] = array[rng.integers(len(array), size=(len(some), len(array)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
