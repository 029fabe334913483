"""Running a causal language model over batches alike in length: what both difficulty measures share."""

from collections.abc import Callable, Sequence

from seedkit.batching import halving, token_batches
from seedkit.score_store import Score, as_score


def score_rows(
    rows: Sequence[Sequence[int]],
    failures: dict[int, Score],
    max_batch_tokens: int,
    forward: Callable[[list[Sequence[int]]], list[float]],
) -> list[Score]:
    """Scores of all rows of token ids, in order: `forward` of those without a failure, in batches alike in length."""
    good = [number for number in range(len(rows)) if number not in failures]
    scores = dict(failures)
    for places in token_batches([len(rows[number]) for number in good], max_batch_tokens):
        batch = [good[place] for place in places]
        scores |= zip(batch, map(as_score, halving(forward, [rows[number] for number in batch])), strict=True)
    return [scores[number] for number in range(len(rows))]
