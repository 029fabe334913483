"""Splitting and mixing records: pure functions of plain arrays."""

import numpy as np
from numpy.typing import NDArray


def tertiles(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The third, 1 to 3, that each of the n >= 3 values falls in, in the ascending order; shape (n,).

    Sizes are floor(n/3), floor(n/3) and the rest. Equal values are ordered by position, so the same input gives the
    same thirds always. Raises ValueError for fewer than three values or one that is not finite.
    """
    if len(values) < 3 or not np.isfinite(values).all():
        raise ValueError(f"three or more finite values can be split, got {len(values)}")
    third = len(values) // 3
    result = np.empty(len(values), dtype=np.int64)
    result[np.argsort(values, kind="stable")] = np.repeat([1, 2, 3], [third, third, len(values) - 2 * third])
    return result
