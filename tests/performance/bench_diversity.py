"""Diversity by its closed form: against a full inner-product search for all neighbours, and at the size of a full data set.

    python tests/performance/bench_diversity.py

The baseline asks faiss for the cosines of every record with all others and takes their mean, as one does without the
closed form. Memory is the peak of a process of its own that reads the vectors from the disk, less that of one that has
only loaded the libraries, as a multiple of the vectors' size.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from measure import alone, machine, peak_mb, seconds
from numpy.typing import NDArray
from RQ3_density.diversity import diversity

DIMENSION = 768


def vectors(count: int) -> NDArray[np.float32]:
    """Unit rows (count, 768) with a common direction, as embeddings have one."""
    rows = np.random.default_rng(0).standard_normal((count, DIMENSION), dtype=np.float32)
    rows += 0.5
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def against_faiss(count: int) -> str:
    import faiss

    rows = vectors(count)
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(rows)
    found = np.empty(0)

    def search() -> None:
        nonlocal found
        cosines, _ = index.search(rows, count)
        found = 1 - (cosines.sum(axis=1, dtype=np.float64) - 1) / (count - 1)

    everyone = np.arange(count)
    own = median(seconds(lambda: diversity(rows, everyone)) for _ in range(5))
    base = seconds(search)
    error = float(np.abs(diversity(rows, everyone) - found).max())
    return f"{count:,} x {DIMENSION}: {base / own:.0f} times faiss ({own:.3f} s, {base:.1f} s), largest difference {error:.0e}"


def child(path: str) -> None:
    """Print seconds and peak memory of scoring the vectors at `path`, or of nothing at all."""
    took = []
    if path != "-":
        rows: NDArray[np.float32] = np.load(path, mmap_mode="r")
        everyone = np.arange(len(rows))
        for _ in range(3):
            start = time.perf_counter()
            diversity(rows, everyone)
            took.append(time.perf_counter() - start)
    print(json.dumps({"seconds": median(took or [0]), "peak_mb": peak_mb()}))


def main() -> None:
    if len(sys.argv) > 1:
        child(sys.argv[1])
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        np.save(path, vectors(110_000))
        full, nothing = alone(__file__, path), alone(__file__, "-")
        size = path.stat().st_size / 1e6
    memory = (full["peak_mb"] - nothing["peak_mb"]) / size
    print(
        f"diversity: {against_faiss(10_000)}; 110,000 x {DIMENSION}: {full['seconds']:.2f} s, "
        f"{memory:.2f} times the vectors' {size:.0f} MB; {machine()}"
    )


if __name__ == "__main__":
    main()
