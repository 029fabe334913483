"""Causal language models from a folder or the hub: tokenizer, weights, sizes, and padded batches of token ids."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedkit.errors import InputError, RunError
from seedkit.models import loading

LATEST = "main"  # the newest version of a hub model

if TYPE_CHECKING:
    import torch


def load_tokenizer(name: str) -> Any:
    """The tokenizer of a model folder or hub id; InputError if it is missing or cannot be loaded."""
    from transformers import AutoTokenizer

    with loading(name):
        tokenizer = AutoTokenizer.from_pretrained(name)
        tokens = tokenizer("a b c")["input_ids"]
    if not tokens:  # what transformers makes of a folder without a tokenizer
        raise InputError(f"model {name}: its tokenizer is missing or empty")
    return tokenizer


def load_causal_lm(name: str, device: str, dtype: str) -> Any:
    """The model in eval mode on `device`.

    Raises InputError if it cannot be loaded, is no causal language model, or its checkpoint lacks weights, which
    transformers would fill with random numbers. Raises RunError if the device's memory does not hold it.
    """
    import torch

    weights = _weights(name, LATEST, dtype).eval()
    try:
        if device.startswith("cuda"):
            torch.cuda.set_device(device)  # what does not say on which device it computes is meant for this one
        model = weights.to(device)
        ids = torch.tensor([[0, 1, 2], [0, 1, 3]], device=device)
        with torch.inference_mode():
            first, second = model(input_ids=ids, use_cache=False).logits[:, :2].float()
    except torch.OutOfMemoryError as error:
        raise RunError(f"model {name}: the memory of {device} does not hold it: {str(error).splitlines()[0]}") from None
    if (first - second).abs().max() > 0.02 * first.std():
        raise InputError(
            f"model {name}: not a causal language model: a later token changes what it says of earlier ones"
        )
    return model


def _weights(name: str, commit: str, dtype: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    with loading(name):
        model, report = AutoModelForCausalLM.from_pretrained(
            name, revision=commit, dtype=getattr(torch, dtype), output_loading_info=True
        )
    wrong = sorted([*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])])
    if wrong:
        raise InputError(f"model {name}: {len(wrong)} weights are not in the checkpoint, e.g. {wrong[0]}")
    return model


def merge_adapter(name: str, commit: str, adapter: str, dtype: str, folder: Path) -> None:
    """Write to `folder` the model `name`, the LoRA adapter in the folder `adapter` added, and the adapter's tokenizer.

    W + scale * B A (Hu et al. 2021, arXiv 2106.09685), W in `dtype`, the product in float32, their sum rounded once; on
    the CPU, so that it is the same wherever the result runs. Layers of which the adapter has all weights replace the
    model's.

    Raises InputError where the two do not fit or the result is not finite, RunError where it cannot be written.
    """
    import torch
    from peft import PeftConfig, PeftModel
    from safetensors import SafetensorError

    tokenizer = load_tokenizer(adapter)
    model = _weights(name, commit, dtype)
    with loading(adapter), warnings.catch_warnings():
        # If only the input or the output embeddings were trained, the two are no longer the same. peft warns of it, and
        # says so in the merged model's settings, as it should.
        warnings.filterwarnings(
            "ignore", r"Model \w+ `tie_word_embeddings|Input and output embeddings are no longer tied"
        )
        rows = _embedding_rows(adapter)
        if rows is not None and rows != model.get_input_embeddings().weight.shape[0]:
            model.resize_token_embeddings(rows, mean_resizing=False)
        network = PeftModel(model, PeftConfig.from_pretrained(adapter))
        names = getattr(model, "_checkpoint_conversion_mapping", {})
        report = network.load_adapter(adapter, "default", torch_device="cpu", key_mapping=names)
        if wrong := sorted([*report.missing_keys, *report.unexpected_keys]):
            raise InputError(f"model {adapter}: its weights do not fit its base model {name}, e.g. {wrong[0]}")
        merged = network.merge_and_unload()
    if not all(torch.isfinite(weights).all() for weights in merged.parameters()):
        raise InputError(f"model {adapter}: merged with {name}, some weights are not finite")
    try:
        merged.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    except SafetensorError as error:
        raise RunError(f"{folder}: the merged model cannot be written: {error}") from None


def _embedding_rows(adapter: str) -> int | None:
    """How many tokens an adapter knows, if it has embeddings of its own; None if it uses the model's."""
    from safetensors import safe_open

    with safe_open(Path(adapter) / "adapter_model.safetensors", "pt") as file:
        for key in file.keys():  # noqa: SIM118
            if key.endswith(("embed_tokens.weight", "wte.weight", "embed_in.weight", "lm_head.weight")):
                return int(file.get_slice(key).get_shape()[0])
    return None


def context_length(name: str, commit: str = LATEST) -> int:
    """The most tokens the model can take."""
    return _size(name, "max_position_embeddings", commit)


def vocabulary_size(name: str, commit: str = LATEST, adapter: str | None = None) -> int:
    """How many token ids the model knows, with an adapter's where that brings more; a tokenizer may have fewer."""
    rows = None
    if adapter is not None:
        with loading(adapter):
            rows = _embedding_rows(adapter)
    return rows or _size(name, "vocab_size", commit)


def _size(name: str, key: str, commit: str) -> int:
    from transformers import AutoConfig

    with loading(name):
        config = AutoConfig.from_pretrained(name, revision=commit)
    size = getattr(config, key, None)
    if not isinstance(size, int):
        raise InputError(f'model {name}: its configuration has no "{key}"')
    return size


def padded(rows: Sequence[Sequence[int]], device: str, *, left: bool) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Token ids and mask of the rows, both (rows, longest), int64; padding, on the `left` or right, has id and mask 0."""
    import torch

    width = max(map(len, rows))
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        span = slice(width - len(row), width) if left else slice(0, len(row))
        ids[number, span] = torch.tensor(row)
        mask[number, span] = 1
    return ids.to(device), mask.to(device)
