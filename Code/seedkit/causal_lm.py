"""Causal language models from a folder or the hub: tokenizer, weights, sizes, and padded batches of token ids."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seedkit.errors import InputError
from seedkit.models import loading

if TYPE_CHECKING:
    import torch


def load_tokenizer(name: str) -> Any:
    from transformers import AutoTokenizer

    with loading(name):
        tokenizer = AutoTokenizer.from_pretrained(name)
        tokens = tokenizer("a b c")["input_ids"]
    if not tokens:  # what transformers makes of a folder without a tokenizer
        raise InputError(f"model {name}: its tokenizer is missing or empty")
    return tokenizer


def load_causal_lm(name: str, device: str, dtype: str) -> Any:
    """The model in eval mode on `device`. Weights that the checkpoint lacks are an error, not random numbers."""
    import torch
    from transformers import AutoModelForCausalLM

    with loading(name):
        model, report = AutoModelForCausalLM.from_pretrained(
            name, dtype=getattr(torch, dtype), output_loading_info=True
        )
    wrong = sorted([*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])])
    if wrong:
        raise InputError(f"model {name}: {len(wrong)} weights are not in the checkpoint, e.g. {wrong[0]}")
    model.eval().to(device)
    ids = torch.tensor([[0, 1, 2], [0, 1, 3]], device=device)
    with torch.inference_mode():
        first, second = model(input_ids=ids, use_cache=False).logits[:, :2].float()
    if (first - second).abs().max() > 0.02 * first.std():
        raise InputError(
            f"model {name}: not a causal language model: a later token changes what it says of earlier ones"
        )
    return model


def context_length(name: str) -> int:
    """The most tokens the model can take."""
    return _size(name, "max_position_embeddings")


def vocabulary_size(name: str) -> int:
    """How many token ids the model knows; a tokenizer may have fewer."""
    return _size(name, "vocab_size")


def _size(name: str, key: str) -> int:
    from transformers import AutoConfig

    with loading(name):
        config = AutoConfig.from_pretrained(name)
    size = getattr(config, key, None)
    if not isinstance(size, int):
        raise InputError(f'model {name}: its configuration has no "{key}"')
    return size


def padded(rows: Sequence[Sequence[int]], device: str, *, left: bool) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Token ids and mask, both (rows, longest), int64; padding has id 0 and mask 0."""
    import torch

    width = max(map(len, rows))
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        ids[number, place] = torch.tensor(row)
        mask[number, place] = 1
    return ids.to(device), mask.to(device)
