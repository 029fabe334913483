"""Farthest-point traversal: against looking at all records before each choice, and a third of a full data set.

    python tests/performance/bench_k_center.py [RECORDS]

Vectors are unit rows of 384 dimensions around 2,000 topics, which have a direction in common as embeddings do.
"""

import sys

import numpy as np
from measure import in_turns, machine, peak_mb, seconds
from numpy.typing import NDArray
from RQ3_density.k_center import farthest_first

DIMENSION, TOPICS = 384, 2_000
SMALL = 10_000  # records for the comparison


def vectors(count: int) -> NDArray[np.float32]:
    pick = np.random.default_rng(0)
    topics = pick.standard_normal((TOPICS, DIMENSION), dtype=np.float32) + np.float32(0.4)
    rows = topics[pick.integers(0, TOPICS, count)]
    rows += 0.7 * pick.standard_normal((count, DIMENSION), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def one_by_one(rows: NDArray[np.float32], count: int) -> list[int]:
    """The same choices, with all distances brought up to date after each."""
    order = [int((rows @ rows.mean(axis=0)).argmax())]
    nearest = np.full(len(rows), -np.inf, dtype=np.float32)
    while len(order) < count:
        np.maximum(nearest, np.round(rows @ rows[order[-1]], 6), out=nearest)
        nearest[order[-1]] = np.inf
        order.append(int(nearest.argmin()))
    return order


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 110_000
    small, everyone = vectors(SMALL), np.arange(SMALL)
    own, base = in_turns(
        lambda: seconds(lambda: farthest_first(small, everyone, SMALL // 3)),
        lambda: seconds(lambda: one_by_one(small, SMALL // 3)),
        3,
    )
    large = vectors(count)
    before = peak_mb()
    taken = seconds(lambda: farthest_first(large, np.arange(count), count // 3))
    print(
        f"k-center: a third of {SMALL:,} x {DIMENSION} {base / own:.1f} times one by one ({own:.1f} s, {base:.1f} s); a third of "
        f"{count:,} in {taken:.0f} s, {peak_mb() - before:.0f} MB besides the vectors' {large.nbytes / 1e6:.0f}; {machine()}"
    )


if __name__ == "__main__":
    main()
