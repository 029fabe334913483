"""The rows that LLaMA-Factory's loader makes of a JSON or JSON Lines file, or why it cannot load the file at all.

LLaMA-Factory 0.9.5 reads through datasets 4.0.0: JSON Lines with pyarrow, 10 MB at a time, and a JSON array with pandas, at
once. Both give every column one type, whether it is used or not, and a single value that does not fit loses the whole file.
Here JSON Lines are read with pyarrow too, in pieces of the same size, so that the same values clash; what pandas does with an
array is followed rule by rule.
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from seedkit.errors import InputError
from seedkit.json_values import LFS_POINTER

from training.column_types import Unfit, array_column, fitted
from training.locating import BOM, blame, end_of, reason, row_lines

CHUNK = 10 << 20  # bytes read at a time, and then to the end of the line: datasets' JsonConfig.chunksize
BLANKS = re.compile(r"\s*")
BLOCK = CHUNK // 32  # bytes that pyarrow parses at a time

LoadedRow = tuple[int, tuple[Any, ...]]  # the line, and the values of the wanted columns


class FileLost(Exception):
    """The loader fails on this file, so nothing of it is trained on; `line` (from 1) if a single line is to blame."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


def read_rows(path: Path, names: Sequence[str]) -> Iterator[LoadedRow]:
    """Each record's line and its values under `names`, as LLaMA-Factory's converter gets them.

    Raises FileLost if the loader would fail, and InputError if the file cannot be read or is a Git LFS pointer.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            while head and not head.strip():
                head = file.read(CHUNK) or b""
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if head.startswith(LFS_POINTER):
        raise InputError(f"{path}: a Git LFS pointer, not the data; run: git lfs pull")
    if head.removeprefix(BOM).lstrip().startswith(b"["):
        if head.startswith(BOM):
            raise FileLost("a byte order mark before a JSON array", 1)
        return _array_rows(path, names)
    return _line_rows(path, names)


def _line_rows(path: Path, names: Sequence[str]) -> Iterator[LoadedRow]:
    import pyarrow as pa

    failures = (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, Unfit)
    schema, line, block = None, 1, BLOCK
    with path.open("rb") as file:
        while batch := file.read(CHUNK):
            batch += file.readline()
            try:
                table, block = _parsed(batch, block)
                table = fitted(table, schema)
            except failures as error:

                def attempt(head: bytes, schema: Any = schema) -> None:
                    fitted(_parsed(head, BLOCK)[0], schema)

                found, unit, error = blame(batch, failures, attempt, error)
                raise FileLost(reason(error, unit), line + found) from None
            schema = schema or (table.schema if table.num_rows else None)
            lines = [line + offset for offset in row_lines(batch, table.num_rows)]
            if table.num_rows:
                _require(names, table.column_names)
                yield from zip(
                    lines, zip(*(_values(table[name], name, lines) for name in names), strict=True), strict=True
                )
            line += batch.count(b"\n")


def _parsed(batch: bytes, block: int) -> tuple[Any, int]:
    """pyarrow's table of the lines, and the block size it was read with: no object may be longer than a block."""
    import pyarrow as pa
    from pyarrow import json as arrow_json

    if re.match(rb"\s*null\b", batch):  # it ends pyarrow's process, and so the loader's
        raise Unfit("expected a JSON object, got null")
    while True:
        try:
            return arrow_json.read_json(io.BytesIO(batch), read_options=arrow_json.ReadOptions(block_size=block)), block
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            straddles = not isinstance(error, pa.ArrowInvalid) or "straddling" in str(error)
            if not straddles or block > len(batch):
                raise
            block *= 2


def _values(column: Any, name: str, lines: list[int]) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        for line, value in zip(lines, column, strict=True):
            try:
                value.as_py()
            except UnicodeDecodeError as error:
                raise FileLost(f'"{name}" is not UTF-8: {error.reason}', line) from None
        raise
    return values


def _require(names: Sequence[str], columns: Sequence[str]) -> None:
    for name in names:
        if name not in columns:
            raise FileLost(f'no record has the column "{name}" (columns: {", ".join(columns) or "none"})')


def _array_rows(path: Path, names: Sequence[str]) -> Iterator[LoadedRow]:
    raw = path.read_bytes()
    try:
        text = raw.decode()
    except UnicodeDecodeError as bad:
        raise FileLost(f"not UTF-8: {bad.reason}", raw.count(b"\n", 0, bad.start) + 1) from None
    lines, elements = _elements(text)
    for line, element in zip(lines, elements, strict=True):
        if not isinstance(element, dict):
            raise FileLost("expected a JSON object in the array, got something else", line)
    columns = list(dict.fromkeys(key for element in elements for key in element))
    if elements:
        _require(names, columns)
    wanted = {}
    for name in columns:
        try:
            values = array_column([element.get(name) for element in elements], name)
        except Unfit as bad:
            raise FileLost(str(bad), lines[bad.row]) from None
        if name in names:
            wanted[name] = values
    yield from zip(lines, zip(*(wanted[name] for name in names), strict=True), strict=True) if elements else ()


def _elements(text: str) -> tuple[list[int], list[Any]]:
    """The lines (from 1) and the values of a JSON array's elements; FileLost if it is no well-formed array."""
    decoder = json.JSONDecoder(strict=False)  # pandas allows control characters in a text

    def skip(position: int) -> int:
        return end_of(BLANKS, text, position)

    starts: list[int] = []
    values: list[Any] = []
    position = skip(skip(0) + 1)
    closed = text[position : position + 1] == "]"
    while not closed:
        starts.append(position)
        try:
            value, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as bad:
            raise FileLost(f"malformed JSON: {bad.msg}", bad.lineno) from None
        except (ValueError, RecursionError) as bad:
            raise FileLost(f"unreadable JSON: {bad}", text.count("\n", 0, position) + 1) from None
        values.append(value)
        position = skip(end)
        mark = text[position : position + 1]
        if mark not in (",", "]") or not mark:
            raise FileLost("malformed JSON: the array is not closed", text.count("\n", 0, position) + 1)
        closed = mark == "]"
        position = skip(position + 1) if not closed else position
    if text[position + 1 :].strip():
        raise FileLost("malformed JSON: text after the array", text.count("\n", 0, position) + 1)
    counts = (text.count("\n", before, start) for before, start in zip([0, *starts], starts, strict=False))
    return [1 + count for count in accumulate(counts)], values
