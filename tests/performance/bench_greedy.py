"""Records that are far apart, taken greedily: against a comparison one record at a time, and at the size of a full data set.

    python tests/performance/bench_greedy.py

The baseline compares each record with all that were taken by one product of a matrix and a vector, as one does without
blocks. Memory is the peak of a process of its own that reads the vectors from the disk, less that of one that has only
loaded the libraries, as a multiple of the vectors' size.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from baselines.greedy import far_apart
from measure import alone, in_turns, machine, peak_mb, seconds
from numpy.typing import NDArray

DIMENSION, DISTANCE = 768, 0.1


def vectors(count: int) -> NDArray[np.float32]:
    """Unit rows (count, 768) around count / 2 centres, so that about half of them are too near to another."""
    pick = np.random.default_rng(0)
    centres = pick.standard_normal((count // 2, DIMENSION), dtype=np.float32)
    rows = centres[pick.integers(count // 2, size=count)]
    rows += 0.2 * pick.standard_normal((count, DIMENSION), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def one_at_a_time(rows: NDArray[np.float32], size: int) -> list[int]:
    taken = np.empty((size, DIMENSION), dtype=np.float32)
    found: list[int] = []
    for number, row in enumerate(rows):
        if not found or (taken[: len(found)] @ row).max() <= 1 - DISTANCE:
            taken[len(found)] = row
            found.append(number)
            if len(found) == size:
                break
    return found


def against_a_loop(count: int) -> str:
    rows, size = vectors(count), count // 3
    same = far_apart(rows, np.arange(count), size, DISTANCE).rows.tolist() == one_at_a_time(rows, size)
    ours, loop = in_turns(
        lambda: seconds(lambda: far_apart(rows, np.arange(count), size, DISTANCE)),
        lambda: seconds(lambda: one_at_a_time(rows, size)),
        3,
    )
    return f"{count:,} x {DIMENSION} to {size:,}: {loop / ours:.1f} times a loop ({ours:.1f} s, {loop:.1f} s), same rows: {same}"


def child(path: str, size: int) -> None:
    """Print seconds and peak memory of choosing from the vectors at `path`, or of nothing at all."""
    took, taken = 0.0, 0
    if path != "-":
        rows: NDArray[np.float32] = np.load(path, mmap_mode="r")
        start = time.perf_counter()
        taken = len(far_apart(rows, np.arange(len(rows)), size, DISTANCE).rows)
        took = time.perf_counter() - start
    print(json.dumps({"seconds": took, "taken": taken, "mb": peak_mb()}))


def at_full_size(count: int, size: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        np.save(path, vectors(count))
        found, empty = alone(__file__, path, size), alone(__file__, "-", size)
        share = (found["mb"] - empty["mb"]) / (path.stat().st_size / 1e6)
    return f"{count:,} x {DIMENSION} to {found['taken']:,}: {found['seconds']:.0f} s, {share:.2f} times the vectors' memory"


def main() -> None:
    if len(sys.argv) > 1:
        child(sys.argv[1], int(sys.argv[2]))
        return
    print(machine())
    print(against_a_loop(20_000))
    print(at_full_size(110_000, 30_000))


if __name__ == "__main__":
    main()
