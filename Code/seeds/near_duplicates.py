"""Texts that say nearly the same as an earlier one: MinHash LSH finds candidates, their exact Jaccard similarity decides.

MinHash after Broder (1997); banding as in Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4. rensa
has both, in Rust. The signatures only propose candidates: no text is called a duplicate by an estimate.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

SHINGLE = 3  # words; a text of 40 words with one of them changed is just below a Jaccard of 0.85
SIGNATURE = 128  # MinHash values of a text: the estimate's standard error is at most 0.044
SEED = 1
MISSED = 0.01  # at most this share of the pairs at the threshold itself is not proposed; of more similar pairs, fewer
MARGIN = 0.15  # candidates whose estimate is this far below the threshold are not compared: over three standard errors
# Thousands of texts from one template, each just below the threshold, are all candidates of each other. So only the first
# CANDIDATES of a text, in the order of the input, are estimated, and only the CLOSEST of these are compared. Time stays
# linear, and a duplicate is missed only where that many other texts are as close.
CANDIDATES = 2048
CLOSEST = 32
WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Match:
    """The earlier text that a text is near to: its number among those kept, and the Jaccard similarity."""

    number: int
    jaccard: float


class NearDuplicates:
    """Keeps texts one after the other, unless they are near to one that is kept already."""

    def __init__(self, threshold: float) -> None:
        from rensa import RMinHash, RMinHashLSH

        self.threshold = threshold
        self._sketch = RMinHash.from_token_sets
        self._index = RMinHashLSH(threshold, SIGNATURE, bands(threshold))
        self._kept: list[str] = []
        self._sketches = np.empty((1024, SIGNATURE), dtype=np.uint32)  # of the kept texts, with room for more

    def add(self, text: str) -> Match | None:
        """Keep the text, or return the earliest kept text whose similarity with it is the threshold or more."""
        own = shingles(text)
        (sketch,) = self._sketch([own], SIGNATURE, SEED)
        values = np.array(sketch.digest(), dtype=np.uint32)
        for number in self._likely(values, self._index.query(sketch)):
            similarity = jaccard(own, shingles(self._kept[number]))
            if similarity >= self.threshold:
                return Match(number, similarity)
        count = len(self._kept)
        if count == len(self._sketches):
            self._sketches = np.concatenate([self._sketches, np.empty_like(self._sketches)])
        self._sketches[count] = values
        self._index.insert(count, sketch)
        self._kept.append(text)
        return None

    def _likely(self, values: NDArray[np.uint32], candidates: list[int]) -> list[int]:
        """The candidates worth an exact comparison, earliest first: the CLOSEST by the estimate."""
        numbers = np.array(sorted(candidates)[:CANDIDATES], dtype=np.int64)
        alike = (self._sketches[numbers] == values).mean(axis=1)
        good = np.flatnonzero(alike >= self.threshold - MARGIN)
        best = good[np.argsort(-alike[good], kind="stable")[:CLOSEST]]
        return [int(number) for number in np.sort(numbers[best])]


@lru_cache(maxsize=1024)
def shingles(text: str) -> frozenset[str]:
    """All runs of SHINGLE words in a text, in lower case; a punctuation mark is a word. A shorter text is one run."""
    words = WORD.findall(text.lower())
    if len(words) < SHINGLE:
        return frozenset([" ".join(words)])
    return frozenset(map(" ".join, zip(*(islice(words, start, None) for start in range(SHINGLE)), strict=False)))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """|A & B| / |A | B|, the share of all shingles that both texts have."""
    both = len(first & second)
    return both / (len(first) + len(second) - both)


def bands(threshold: float) -> int:
    """The number of bands to cut a signature into, all of the same size: the fewest that propose 1 - MISSED of the pairs.

    A pair of similarity s agrees in all r rows of at least one of b bands with probability 1 - (1 - s^r)^b.
    """
    for count in (8, 16, 32, 64):
        rows = SIGNATURE // count
        if (1 - threshold**rows) ** count <= MISSED:
            return count
    return SIGNATURE
