"""Batches of texts that are alike in length, under a budget of tokens."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, Generic, TypeVar

from seedkit.errors import RunError

# forward passes that are computed side by side on a CPU; as many on every machine, however many cores it has
PASSES = 16
# texts; what a tokenizer says of a text takes twenty times the memory of its tokens, until the call ends
TOKENISED_TOGETHER = 4096

Item = TypeVar("Item")
Row = TypeVar("Row")
Result = TypeVar("Result")


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
        for start in range(0, len(fresh), TOKENISED_TOGETHER):
            part = fresh[start : start + TOKENISED_TOGETHER]
            rows.update(zip(part, self._tokenize(part), strict=True))
        return [rows[text] for text in texts]


class Cores:
    """Where a model's forward passes run: on a CPU side by side, each on one core, on a GPU one after the other.

    A pass on all cores waits after each operation for the slowest of them. On a machine that has other work as well, that
    took three times as long, and what a pass adds up would depend on the number of cores.
    """

    def __init__(self, device: str) -> None:
        import torch

        count = torch.get_num_threads() if device == "cpu" else 1
        self._pool = ThreadPoolExecutor(count, "pass", torch.set_num_threads, (1,)) if count > 1 else None
        self._together = PASSES if device == "cpu" else 1

    def map(self, run: Callable[[Item], Result], passes: Sequence[Item]) -> list[Result]:
        """The results of all passes, in order."""
        return list(self._pool.map(run, passes) if self._pool else map(run, passes))

    def grouped(self, passes: Sequence[list[int]]) -> list[list[int]]:
        """The indices of the items of those passes that are computed together, passes cut by `token_batches`.

        Cut again, such a group gives the same passes.
        """
        starts = range(0, len(passes), self._together)
        return [list(chain.from_iterable(passes[start : start + self._together])) for start in starts]


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
