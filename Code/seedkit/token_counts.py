"""About how many tokens texts have, for any student: counted without a tokenizer, which would be another one for each student.

A token is a run of at most LETTERS letters, or a digit, a mark or a line break: where the byte-pair vocabularies of code models
split too. Bytes beyond ASCII count as letters. Blanks and tabs are in the token behind them. Answers of Evol-Instruct code,
CodeAlpaca, Alpaca and mathematics agree with SmolLM2's tokenizer to a correlation of 0.99 and to means within 3, 3, 1 and 11%.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

LETTERS = 10  # a longer word is several tokens
TEXTS = 1024  # that are counted at a time
DESCRIPTION = f"runs of at most {LETTERS} letters; each digit, mark and line break"  # in manifests
_LETTER, _ALONE = 1, 2  # kinds of bytes; a blank is 0


def _kinds() -> NDArray[np.uint8]:
    """The kind of each byte, shape (256,)."""
    kinds = np.full(256, _ALONE, dtype=np.uint8)
    kinds[128:] = _LETTER
    for letters in (b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        kinds[list(letters)] = _LETTER
    kinds[list(b" \t\r\0")] = 0
    return kinds


def token_counts(texts: Iterable[str]) -> NDArray[np.int64]:
    """About how many tokens each of the n texts has; shape (n,)."""
    return np.concatenate([np.zeros(0, dtype=np.int64), *_counts(texts)])


def _counts(texts: Iterable[str]) -> Iterator[NDArray[np.int64]]:
    kinds = _kinds()
    rest = iter(texts)
    while some := list(islice(rest, TEXTS)):
        pieces = [text.encode(errors="replace") for text in some]
        starts = np.cumsum([0, *(len(piece) + 1 for piece in pieces[:-1])])
        kind = kinds[np.frombuffer(b" ".join([*pieces, b""]), dtype=np.uint8)]  # a blank behind each text
        tokens = (kind == _ALONE).astype(np.int32)
        edges = np.diff((kind == _LETTER).view(np.int8), prepend=np.int8(0))
        begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        tokens[begins] = -(-(ends - begins) // LETTERS)
        yield np.add.reduceat(tokens, starts, dtype=np.int64)
