"""Records in the order of a score, each only if it is far enough from all that were taken before it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 2048  # candidates that are compared at once
UNSURE = 1e-5  # float32 cosines may be off by less; so near to the limit they are computed again


@dataclass(frozen=True, slots=True)
class Taken:
    """The rows that were taken, in the order in which they were, and how many were looked at for them."""

    rows: NDArray[np.int64]
    looked_at: int


def far_apart(
    vectors: NDArray[np.float32], order: Sequence[int] | NDArray[np.int64], size: int, min_distance: float
) -> Taken:
    """Go through the rows of unit `vectors` (n, d) in `order`; take each whose cosine distance to the nearest one taken is
    at least `min_distance`, until `size` are taken or all were looked at.

    Exact: the same rows as by comparing one at a time in float64. Blocks of candidates are compared with all rows taken
    before them in one matrix product of float32, and then with those of their own block; what is nearer to the limit than
    float32 can tell is compared again in float64. Takes n x size x d multiplications, and memory for the vectors taken.
    """
    order = np.asarray(order, dtype=np.int64)
    near = 1 - min_distance  # a cosine above it is too near
    taken = np.empty((min(size, len(order)), vectors.shape[1]), dtype=np.float32)
    rows: list[int] = []
    for start in range(0, len(order), BLOCK):
        candidates = order[start : start + BLOCK]
        block = vectors[candidates]
        earlier = taken[: len(rows)]
        best, own = _nearest(block, earlier), block @ block.T
        inside: list[int] = []  # numbers in the block of those taken from it
        for number, row in enumerate(candidates):
            nearest = float(best[number])
            if abs(nearest - near) <= UNSURE:
                nearest = max(_exact(block[number], earlier), _exact(block[number], block[inside]))
            if nearest > near:
                continue
            taken[len(rows)] = block[number]
            rows.append(int(row))
            if len(rows) == size:
                return Taken(np.array(rows, dtype=np.int64), start + number + 1)
            inside.append(number)
            np.maximum(best[number + 1 :], own[number, number + 1 :], out=best[number + 1 :])
    return Taken(np.array(rows, dtype=np.int64), len(order))


def _nearest(block: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each of the k vectors of `block` the largest cosine with `others` (m, d), shape (k,); -inf without any."""
    best = np.full(len(block), -np.inf, dtype=np.float32)
    for start in range(0, len(others), BLOCK):
        np.maximum(best, (block @ others[start : start + BLOCK].T).max(axis=1), out=best)
    return best


def _exact(vector: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """The largest cosine of `vector` (d,) with `others` (m, d), the nearest of them in float64; -inf without any."""
    rough = others @ vector
    close = others[rough >= rough.max(initial=-np.inf) - 2 * UNSURE].astype(np.float64)
    return float((close * vector.astype(np.float64)).sum(axis=1).max(initial=-np.inf))
