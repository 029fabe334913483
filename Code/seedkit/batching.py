"""Batches of texts that are alike in length, under a budget of tokens."""

from collections.abc import Iterator, Sequence


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
