"""Texts that say nearly the same as an earlier one: MinHash LSH finds candidates, their exact Jaccard similarity decides.

MinHash after Broder (1997); banding as in Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4. rensa
has both, in Rust. The signatures only propose: no text is called a duplicate by an estimate.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

SHINGLE = 3  # words; a text of 40 words with one of them changed is just below a Jaccard of 0.85
SIGNATURE = 128  # MinHash values of a text: the estimate's standard error is at most 0.044
SEED = 1
MISSED = 0.01  # at most this share of the pairs at the threshold itself is not proposed; fewer of the more similar
MARGIN = 0.15  # candidates estimated this far below the threshold are not looked at: over three standard errors
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
        self._kept: list[tuple[str, RMinHash]] = []

    def add(self, text: str) -> Match | None:
        """Keep the text, or return the earliest kept text whose similarity with it is the threshold or more."""
        own = shingles(text)
        (sketch,) = self._sketch([own], SIGNATURE, SEED)
        for number in sorted(self._index.query(sketch)):
            other, its_sketch = self._kept[number]
            if sketch.jaccard(its_sketch) >= self.threshold - MARGIN:
                similarity = jaccard(own, shingles(other))
                if similarity >= self.threshold:
                    return Match(number, similarity)
        self._index.insert(len(self._kept), sketch)
        self._kept.append((text, sketch))
        return None


@lru_cache(maxsize=1024)
def shingles(text: str) -> frozenset[str]:
    """All runs of SHINGLE words in a text, case aside; a mark is a word. A shorter text is one run."""
    words = WORD.findall(text.lower())
    if len(words) < SHINGLE:
        return frozenset([" ".join(words)])
    return frozenset(map(" ".join, zip(*(islice(words, start, None) for start in range(SHINGLE)), strict=False)))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """|A and B| / |A or B|"""
    both = len(first & second)
    return both / (len(first) + len(second) - both)


def bands(threshold: float) -> int:
    """Into how many bands of equally many rows to cut a signature: the fewest that propose 1 - MISSED of the pairs.

    A pair of similarity s agrees in all r rows of at least one of b bands with probability 1 - (1 - s^r)^b.
    """
    for count in (8, 16, 32, 64):
        rows = SIGNATURE // count
        if (1 - threshold**rows) ** count <= MISSED:
            return count
    return SIGNATURE
