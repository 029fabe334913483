"""Scores by the text they belong to, kept in a journal.

A text's key is a hash of the text alone, so equal texts are scored once. Each identity (model, revision, prompt and so
on) has a file of its own, so scores of another model or prompt are never mixed in.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from seedkit.journal import Journal


@dataclass(frozen=True, slots=True)
class Score:
    """A finite score, or None with the reason why there is none.

    `halved`: it was computed in a part of its batch, since the GPU's memory did not hold the whole one. Last digits depend
    on that.
    """

    value: float | None
    reason: str | None = None
    halved: bool = False


def as_score(value: float, *, halved: bool = False) -> Score:
    """The value to seven significant digits, what float32 holds; no score if it is not finite."""
    if not math.isfinite(value):
        return Score(None, f"the model gave {value}, expected a finite number")
    return Score(float(f"{value:.7g}"), halved=halved)


def text_key(text: str) -> str:
    """What the store knows a text by: 32 hex digits of blake2b."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


class ScoreCodec:
    """A score as a line of the journal."""

    def encode(self, key: str, piece: Score) -> dict[str, Any]:
        row = {"key": key, "value": piece.value, "reason": piece.reason}
        return {**row, "halved": True} if piece.halved else row

    def decode(self, row: Any) -> tuple[str, Score]:
        value, reason = row["value"], row["reason"]
        if not (isinstance(reason, str) if value is None else isinstance(value, float) and reason is None):
            raise ValueError("neither a score nor a reason")
        return row["key"], Score(value, reason, bool(row.get("halved")))


class ScoreStore(Journal[Score]):
    """Scores by text key, one file per identity: model, revision, prompt, dtype, engine."""

    def __init__(self, folder: Path, name: str, identity: Mapping[str, str], *, resume: bool = True) -> None:
        super().__init__(folder, name, identity, ScoreCodec(), resume=resume)

    def add(self, keys: Sequence[str], scores: Sequence[Score]) -> None:
        """Append one chunk of scores; they are on the disk when this returns."""
        self.append(zip(keys, scores, strict=True))
