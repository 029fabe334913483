"""A file to which finished pieces of work are appended, by key: what makes a run resumable.

There is one file per identity (models, revisions, settings). Its first line is the identity, every other line a piece. A
process killed while appending leaves at most one incomplete line, which is cut off when the file is opened again.
"""

import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import orjson

from seedkit.errors import RunError

Piece = TypeVar("Piece")


class Codec(Protocol[Piece]):
    """How a piece is written as a line; `decode` raises KeyError, TypeError or ValueError on a line that is no piece."""

    def encode(self, key: str, piece: Piece) -> dict[str, Any]: ...

    def decode(self, row: Any) -> tuple[str, Piece]: ...


class Journal(Generic[Piece]):
    """Pieces by key, kept in `folder`/`name`-<identity hash>.jsonl; without `resume` it starts empty.

    Raises RunError if a complete line of the file is no piece.
    """

    def __init__(
        self, folder: Path, name: str, identity: Mapping[str, Any], codec: Codec[Piece], *, resume: bool = True
    ) -> None:
        self.header = orjson.dumps(dict(identity), option=orjson.OPT_SORT_KEYS)
        digest = blake2b(self.header, digest_size=8).hexdigest()
        self.path = folder / f"{name}-{digest}.jsonl"
        self._codec = codec
        self._pieces: dict[str, Piece] = {}
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
                whole = number > 1 or line == self.header + b"\n"
                if number > 1:
                    key, piece = self._codec.decode(row)
                    self._pieces[key] = piece
            except (KeyError, TypeError, ValueError):  # malformed JSON is a ValueError
                whole = False
            if not whole:
                raise RunError(
                    f"{self.path}:{number}: a damaged line in the store; run again with --no-resume"
                ) from None
            end += len(line)
        self._file.truncate(end)
        if end == 0:
            self._append(self.header + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._pieces)

    def __contains__(self, key: str) -> bool:
        return key in self._pieces

    def __getitem__(self, key: str) -> Piece:
        return self._pieces[key]

    def append(self, pieces: Iterable[tuple[str, Piece]]) -> None:
        """Add some pieces; they are on the disk when this returns."""
        lines = []
        for key, piece in pieces:
            self._pieces[key] = piece
            lines.append(orjson.dumps(self._codec.encode(key, piece), option=orjson.OPT_APPEND_NEWLINE))
        self._append(b"".join(lines))

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        os.fsync(self._file.fileno())
