"""Linguistic difficulty: the perplexity of an instruction under a causal language model, GPT-2 by default.

Perplexity of tokens t_1..t_n = exp(-1/(n-1) * sum over i = 2..n of log p(t_i | t_1..t_(i-1))). It does not exist for
fewer than two tokens; of longer texts the first 512 tokens count. (Radford et al., 2019; Jelinek et al., 1977.)
"""

import math
from array import array
from collections.abc import Sequence

from seedkit.batching import Tokenized
from seedkit.likelihood import Likelihood
from seedkit.row_scores import row_batches, score_rows
from seedkit.score_store import Score

MAX_TOKENS = 512


class Perplexity:
    """Maps texts to perplexities, in order. `model` is a hub id or a folder with any causal language model."""

    def __init__(self, model: str, *, device: str, dtype: str = "float32", max_batch_tokens: int = 4096) -> None:
        self.likelihood = Likelihood(model, device=device, dtype=dtype, max_batch_tokens=max_batch_tokens)
        self._tokens = Tokenized(self._tokenize)
        self._most_tokens = min(MAX_TOKENS, self.likelihood.context)

    def __call__(self, texts: list[str]) -> list[Score]:
        rows, model = self._tokens.take(texts), self.likelihood
        return score_rows(rows, _too_short(rows), model.max_batch_tokens, self._forward, model.cores)

    def batches(self, texts: list[str]) -> list[list[int]]:
        """The indices of the texts in each batch, longest texts first."""
        rows, model = self._tokens.keep(texts), self.likelihood
        return row_batches(rows, _too_short(rows), model.max_batch_tokens, model.cores)

    def _tokenize(self, texts: list[str]) -> list[Sequence[int]]:
        rows = self.likelihood.tokenizer(texts, truncation=True, max_length=self._most_tokens)["input_ids"]
        return [array("i", row) for row in rows]

    def _forward(self, rows: Sequence[Sequence[int]]) -> list[float]:
        return [math.exp(value) if value < 700 else math.inf for value in self.likelihood(rows)]


def _too_short(rows: Sequence[Sequence[int]]) -> dict[int, Score]:
    """The failures among rows of token ids, by their number."""
    return {
        number: Score(None, f"{len(row)} tokens: perplexity needs at least two")
        for number, row in enumerate(rows)
        if len(row) < 2
    }
