"""Texts as hashes of n-grams of tokens, in two streams, and sets of n-grams to find again in them.

Tokens are words and numbers, lower-cased, and brackets and operators one by one. White space, quotes, comment marks and
punctuation are no tokens, so a text laid out or quoted in another way has the same ones. Two streams are made of them:

- as written, in 5-grams (and 4-grams for the indicator);
- renamed, in 12-grams: a name becomes the distance to where it was last used, 0 if that is more than 4 tokens back, so
  that names changed throughout leave it as it is. Keywords, built-ins and the small words of prose stay (after Baker's
  parameterized matching, doi 10.1145/167088.167115).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PLAIN_N, RENAMED_N = 5, 12
# tokens within which a name counts as used before; they are few, so that names that are changed in the code but not in the
# prose break few n-grams
REACH = 4
TOKEN = re.compile(r"\w+|[^\w\s\"'`#;/\\.,:?!\u2010-\u201f\u2026\u00ab\u00bb-]")

KEYWORDS = frozenset(
    """and as assert async await break case catch class const continue def del do elif else end except false finally fn
    for from func function global if import in is lambda let local namespace new nil none nonlocal not null or
    package pass private public raise return self static std struct switch then this throw true try using var
    void while with yield abs all any bool chr dict enumerate filter float int isinstance len map max min object
    open ord pow print range reversed round set sorted str sum tuple type zip append join split lower upper""".split()
)
SMALL_WORDS = frozenset(  # those that are seldom names in a program
    """a an the of to by be are was were it its that which these those there on off into than such every both either
    also so when where how what who you your we our they their them can could should would may must will has
    have had but write using given find""".split()
)
PLAIN_WORDS = frozenset(
    """python program code javascript java list lists array arrays string strings number numbers integer integers
    element elements value values example examples input output result results method functions create check
    takes take calculate whether contains called name returns first last typing int float data res n1 n2 arr lst
    nums num at out up same other each no more most less least only one two three between after before over
    under then here""".split()
)
KEPT = KEYWORDS | SMALL_WORDS
COMMON = KEPT | PLAIN_WORDS
Hashes = NDArray[np.uint64]


class Vocabulary(dict[str, int]):
    """A number for each token, from 0, in the order in which they are first seen; two columns say what kind each is."""

    def __init__(self) -> None:
        self.telling: list[bool] = []  # neither a single character nor a common word
        self.name: list[bool] = []  # could be the name of something in a program

    def __missing__(self, token: str) -> int:
        word = token.isidentifier()
        self.telling.append(len(token) > 1 and token not in COMMON)
        self.name.append(word and (len(token) == 1 or token not in KEPT))
        self[token] = number = len(self)
        return number

    def forget(self, size: int) -> None:
        """Keep only the first `size` tokens, so that rare words of many texts do not pile up."""
        while len(self) > size:
            self.popitem()
        del self.telling[size:], self.name[size:]


def lowered(text: str) -> str:
    """Lower case of the same length: a position in it is a position in the text."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


@dataclass
class Streams:
    """The tokens of several texts, one after the other; text i has those from ends[i] to ends[i + 1]."""

    ends: NDArray[np.int64]  # (texts + 1,)
    ids: NDArray[np.int64]  # (tokens,), their numbers in the vocabulary
    plain: Hashes  # (tokens,)
    renamed: Hashes  # (tokens,)

    @classmethod
    def of(cls, texts: Sequence[str], vocabulary: Vocabulary) -> "Streams":
        tokens: list[str] = []
        ends = [0]
        for text in texts:
            tokens += TOKEN.findall(lowered(text))
            ends.append(len(tokens))
        ids = np.fromiter(map(vocabulary.__getitem__, tokens), np.int64, len(tokens))
        bounds = np.array(ends, np.int64)
        names = np.array(vocabulary.name, bool)[ids] if len(ids) else np.zeros(0, bool)
        where = np.flatnonzero(names)
        order = where[np.argsort(ids[where], kind="stable")]
        distance = np.zeros(len(ids), np.int64)
        gap = np.diff(order)
        same = (np.diff(ids[order]) == 0) & (gap <= REACH)
        distance[order[1:][same]] = gap[same]
        starts = np.repeat(bounds[:-1], np.diff(bounds))
        distance[np.arange(len(ids)) - distance < starts] = 0  # last used in another text
        codes = np.where(names, distance, ids + REACH + 1)
        return cls(bounds, ids, _scrambled(ids), _scrambled(codes))

    def owner(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The texts that the tokens at these positions are in."""
        return np.searchsorted(self.ends, positions, side="right") - 1

    def grams(self, n: int, renamed: bool = False, text: int | None = None) -> tuple[Hashes, NDArray[np.bool_]]:
        """(hash of the n tokens that begin at each token, of all texts or one; whether these n are all of one text)"""
        tokens = self.renamed if renamed else self.plain
        if text is not None:
            tokens = tokens[self.ends[text] : self.ends[text + 1]]
        count = max(0, len(tokens) - n + 1)
        hashes = np.zeros(count, np.uint64)
        for k in range(n):
            hashes *= np.uint64(0x9E3779B97F4A7C15)
            hashes += tokens[k : k + count]
        valid = np.ones(count, bool)
        if text is None:
            for end in self.ends[1:-1]:
                valid[max(0, end - n + 1) : end] = False
        return hashes ^ (hashes >> np.uint64(31)), valid


def _scrambled(numbers: NDArray[np.int64]) -> Hashes:
    """Small numbers as 64 well mixed bits (the finalizer of splitmix64)."""
    x = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Grams:
    """A set of n-grams to find again in long arrays; a table of 2^23 booleans rules out most of the others."""

    _SHIFT = np.uint64(64 - 23)

    def __init__(self, hashes: Hashes) -> None:
        self.keys = np.unique(hashes)
        self._table = np.zeros(1 << 23, bool)
        self._table[self.keys >> self._SHIFT] = True

    def find(self, hashes: Hashes, valid: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(positions, columns): where in `hashes` a known n-gram stands, and its index in `keys`."""
        if not len(self.keys):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        positions = np.flatnonzero(self._table[hashes >> self._SHIFT] & valid)
        columns = np.minimum(np.searchsorted(self.keys, hashes[positions]), len(self.keys) - 1)
        known = self.keys[columns] == hashes[positions]
        return positions[known], columns[known]
