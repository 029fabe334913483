"""Linguistic difficulty: the perplexity of an instruction under a causal language model, GPT-2 by default.

Perplexity of tokens t_1..t_n = exp(-1/(n-1) * sum over i = 2..n of log p(t_i | t_1..t_(i-1))). It does not exist for
fewer than two tokens; of longer texts the first 512 tokens count. (Radford et al., 2019; Jelinek et al., 1977.)
"""

import copy
import math
from array import array
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from seedkit.batching import Cores, Tokenized, halving, token_batches
from seedkit.causal_lm import context_length, load_causal_lm, load_tokenizer, padded
from seedkit.score_store import Score, as_score

GPT2 = "gpt2"  # the Hugging Face hub
EMBEDDED_LM = (
    Path(__file__).parent / "embedded" / "gpt2_mini"
)  # made by train_embedded_lm.py, see embedded/MODEL_CARD.md
MAX_TOKENS = 512
LOGITS_BYTES = 1 << 28  # memory for logits that are there at once, in float32
WHOLE_LOGITS_BYTES = 1 << 30  # the same for a model whose logits are only there for a whole batch


class Perplexity:
    """Maps texts to perplexities, in order. `model` is a hub id or a folder with any causal language model.

    The logits of a batch would take more memory than the model (a batch of 16,384 tokens with GPT-2's vocabulary: 3.3
    GB), so the head runs over some tokens at a time, in float32 whatever the layers compute in. Where logits are more than
    the head's, batches are smaller instead.
    """

    def __init__(self, model: str, *, device: str, dtype: str = "float32", max_batch_tokens: int = 4096) -> None:
        self._tokenizer = load_tokenizer(model)
        self._tokens, self._cores = Tokenized(self._tokenize), Cores(device)
        self._most_tokens = min(MAX_TOKENS, context_length(model))
        self._model = load_causal_lm(model, device, dtype)
        one_pass_gelu(self._model)
        self._device = device
        token_bytes = 4 * self._model.config.get_text_config().vocab_size
        head = plain_head(self._model)
        self._head = head if head is None or dtype == "float32" else copy.deepcopy(head).float()
        if self._head is None:
            max_batch_tokens = min(max_batch_tokens, WHOLE_LOGITS_BYTES // token_bytes)
        self._piece, self._max_batch_tokens = max(1, LOGITS_BYTES // token_bytes), max_batch_tokens

    def __call__(self, texts: list[str]) -> list[Score]:
        rows = self._tokens.take(texts)
        return score_rows(rows, _too_short(rows), self._max_batch_tokens, self._forward, self._cores)

    def batches(self, texts: list[str]) -> list[list[int]]:
        """The indices of the texts in each batch, longest texts first."""
        rows = self._tokens.keep(texts)
        return row_batches(rows, _too_short(rows), self._max_batch_tokens, self._cores)

    def _tokenize(self, texts: list[str]) -> list[Sequence[int]]:
        rows = self._tokenizer(texts, truncation=True, max_length=self._most_tokens)["input_ids"]
        return [array("i", row) for row in rows]

    def _forward(self, rows: Sequence[Sequence[int]]) -> list[float]:
        import torch

        # padding is on the right: no token before it sees it, so the model needs no mask; the mean does
        ids, mask = padded(rows, self._device, left=False)
        counted, targets = mask[:, 1:].bool(), ids[:, 1:]
        with torch.inference_mode():
            if self._head is None:
                states = self._model(input_ids=ids, use_cache=False).logits
            else:
                states = self._model.base_model(input_ids=ids, use_cache=False).last_hidden_state
            pieces = zip(*(each[counted].split(self._piece) for each in (states[:, :-1], targets)), strict=True)
            loss = torch.zeros(counted.shape, dtype=torch.float64, device=ids.device)
            loss[counted] = torch.cat([self._loss(*piece) for piece in pieces]).double()
            mean = loss.sum(1) / counted.sum(1)
        return [math.exp(value) if value < 700 else math.inf for value in mean.tolist()]

    def _loss(self, states: Any, targets: Any) -> Any:
        """-log p (n,) of the token ids `targets` (n,), from last hidden states or logits (n, columns)."""
        import torch

        logits = states if self._head is None else self._head(states.float())
        return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")


def _too_short(rows: Sequence[Sequence[int]]) -> dict[int, Score]:
    """The failures among rows of token ids, by their number."""
    return {
        number: Score(None, f"{len(row)} tokens: perplexity needs at least two")
        for number, row in enumerate(rows)
        if len(row) < 2
    }


def one_pass_gelu(model: Any) -> None:
    """Let torch compute GPT-2's activation: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).

    transformers computes it operation by operation, and each reads and writes the widest tensor of a layer.
    """
    import torch
    from transformers.activations import NewGELUActivation

    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, torch.nn.GELU(approximate="tanh"))


def plain_head(model: Any) -> Any:
    """The head of a causal language model, if its logits are this head over the last hidden state and no more; else None.

    Some models scale their logits or cap them softly (Gemma, Cohere, Granite).
    """
    import torch

    head = model.get_output_embeddings()
    if head is None or model.base_model is model:
        return None
    ids = torch.tensor([[0, 1, 2]], device=model.device)
    with torch.inference_mode():
        logits = model(input_ids=ids, use_cache=False).logits
        found = head(model.base_model(input_ids=ids, use_cache=False).last_hidden_state)
    return head if torch.equal(logits.float(), found.float()) else None


def score_rows(
    rows: Sequence[Sequence[int]],
    failures: dict[int, Score],
    max_batch_tokens: int,
    forward: Callable[[list[Sequence[int]]], list[float]],
    cores: Cores | None = None,
) -> list[Score]:
    """Scores of all rows of token ids, in order: `failures` by row, of the others what `forward` gives for a batch.

    Both difficulty measures run their language models by it: batches of rows alike in length, of `max_batch_tokens` at
    most, halved where the GPU's memory does not hold them; with `cores` side by side.
    """
    scores = dict(failures)
    passes = _passes(rows, failures, max_batch_tokens)
    found = (cores.map if cores else map)(lambda batch: _halved(forward, [rows[number] for number in batch]), passes)
    for batch, (values, halved) in zip(passes, found, strict=True):
        scores |= {number: as_score(value, halved=halved) for number, value in zip(batch, values, strict=True)}
    return [scores[number] for number in range(len(rows))]


def _halved(
    forward: Callable[[list[Sequence[int]]], list[float]], batch: list[Sequence[int]]
) -> tuple[list[float], bool]:
    """The results of a batch, and whether it had to be halved for them."""
    calls = 0

    def counted(part: list[Sequence[int]]) -> list[float]:
        nonlocal calls
        calls += 1
        return forward(part)

    return halving(counted, batch), calls > 1


def row_batches(
    rows: Sequence[Sequence[int]], failures: Collection[int], max_batch_tokens: int, cores: Cores | None = None
) -> list[list[int]]:
    """The numbers of the rows in each batch: those in `failures`, which need no model, then the longest rows first."""
    passes = _passes(rows, failures, max_batch_tokens)
    apart = [sorted(failures)] if failures else []
    return [*apart, *(cores.grouped(passes) if cores else passes)]


def _passes(rows: Sequence[Sequence[int]], failures: Collection[int], max_batch_tokens: int) -> list[list[int]]:
    good = [number for number in range(len(rows)) if number not in failures]
    batches = token_batches([len(rows[number]) for number in good], max_batch_tokens)
    return [[good[index] for index in indices] for indices in batches]
