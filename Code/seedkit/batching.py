"""Batches of texts that are alike in length, under a budget of tokens."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from seedkit.errors import RunError

Item = TypeVar("Item")


def token_batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Yield index lists, longest texts first, each batch at most `max_tokens` with its padding.

    `lengths` are in tokens. A text longer than the budget makes a batch of its own. Longest first, so that a batch
    that does not fit in memory fails at once and not after hours.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = max(1, max_tokens // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


def halving(run: Callable[[list[Item]], Any], batch: list[Item]) -> list[Any]:
    """The results of run(batch), in halves if the GPU's memory does not hold it whole.

    RunError if it does not hold a single text.
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
