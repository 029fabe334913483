"""Batches of texts that are alike in length, under a budget of tokens."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar

from seedkit.errors import RunError

Item = TypeVar("Item")
Row = TypeVar("Row")


class Tokenized(Generic[Row]):
    """What `tokenize` makes of texts, kept from when batches are cut until they are computed: each is tokenised once.

    A row is whatever the stage needs of one text. Where another worker cuts the batches, they are tokenised again.
    """

    def __init__(self, tokenize: Callable[[list[str]], Sequence[Row]]) -> None:
        self._tokenize = tokenize
        self._kept: dict[str, Row] = {}

    def keep(self, texts: Sequence[str]) -> list[Row]:
        """The rows of the texts, which are kept until they are taken."""
        rows = self.take(texts)
        self._kept.update(zip(texts, rows, strict=True))
        return rows

    def take(self, texts: Sequence[str]) -> list[Row]:
        """The rows of the texts, in their order."""
        rows = {text: self._kept.pop(text) for text in texts if text in self._kept}
        fresh = [text for text in dict.fromkeys(texts) if text not in rows]
        if fresh:
            rows.update(zip(fresh, self._tokenize(fresh), strict=True))
        return [rows[text] for text in texts]


def token_batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Yield batches of indices, longest texts first, each of at most `max_tokens` tokens with its padding.

    `lengths` are in tokens. A text that is longer than `max_tokens` is a batch of its own. The longest come first, so
    that a batch that does not fit in memory fails at once and not after hours.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = max(1, max_tokens // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


def halving(run: Callable[[list[Item]], Any], batch: list[Item]) -> list[Any]:
    """The results of run(batch), or of its halves if it does not fit in the GPU's memory.

    Raises RunError if a single text does not fit.
    """
    import torch

    try:
        return list(run(batch))
    except torch.OutOfMemoryError as error:
        if len(batch) == 1:
            raise RunError(f"the GPU's memory does not hold one text: {str(error).splitlines()[0]}") from None
    torch.cuda.empty_cache()  # outside the except block: the traceback would keep the failed batch alive
    middle = len(batch) // 2
    return list(chain(halving(run, batch[:middle]), halving(run, batch[middle:])))
