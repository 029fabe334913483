"""An append-only store of scores, addressed by content: what makes a run resumable.

One file per identity (model, revision, prompt, dtype, engine); in it one line of JSON per scored text. A text's key is
a hash of the text alone, so equal texts are scored once, and a changed model or prompt starts a new file by itself.
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import orjson

from seedkit.errors import RunError


@dataclass(frozen=True, slots=True)
class Score:
    """A finite score, or None with the reason why there is none."""

    value: float | None
    reason: str | None = None


def as_score(value: float) -> Score:
    """The value to seven significant digits, what float32 holds; no score if it is not finite."""
    if not math.isfinite(value):
        return Score(None, f"the model gave {value}, expected a finite number")
    return Score(float(f"{value:.7g}"))


def text_key(text: str) -> str:
    """What the store knows a text by: 32 hex digits of blake2b."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


class ScoreStore:
    """Scores by text key, kept in `folder`/`name`-<identity hash>.jsonl.

    A process killed while appending leaves at most one torn line, which the next opening cuts off.
    """

    def __init__(self, folder: Path, name: str, identity: Mapping[str, str], *, resume: bool = True) -> None:
        self.header = orjson.dumps(dict(identity), option=orjson.OPT_SORT_KEYS)
        digest = blake2b(self.header, digest_size=8).hexdigest()
        self.path = folder / f"{name}-{digest}.jsonl"
        self._scores: dict[str, Score] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if not resume:
            self.path.unlink(missing_ok=True)
        self._file = self.path.open("ab+")
        try:
            self._load()
        except BaseException:
            self._file.close()
            raise

    def _load(self) -> None:
        self._file.seek(0)
        end = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                row = orjson.loads(line)
                if number == 1:
                    whole = line == self.header + b"\n"
                else:
                    value, reason = row["value"], row["reason"]
                    whole = isinstance(reason, str) if value is None else isinstance(value, float) and reason is None
                    self._scores[row["key"]] = Score(value, reason)
            except (orjson.JSONDecodeError, KeyError, TypeError):
                whole = False
            if not whole:
                raise RunError(
                    f"{self.path}:{number}: a damaged line in the score store; run again with --no-resume"
                ) from None
            end += len(line)
        self._file.truncate(end)
        if end == 0:
            self._append(self.header + b"\n")

    def __enter__(self) -> "ScoreStore":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._scores)

    def __contains__(self, key: str) -> bool:
        return key in self._scores

    def __getitem__(self, key: str) -> Score:
        return self._scores[key]

    def add(self, keys: Sequence[str], scores: Sequence[Score]) -> None:
        """Append one chunk of scores; they are on the disk when this returns."""
        self._append(b"".join(self._lines(keys, scores)))

    def _lines(self, keys: Sequence[str], scores: Sequence[Score]) -> Iterator[bytes]:
        for key, score in zip(keys, scores, strict=True):
            self._scores[key] = score
            row = {"key": key, "value": score.value, "reason": score.reason}
            yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        os.fsync(self._file.fileno())
