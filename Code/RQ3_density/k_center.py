"""k-center: records so chosen that every other one is near to a chosen one, by greedy farthest-point traversal.

Gonzalez 1985, Theoretical Computer Science 38, 293: start somewhere, and take again and again the record that is farthest from all
that are taken. The k records taken first cover the data with at most twice the radius that k records can. Core sets for active
learning are taken like that (Sener and Savarese 2018, arXiv 1708.00489).

Time grows with the square of the number of records. Taken in random parts, a share from each, it grows with the number; what is near
to each other in two parts may then both be taken.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from seedkit.display import Progress

from RQ3_density.diversity import SEED, blocks, centre

CANDIDATES = 512  # the farthest records, among which several are taken before all others are looked at again
PART = 25_000  # records at most that are traversed together where they are taken in parts
DIGITS = 6  # of a cosine: float32 has seven, and the last depends on how the processor adds up


@dataclass(frozen=True, slots=True)
class Traversal:
    """The first k of m records in the order they are taken, (k,), as places in the rows given, and of every record the
    distance 1 - cosine to the nearest that was taken before it, or of those not taken to the nearest taken one; (m,)."""

    order: NDArray[np.int64]
    distance: NDArray[np.float64]


def farthest_first(vectors: NDArray[np.float32], rows: NDArray[np.int64], count: int, label: str = "") -> Traversal:
    """Take `count` (1 to m) of the m unit `vectors` (n, d) at `rows`, the first being the one nearest to their centroid.

    Of records that are equally far the earliest is taken. The first has no distance; it gets that of the second, so that
    distances never rise in the order taken. Time is of the order m count d, memory m + CANDIDATES d besides a block of vectors.

    The result is exactly that of looking at all records before each choice. Among CANDIDATES that are farthest now, choices are made
    as long as the farthest of them is farther than every other record was, since those only come nearer.
    """
    middle = centre(vectors, rows)
    towards = np.concatenate([block.astype(np.float64) @ middle for _, block in blocks(vectors, rows)])
    first = int(np.round(towards, DIGITS).argmax())
    nearest = np.full(
        len(rows), -np.inf, dtype=np.float32
    )  # the largest cosine with one that is taken; inf for those taken
    cosine = np.full(len(rows), -np.inf, dtype=np.float32)  # the same, at the moment when it was taken
    order = [first]
    fresh = [first]
    with Progress(label, count, count, steady=bool(label)) as bar:
        while len(order) < count:
            _look_at_all(vectors, rows, rows[fresh], nearest)
            nearest[order] = np.inf
            bar.advance(len(fresh), len(fresh))
            fresh = _choices(vectors, rows, nearest, count - len(order), cosine)
            order += fresh
    _look_at_all(vectors, rows, rows[fresh], nearest)
    taken = np.array(order, dtype=np.int64)
    result = 1 - nearest.astype(np.float64)
    result[taken] = 1 - cosine[taken].astype(np.float64)
    result[first] = result[taken[1]] if count > 1 else result.max()
    distance: NDArray[np.float64] = np.maximum(result, 0).round(DIGITS)
    return Traversal(taken, distance)


def third_in_parts(
    vectors: NDArray[np.float32], rows: NDArray[np.int64], label: str = ""
) -> tuple[NDArray[np.int64], int]:
    """A third (rounded down) of the m >= 3 unit `vectors` (n, d) at `rows`, far from each other, and the number of parts.

    The rows are cut at random in as few parts of nearly one size as have PART rows at most; each gives a third of its own by
    `farthest_first`. Up to PART rows it is the exact traversal. Time is of the order m PART d. The third is ascending.
    """
    parts = -(-len(rows) // PART)
    shuffled = np.random.default_rng(SEED).permutation(len(rows))
    bounds = np.linspace(0, len(rows), parts + 1).astype(np.int64)
    taken = []
    for number, (start, end) in enumerate(pairwise(bounds.tolist()), 1):
        own = rows[np.sort(shuffled[start:end])]
        count = end // 3 - start // 3  # all parts together give a third of all rows
        here = f"{label} {number} of {parts}" if label and parts > 1 else label
        taken.append(own[farthest_first(vectors, own, count, here).order])
    return np.sort(np.concatenate(taken)), parts


def _look_at_all(
    vectors: NDArray[np.float32], rows: NDArray[np.int64], fresh: NDArray[np.int64], nearest: NDArray[np.float32]
) -> None:
    """Bring `nearest` (m,) up to date with the vectors that were taken last."""
    taken = np.ascontiguousarray(vectors[fresh].T)
    for start, block in blocks(vectors, rows):
        here = nearest[start : start + len(block)]
        np.maximum(here, np.round((block @ taken).max(axis=1), DIGITS), out=here)


def _choices(
    vectors: NDArray[np.float32],
    rows: NDArray[np.int64],
    nearest: NDArray[np.float32],
    most: int,
    cosine: NDArray[np.float32],
) -> list[int]:
    """The next records to take, at least one and at most `most`; their cosines with the nearest taken one go to `cosine`."""
    if len(rows) > CANDIDATES:
        bound = np.partition(nearest, CANDIDATES)[CANDIDATES]  # no other record is farther
        places = np.flatnonzero(nearest < bound)
        if not len(places):
            places = np.flatnonzero(nearest == bound)[:1]
    else:
        bound, places = np.float32(np.inf), np.arange(len(rows))
    some = vectors[rows[places]]
    own = nearest[places].copy()
    found: list[int] = []
    while len(found) < most:
        best = int(own.argmin())
        if own[best] == np.inf or (found and own[best] >= bound):
            break
        found.append(int(places[best]))
        cosine[places[best]] = own[best]
        np.maximum(own, np.round(some @ some[best], DIGITS), out=own)
        own[best] = np.inf
    return found
