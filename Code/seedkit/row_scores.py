"""Scores of texts by a language model, from rows of their token ids: in batches alike in length, halved where memory is short."""

from collections.abc import Callable, Collection, Sequence, Sized
from typing import TypeVar

from seedkit.batching import Cores, halving, token_batches
from seedkit.score_store import Score, as_score

Row = TypeVar("Row", bound=Sized)  # its length is its number of tokens


def score_rows(
    rows: Sequence[Row],
    failures: dict[int, Score],
    max_batch_tokens: int,
    forward: Callable[[list[Row]], list[float]],
    cores: Cores | None = None,
) -> list[Score]:
    """Scores of all rows of token ids, in order: `failures` by row, of the others what `forward` gives for a batch.

    Batches are of rows alike in length, of `max_batch_tokens` at most, halved where the GPU's memory does not hold them; with
    `cores` they are computed side by side.
    """
    scores = dict(failures)
    passes = _passes(rows, failures, max_batch_tokens)
    found = (cores.map if cores else map)(lambda batch: _halved(forward, [rows[number] for number in batch]), passes)
    for batch, (values, halved) in zip(passes, found, strict=True):
        scores |= {number: as_score(value, halved=halved) for number, value in zip(batch, values, strict=True)}
    return [scores[number] for number in range(len(rows))]


def _halved(forward: Callable[[list[Row]], list[float]], batch: list[Row]) -> tuple[list[float], bool]:
    """The results of a batch, and whether it had to be halved for them."""
    calls = 0

    def counted(part: list[Row]) -> list[float]:
        nonlocal calls
        calls += 1
        return forward(part)

    return halving(counted, batch), calls > 1


def row_batches(
    rows: Sequence[Row], failures: Collection[int], max_batch_tokens: int, cores: Cores | None = None
) -> list[list[int]]:
    """The numbers of the rows in each batch: those in `failures`, which need no model, then the longest rows first."""
    passes = _passes(rows, failures, max_batch_tokens)
    apart = [sorted(failures)] if failures else []
    return [*apart, *(cores.grouped(passes) if cores else passes)]


def _passes(rows: Sequence[Row], failures: Collection[int], max_batch_tokens: int) -> list[list[int]]:
    good = [number for number in range(len(rows)) if number not in failures]
    batches = token_batches([len(rows[number]) for number in good], max_batch_tokens)
    return [[good[index] for index in indices] for indices in batches]
