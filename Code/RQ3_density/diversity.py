"""Semantic diversity of records, and how spread out a group of them is: functions of plain arrays.

All functions read the vectors block by block, so these may be memory-mapped; `rows` are the indices of those to use.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 2048  # rows in memory at a time
EXACT_NEIGHBOURS = 20_000  # up to so many rows the nearest neighbour of each is found, of more rows those of a sample
NEIGHBOUR_SAMPLE = 2_000
VENDI_SAMPLE = 2_000
SEED = 0  # of the samples; fixed, so that the figures of two runs can be compared


def diversity(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Diversity (m,) of the unit `vectors` (n, d) at `rows` (m >= 2,): 1 - mean cosine with all others.

    With x_i the rows and s their sum, the mean over j != i of x_i . x_j is (x_i . s - x_i . x_i) / (m - 1), so

        diversity_i = 1 - (x_i . s - x_i . x_i) / (m - 1):

    exactly the mean over all pairs, in time and memory of order m d. Sums are float64.
    """
    total = np.zeros(vectors.shape[1])
    for _, block in blocks(vectors, rows):
        total += block.sum(axis=0, dtype=np.float64)
    result = np.empty(len(rows))
    for start, block in blocks(vectors, rows):
        wide = block.astype(np.float64)
        cosines = wide @ total - np.einsum("ij,ij->i", wide, wide)
        result[start : start + len(block)] = 1 - cosines / (len(rows) - 1)
    return result


@dataclass(frozen=True, slots=True)
class Spread:
    """How spread out a group is, by three measures. Its mean diversity score may say otherwise: that is about all data."""

    mean_pairwise_cosine: float
    mean_neighbour_distance: float  # 1 - cosine with the nearest other record
    neighbours_of: int  # number of records whose nearest neighbour was looked for
    vendi_score: float
    centred_vendi_score: (
        float  # of the directions from the centre of all data: what all records have in common is no likeness
    )
    vendi_sample: int


def centre(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean (d,) of the vectors at `rows` (m >= 1,)."""
    total = np.zeros(vectors.shape[1])
    for _, block in blocks(vectors, rows):
        total += block.sum(axis=0, dtype=np.float64)
    return total / len(rows)


def spread(
    vectors: NDArray[np.float32],
    rows: NDArray[np.int64],
    middle: NDArray[np.float64],
    sample: int = VENDI_SAMPLE,
) -> Spread:
    """Measure the group at `rows` (m >= 2,); the Vendi scores of `sample` of them, since they grow with their number.

    `middle` (d,) is the centre of all data.
    """
    pick = np.random.default_rng(SEED)
    asked = rows if len(rows) <= EXACT_NEIGHBOURS else np.sort(pick.choice(rows, NEIGHBOUR_SAMPLE, replace=False))
    drawn = np.sort(pick.choice(rows, min(sample, len(rows)), replace=False))
    return Spread(
        mean_pairwise_cosine(vectors, rows),
        float(np.mean(neighbour_distances(vectors, rows, asked))),
        len(asked),
        vendi_score(vectors, drawn),
        vendi_score(vectors, drawn, middle),
        len(drawn),
    )


def mean_pairwise_cosine(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> float:
    """The mean cosine of all pairs: (|s|^2 - sum of x_i . x_i) / (m (m - 1)), with s the sum of the m rows."""
    total, own = np.zeros(vectors.shape[1]), 0.0
    for _, block in blocks(vectors, rows):
        total += block.sum(axis=0, dtype=np.float64)
        own += float(np.einsum("ij,ij->", block, block, dtype=np.float64))
    return float((total @ total - own) / (len(rows) * (len(rows) - 1)))


def neighbour_distances(
    vectors: NDArray[np.float32], rows: NDArray[np.int64], asked: NDArray[np.int64]
) -> NDArray[np.float64]:
    """For each of the `asked` rows (k,) the distance 1 - cosine to its nearest other one among `rows`; shape (k,)."""
    nearest = np.full(len(asked), -np.inf)
    for start, block in blocks(vectors, asked):
        mine = slice(start, start + len(block))
        for other, candidates in blocks(vectors, rows):
            cosines = block @ candidates.T
            cosines[asked[mine, None] == rows[None, other : other + len(candidates)]] = -np.inf
            nearest[mine] = np.maximum(nearest[mine], cosines.max(axis=1))
    distances: NDArray[np.float64] = np.maximum(1 - nearest, 0)
    return distances


def vendi_score(
    vectors: NDArray[np.float32], rows: NDArray[np.int64], middle: NDArray[np.float64] | None = None
) -> float:
    """The effective number of different records among the k `rows` (arXiv 2210.02410): 1 if all are alike, k if orthogonal.

    exp(-sum of l log l) over the eigenvalues l of K / k, with K the (k, k) matrix of cosines. Its eigenvalues other than
    zero are those of X^T X / k, which is only (d, d). With `middle` (d,) it is taken of (x - middle) / |x - middle| for each row x.
    """
    gram = np.zeros((vectors.shape[1], vectors.shape[1]))
    for _, block in blocks(vectors, rows):
        wide = block.astype(np.float64)
        if middle is not None:
            wide -= middle
            wide /= np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)
        gram += wide.T @ wide
    values = np.linalg.eigvalsh(gram / len(rows))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def principal_plane(
    vectors: NDArray[np.float32], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rows (m,) on their first two principal components, (m, 2), and the share of the variance of each, (2,)."""
    mean, gram = np.zeros(vectors.shape[1]), np.zeros((vectors.shape[1], vectors.shape[1]))
    for _, block in blocks(vectors, rows):
        wide = block.astype(np.float64)
        mean += wide.sum(axis=0)
        gram += wide.T @ wide
    mean /= len(rows)
    values, directions = np.linalg.eigh(gram / len(rows) - np.outer(mean, mean))
    plane = directions[:, [-1, -2]]
    plane *= np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])  # an eigenvector's sign is arbitrary: fix it
    points = np.concatenate([(block - mean) @ plane for _, block in blocks(vectors, rows)])
    return points, values[[-1, -2]] / values.sum()


def blocks(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The vectors at `rows`, BLOCK at a time, each block with the place of its first row."""
    for start in range(0, len(rows), BLOCK):
        yield start, vectors[rows[start : start + BLOCK]]
