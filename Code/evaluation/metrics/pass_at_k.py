"""pass@k, unbiased."""

import numpy as np
import numpy.typing as npt
from seedkit.errors import InputError

from evaluation.metrics.random_effects import Floats


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
