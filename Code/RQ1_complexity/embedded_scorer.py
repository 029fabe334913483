"""The embedded scorer: semantic difficulty on a machine with neither a GPU nor a model hub.

A ridge regression from the MiniLM embedding of a text and six plain features of it to contest Elo, learnt from rated
programming problems by train_embedded_scorer.py and mapped to [0, 5]:  score = 5 / (1 + exp(-(elo - center) / scale)).
What it was trained on, how well it agrees with human ratings, and its limits are in embedded/MODEL_CARD.md.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from seedkit.embed import MiniLM
from seedkit.score_store import Score, as_score

HEAD = Path(__file__).parent / "embedded" / "complexity_head.json"
FEATURES = ("log_characters", "log_words", "root_type_token_ratio", "log_requirements", "log_algorithmic", "log_commas")
_WORD = re.compile(r"[A-Za-z]+")
# words that state a condition, a duty or a case
_REQUIREMENT = re.compile(
    r"\b(must|should|ensure|required?|requires|constraints?|handle|without|at least|at most|exactly|only|not"
    r"|additionally|also|however|given that|such that|each|every|all|if|where|when|both)\b",
    re.IGNORECASE,
)
# words that tell of optimisation, counting, structure or scale
_ALGORITHMIC = re.compile(
    r"\b(minimum|maximum|minimi[sz]e|maximi[sz]e|optimal|optimi[sz]e|efficient|efficiently|complexity"
    r"|lexicographically|modulo|subsequence|subarray|possible|number of ways|concurren\w*|thread\w*|distributed"
    r"|scal\w*|secur\w*|real-time|recursi\w*|dynamic|graph|tree|matrix|probab\w*)\b",
    re.IGNORECASE,
)


def text_features(text: str) -> list[float]:
    """The six numbers of FEATURES; all but the ratio are log(1 + count)."""
    words = _WORD.findall(text)
    counts = [len(text), len(words), len(_REQUIREMENT.findall(text)), len(_ALGORITHMIC.findall(text)), text.count(",")]
    logs: list[float] = np.log1p(counts).tolist()
    ratio = len({word.lower() for word in words}) / max(1, len(words)) ** 0.5
    return [logs[0], logs[1], ratio, *logs[2:]]


def inputs(texts: Sequence[str], embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the regression sees: (n, 384 + 6), the embedding and then the features."""
    features = np.array([text_features(text) for text in texts]).reshape(len(texts), len(FEATURES))
    return np.hstack([embeddings.astype(np.float64), features])


class EmbeddedScorer:
    """Maps instructions to scores in [0, 5], in order; every text has one. The encoder computes in `dtype`."""

    def __init__(self, *, device: str, max_batch_tokens: int, dtype: str = "float32", head: Path = HEAD) -> None:
        self._encode = MiniLM(device=device, dtype=dtype, max_batch_tokens=max_batch_tokens)
        parameters = orjson.loads(head.read_bytes())
        self._weights = np.array(parameters["weights"])
        self._intercept, self._center, self._scale = (parameters[key] for key in ("intercept", "center", "scale"))

    def __call__(self, texts: list[str]) -> list[Score]:
        return [as_score(value) for value in self.values(inputs(texts, self._encode(texts))).tolist()]

    def batches(self, texts: list[str]) -> list[list[int]]:
        """The indices of the texts in each batch of the encoder."""
        return self._encode.batches(texts)

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores (n,) of prepared inputs (n, 390)."""
        # row by row in a fixed order: a matrix product may add up differently for another number of rows
        elo = self._intercept + (x * self._weights).sum(axis=1)
        result: NDArray[np.float64] = 5 / (1 + np.exp(-(elo - self._center) / self._scale))
        return result
