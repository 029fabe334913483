"""Texts that say nearly the same as an earlier one: MinHash LSH finds candidates, their exact Jaccard similarity decides.

MinHash after Broder (1997); banding as in Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4. rensa
makes the signatures, in Rust. They only propose candidates: no text is called a duplicate by an estimate.

The bands are compared when all texts are there, by sorting, and not in hash tables that grow with each text: rensa's take
ten times the memory, nearly all of it for texts that have no band in common with another.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import IO

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
BATCH = 256  # texts whose signatures are made at a time
WORD = re.compile(r"\w+|[^\w\s]")
Signatures = NDArray[np.uint32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Match:
    """The earlier text that a text is near to, by its number, and the Jaccard similarity."""

    number: int
    jaccard: float


class NearDuplicates:
    """Takes texts one after the other, numbered from 0, and says at the end which are near to an earlier one.

    In memory are 8 bytes for each band of a text; the signatures are in a file.
    """

    def __init__(self, threshold: float, file: IO[bytes]) -> None:
        """`file` is for the signatures, empty and open for reading and writing; nothing else may use it."""
        self.threshold = threshold
        self._bands = bands(threshold)
        self._waiting: list[str] = []
        self._file = file
        self._hashes: list[NDArray[np.uint64]] = []  # of the bands, each of shape (texts of a batch, bands)

    def add(self, text: str) -> None:
        self._waiting.append(text)
        if len(self._waiting) == BATCH:
            self._sign()

    def matches(self, text: Callable[[int], str]) -> Iterator[tuple[int, Match]]:
        """(number, match) of each text that is near to an earlier one which has no match itself: the earliest such one.

        Args:
            text: gives a text again by its number.
        """
        self._sign()
        numbers, groups = self._groups()
        signatures = self._signatures(numbers)
        kept = defaultdict[int, list[int]](list)  # the first texts of each group without a match, by place in `numbers`
        for place, number in enumerate(numbers.tolist()):
            own = groups[place].tolist()
            candidates = sorted(set().union(*(kept[group] for group in own)))[:CANDIDATES]
            likely = [int(numbers[one]) for one in self._likely(signatures, place, candidates)]
            if match := self._match(text, number, likely):
                yield number, match
                continue
            for group in own:
                if len(kept[group]) < CANDIDATES:
                    kept[group].append(place)

    def _sign(self) -> None:
        """Make the signatures of the texts that are waiting."""
        from rensa import RMinHash

        if not self._waiting:
            return
        sets = list(map(shingles, self._waiting))
        signatures = np.array(RMinHash.digests_from_token_sets(sets, SIGNATURE, SEED), np.uint32)
        self._file.write(signatures.tobytes())
        self._hashes.append(band_hashes(signatures, self._bands))
        self._waiting.clear()

    def _groups(self) -> tuple[Numbers, list[Numbers]]:
        """(texts that have a band in common with another, in order; the groups of each). A group is one value of a band."""
        members, groups = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for band in range(self._bands if self._hashes else 0):
            hashes = np.concatenate([batch[:, band] for batch in self._hashes])
            order = np.argsort(hashes, kind="stable")
            new = np.append(True, np.diff(hashes[order]) != 0)
            several = ~(new & np.append(new[1:], True))
            members.append(order[several])
            groups.append((band * len(hashes) + np.cumsum(new))[several])
        everyone = np.concatenate(members)
        order = np.argsort(everyone, kind="stable")
        numbers, starts = np.unique(everyone[order], return_index=True)
        return numbers, np.split(np.concatenate(groups)[order], starts[1:]) if len(numbers) else []

    def _signatures(self, numbers: Numbers) -> Signatures:
        """The signatures of some texts, shape (numbers, SIGNATURE)."""
        found = [np.zeros((0, SIGNATURE), np.uint32)]
        self._file.seek(0)
        for batch, hashes in enumerate(self._hashes):
            block = np.frombuffer(self._file.read(len(hashes) * SIGNATURE * 4), np.uint32).reshape(-1, SIGNATURE)
            first, last = np.searchsorted(numbers, [batch * BATCH, (batch + 1) * BATCH])
            found.append(block[numbers[first:last] - batch * BATCH])
        return np.concatenate(found)

    def _likely(self, signatures: Signatures, place: int, candidates: list[int]) -> list[int]:
        """The candidates worth an exact comparison, earliest first: the CLOSEST by the estimate."""
        if not candidates:
            return []
        alike = (signatures[candidates] == signatures[place]).mean(axis=1)
        good = np.flatnonzero(alike >= self.threshold - MARGIN)
        best = good[np.argsort(-alike[good], kind="stable")[:CLOSEST]]
        return [candidates[one] for one in np.sort(best).tolist()]

    def _match(self, text: Callable[[int], str], number: int, likely: list[int]) -> Match | None:
        """The first of the likely texts whose similarity is the threshold or more."""
        for earlier in likely:
            similarity = jaccard(shingles(text(number)), shingles(text(earlier)))
            if similarity >= self.threshold:
                return Match(earlier, similarity)
        return None


def band_hashes(signatures: Signatures, count: int) -> NDArray[np.uint64]:
    """A hash of each of `count` bands of each signature, shape (texts, bands); equal bands have equal ones."""
    values = signatures.reshape(len(signatures), count, -1)
    hashes = np.zeros(values.shape[:2], np.uint64)
    for place in range(values.shape[2]):
        hashes = (hashes ^ (hashes >> np.uint64(29)) ^ values[:, :, place]) * np.uint64(0x9E3779B97F4A7C15)
    return hashes


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
