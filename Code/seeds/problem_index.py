"""An inverted index over benchmark problems: a chunk of texts goes in, what they hold of the problems comes out.

Texts and problems are never compared pair by pair: a product of sparse matrices counts the n-grams that both have, and
only where they have enough in common is the text's densest passage looked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from benchmarks.contract import ProblemTexts
from numpy.typing import NDArray

from seeds.ngram_index import PLAIN_N, RENAMED_N, TOKEN, Grams, Streams, Vocabulary, lowered
from seeds.problem_parts import THRESHOLD, Part, is_renamed, parts_of

INDICATOR_N = (4, 5)
# share of a part's required overlap that a whole text must have before its densest passage is looked for
CANDIDATE = 0.5
BOILERPLATE = 100  # an n-gram that more parts than these have is not looked for
BLOCK = 256  # texts in a dense array of counts
Counts = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Finding:
    """A text that holds a problem: how much of it, and from where to where in the text."""

    row: int
    item: int
    kind: str
    overlap: float
    start: int
    end: int


@dataclass
class Scan:
    """What a chunk of texts holds of the problems."""

    findings: list[Finding]
    best: dict[int, Counts]  # by n: the most n-grams of each prompt that one text of a set has, shape (sets, items)


class Index:
    """The n-grams of all problems, built once; `scan` may be called with any chunk in any order."""

    def __init__(self, items: Sequence[ProblemTexts], threshold: float = THRESHOLD) -> None:
        self.items = list(items)
        self._vocabulary = Vocabulary()
        parts = parts_of(self.items, self._vocabulary, threshold)
        prompts = Streams.of([item.prompt for item in self.items], self._vocabulary)
        self._size = len(self._vocabulary)
        self._postings = [
            _Postings([part for part in parts if not is_renamed(part.kind)], PLAIN_N, False),
            _Postings([part for part in parts if is_renamed(part.kind)], RENAMED_N, True),
        ]
        self._prompts = [_Prompts(prompts, n) for n in INDICATOR_N]
        self.totals = {prompts.n: prompts.totals for prompts in self._prompts}  # different n-grams in each prompt
        self.too_short = len(self.items) - len({part.item for part in parts})

    def scan(self, texts: Sequence[str], sets: Sequence[Sequence[int]], count: int = 1) -> Scan:
        """Look for the problems in some texts.

        Args:
            sets: for each text the numbers, below `count`, of the data sets that it is in.
        """
        streams = Streams.of(texts, self._vocabulary)
        self._vocabulary.forget(self._size)
        findings = []
        for postings in self._postings:
            for row, part in postings.candidates(streams):
                found = _densest(streams, row, part, postings)
                if found is not None:
                    overlap, first, last = found
                    spans = [match.span() for match in islice(TOKEN.finditer(lowered(texts[row])), last + 1)]
                    findings.append(Finding(row, part.item, part.kind, overlap, spans[first][0], spans[last][1]))
        return Scan(findings, {prompts.n: prompts.best(streams, sets, count) for prompts in self._prompts})


class _Postings:
    """Which parts have an n-gram, and with what weight."""

    def __init__(self, parts: list[Part], n: int, renamed: bool) -> None:
        from scipy.sparse import csr_array

        self.parts, self.n, self.renamed = parts, n, renamed
        grams = np.concatenate([np.zeros(0, np.uint64), *(part.grams for part in parts)])
        weights = np.concatenate([np.zeros(0), *(part.weights / part.required for part in parts)])
        owner = np.repeat(np.arange(len(parts)), [len(part.grams) for part in parts])
        keys, inverse, counts = np.unique(grams, return_inverse=True, return_counts=True)
        rare = counts[inverse] <= BOILERPLATE
        self.grams = Grams(keys[counts <= BOILERPLATE])
        columns = np.searchsorted(self.grams.keys, grams[rare])
        self._matrix = csr_array((weights[rare], (columns, owner[rare])), shape=(len(self.grams.keys), len(parts)))

    def candidates(self, streams: Streams) -> Iterator[tuple[int, Part]]:
        """(row of the text, part) where both have enough n-grams in common, anywhere in the text."""
        found = _incidence(streams, self.grams, self.n, self.renamed)
        if found is None:
            return
        overlap = (found @ self._matrix).tocoo()
        near = overlap.data >= CANDIDATE
        for row, column in sorted(zip(overlap.row[near].tolist(), overlap.col[near].tolist(), strict=True)):
            yield row, self.parts[column]


class _Prompts:
    """Which prompts have an n-gram, for the indicator."""

    def __init__(self, prompts: Streams, n: int) -> None:
        from scipy.sparse import csr_array

        self.n = n
        hashes, valid = prompts.grams(n)
        self._grams = Grams(hashes[valid])
        positions, columns = self._grams.find(hashes, valid)
        count = len(prompts.ends) - 1
        columns, owner = np.divmod(np.unique(columns * np.int64(count) + prompts.owner(positions)), max(1, count))
        shape = (len(self._grams.keys), count)
        self._matrix = csr_array((np.ones(len(owner), np.uint16), (columns, owner)), shape=shape)
        self.totals: NDArray[np.int64] = np.bincount(owner, minlength=count)

    def best(self, streams: Streams, sets: Sequence[Sequence[int]], count: int) -> Counts:
        """The most n-grams of each prompt that one text of a set has, shape (sets, items)."""
        result = np.zeros((count, self._matrix.shape[1]), np.uint16)
        found = _incidence(streams, self._grams, self.n, False)
        if found is None:
            return result
        for start in range(0, len(sets), BLOCK):
            dense = (found[start : start + BLOCK] @ self._matrix).toarray()
            rows: dict[int, list[int]] = {}
            for row, own in enumerate(sets[start : start + BLOCK]):
                for number in own:
                    rows.setdefault(number, []).append(row)
            for number, own_rows in rows.items():
                np.maximum(result[number], dense[own_rows].max(axis=0), out=result[number])
        return result


def _incidence(streams: Streams, grams: Grams, n: int, renamed: bool) -> Any:
    """A sparse matrix, shape (texts, known n-grams): 1 where a text has the n-gram. None if no text has any."""
    from scipy.sparse import csr_array

    positions, columns = grams.find(*streams.grams(n, renamed))
    if not len(positions):
        return None
    width = len(grams.keys)
    rows, columns = np.divmod(np.unique(streams.owner(positions) * np.int64(width) + columns), width)
    return csr_array((np.ones(len(rows), np.uint16), (rows, columns)), shape=(len(streams.ends) - 1, width))


def _densest(streams: Streams, row: int, part: Part, postings: _Postings) -> tuple[float, int, int] | None:
    """(overlap, first token, last token) of the passage that holds most of the part; None if it is not enough."""
    hashes, _ = streams.grams(postings.n, postings.renamed, row)
    columns = np.minimum(np.searchsorted(part.grams, hashes), len(part.grams) - 1)
    positions = np.flatnonzero(part.grams[columns] == hashes).tolist()
    own = columns[positions].tolist()
    reach = 2 * part.tokens + 20  # tokens of the longest passage: other text may stand between those of the problem
    inside: dict[int, int] = {}
    weight, left, best = 0.0, 0, (0.0, 0, 0, 0)
    for right, position in enumerate(positions):
        weight += 0.0 if own[right] in inside else float(part.weights[own[right]])
        inside[own[right]] = inside.get(own[right], 0) + 1
        while position - positions[left] > reach or inside[own[left]] > 1:
            inside[own[left]] -= 1
            if not inside[own[left]]:
                weight -= float(part.weights[own[left]])
                del inside[own[left]]
            left += 1
        if weight > best[0] + 1e-9:
            best = (weight, positions[left], position + postings.n - 1, len(inside))
    overlap, first, last, distinct = best
    enough = overlap >= part.required - 1e-6 and distinct >= part.least_grams and last + 1 - first >= part.least_tokens
    return (min(1.0, round(overlap, 4)), first, last) if enough else None
