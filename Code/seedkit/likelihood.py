"""How likely a causal language model finds texts: GPT-2 by default, or the embedded model where there is no hub."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedkit.batching import Cores
from seedkit.causal_lm import context_length, load_causal_lm, load_tokenizer, padded
from seedkit.embed import CPU_TOKENS, encoder_dtype
from seedkit.models import circumstances, model_label, model_revision, resolve_dtype

GPT2 = "gpt2"  # the Hugging Face hub
EMBEDDED = "embedded"
EMBEDDED_LM = Path(__file__).parent / "gpt2_mini"  # made by RQ1_complexity/train_embedded_lm.py
LOGITS_BYTES = 1 << 28  # memory for logits that are there at once, in float32
WHOLE_LOGITS_BYTES = 1 << 30  # the same for a model whose logits are only there for a whole batch


class Likelihood:
    """The mean of -log p over the tokens of a text. `model` is a hub id or a folder with any causal language model.

    The logits of a batch would take more memory than the model (a batch of 16,384 tokens with GPT-2's vocabulary: 3.3
    GB), so the head runs over some tokens at a time, in float32 whatever the layers compute in. Where logits are more than
    the head's, batches are smaller instead: `max_batch_tokens` is what they may be.

    Raises InputError if the model cannot be loaded, RunError if the device's memory does not hold it.
    """

    def __init__(self, model: str, *, device: str, dtype: str, max_batch_tokens: int) -> None:
        self.tokenizer = load_tokenizer(model)
        self.context, self.cores = context_length(model), Cores(device)
        self._model = load_causal_lm(model, device, dtype)
        one_pass_gelu(self._model)
        self._device = device
        token_bytes = 4 * self._model.config.get_text_config().vocab_size
        head = plain_head(self._model)
        self.head = head if head is None or dtype == "float32" else copy.deepcopy(head).float()
        if self.head is None:
            max_batch_tokens = min(max_batch_tokens, WHOLE_LOGITS_BYTES // token_bytes)
        self._piece, self.max_batch_tokens = max(1, LOGITS_BYTES // token_bytes), max_batch_tokens

    def __call__(self, rows: Sequence[Sequence[int]], starts: Sequence[int] | None = None) -> list[float]:
        """For each row of token ids t_1..t_n the mean over i = start + 1..n of -log p(t_i | t_1..t_(i-1)), in nats.

        `starts`, from 1 to n - 1, is how many tokens of each row only stand before what is asked about; 1 for all if None.
        """
        import torch

        # padding is on the right: no token before it sees it, so the model needs no mask; the mean does
        ids, mask = padded(rows, self._device, left=False)
        counted, targets = mask[:, 1:].bool(), ids[:, 1:]
        if starts is not None:
            before = torch.tensor(starts, device=ids.device)[:, None] - 1
            counted &= torch.arange(counted.shape[1], device=ids.device) >= before
        with torch.inference_mode():
            if self.head is None:
                states = self._model(input_ids=ids, use_cache=False).logits
            else:
                states = self._model.base_model(input_ids=ids, use_cache=False).last_hidden_state
            pieces = zip(*(each[counted].split(self._piece) for each in (states[:, :-1], targets)), strict=True)
            loss = torch.zeros(counted.shape, dtype=torch.float64, device=ids.device)
            loss[counted] = torch.cat([self._loss(*piece) for piece in pieces]).double()
            mean: list[float] = (loss.sum(1) / counted.sum(1)).tolist()
        return mean

    def _loss(self, states: Any, targets: Any) -> Any:
        """-log p (n,) of the token ids `targets` (n,), from last hidden states or logits (n, columns)."""
        import torch

        logits = states if self.head is None else self.head(states.float())
        return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A causal language model as the flags ask for it, and what identifies what it computes."""

    name: str  # hub id or folder
    dtype: str
    max_batch_tokens: int
    identity: dict[str, str]


def language_model(wanted: str, dtype: str, where: Sequence[str], max_batch_tokens: int | None) -> LanguageModel:
    """The model `wanted`, a hub id, a folder or EMBEDDED, on the devices `where`; --dtype and --max_batch_tokens as given.

    Raises InputError for a model that is not there.
    """
    gpu = where[0].startswith("cuda")
    name = str(EMBEDDED_LM) if wanted == EMBEDDED else wanted
    if wanted == EMBEDDED and not gpu:  # in bfloat16 its perplexity orders records as in float32
        dtype = encoder_dtype(dtype, "cpu")
    else:  # bfloat16 moves GPT-2's perplexity by up to 18%, and is hardly faster
        dtype = resolve_dtype(dtype, "cpu")
    budget = max_batch_tokens or (16384 if gpu else CPU_TOKENS)
    identity = {
        "model": model_label(wanted),
        "revision": model_revision(name),
        "dtype": dtype,
        "engine": "transformers",
    }
    return LanguageModel(name, dtype, budget, identity | circumstances(dtype, where, budget))


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
