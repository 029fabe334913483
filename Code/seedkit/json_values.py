"""The values in a JSON Lines file or a JSON array, streamed, each with the line it starts on."""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TextIO

import orjson

from seedkit.errors import InputError

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
ARRAY_CHUNK = 1 << 20  # characters of a JSON array held at a time
_BLANK = re.compile(r"[ \t\r\n]*")


@dataclass(slots=True)
class Unreadable:
    """Yielded instead of a value that is not JSON, so that the caller decides between an error and a reject."""

    reason: str
    raw: bytes


def json_values(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield (line, value or Unreadable); lines count from 1. InputError where there is nothing to read.

    A damaged line of JSON Lines is Unreadable. A damaged array raises InputError, since nothing tells where to go on.
    """
    return _array_elements(path) if form(path) == "array" else _lines(path)


def form(path: Path) -> str:
    """'array' or 'lines', from the first bytes. Raises InputError where there is nothing to read."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(f"{path}: expected a file, got a pipe or a device; it is read more than once")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            if head.startswith(LFS_POINTER):
                raise InputError(f"{path}: a Git LFS pointer, not the data; run: git lfs pull")
            head = head.removeprefix(codecs.BOM_UTF8)
            while head and not head.strip():
                head = file.read(ARRAY_CHUNK)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected JSON Lines or a JSON array") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not head:
        raise InputError(f"{path}: the file is empty; expected JSON Lines or a JSON array")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{path}: UTF-16 text; expected UTF-8")
    return "array" if head.lstrip().startswith(b"[") else "lines"


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    loads = orjson.loads
    with path.open("rb", buffering=1 << 20) as file:
        for line, raw in enumerate(file, 1):
            if line == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            try:
                value = loads(raw)
            except orjson.JSONDecodeError as error:
                if not raw.strip():
                    continue
                value = _unreadable(raw, error)
            yield line, value


def _unreadable(raw: bytes, error: orjson.JSONDecodeError) -> Unreadable:
    """Say what is wrong with a line, in the user's terms."""
    try:
        raw.decode()
    except UnicodeDecodeError as bad:
        surrogate = 0xED == raw[bad.start] and raw[bad.start + 1 : bad.start + 2] >= b"\xa0"
        what = "a lone surrogate" if surrogate else f"byte 0x{raw[bad.start]:02x}"
        return Unreadable(f"expected UTF-8, got {what} at byte {bad.start + 1} of the line", raw)
    if "surrogate" in error.msg:
        return Unreadable(f"expected valid Unicode, got a lone surrogate at column {error.colno}", raw)
    return Unreadable(f"expected one JSON object, got malformed JSON: {error.msg} at column {error.colno}", raw)


def _array_elements(path: Path) -> Iterator[tuple[int, Any]]:
    """The elements of a JSON array with the line each starts on."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from _Array(path, file).elements()


class _Array:
    """A JSON array that is read element by element, holding one chunk of text at a time.

    The standard decoder is used because it can stop after one element, which orjson cannot.
    """

    def __init__(self, path: Path, file: TextIO) -> None:
        self._path, self._file = path, file
        self._buffer, self._position, self._done = "", 0, False  # `_done`: all of the file is in the buffer
        self._line = 1
        self._decoder = json.JSONDecoder(parse_constant=self._constant)

    def elements(self) -> Iterator[tuple[int, Any]]:
        self._token()
        self._position += 1  # the opening bracket, which _form saw
        closed = self._token() == "]"
        self._position += closed
        while not closed:
            if not self._token():
                raise self._damaged("the end of the file inside the array: is it cut off?")
            value, end = self._element()
            yield self._line, _checked_element(value, self._buffer, self._position, end)
            self._line += self._buffer.count("\n", self._position, end)
            self._position = end
            mark = self._token()
            if mark not in (",", "]"):
                raise self._damaged(f'"{mark}" between elements' if mark else "the end of the file: is it cut off?")
            closed = mark == "]"
            self._position += 1
            if not closed and self._token() == "]":
                raise self._damaged('a comma before "]"')
        if self._token():
            raise self._damaged("text after the array")

    def _element(self) -> tuple[Any, int]:
        """The element that starts at the position, and where it ends in the buffer, which may grow for it."""
        size = ARRAY_CHUNK
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._position)
                if end < len(self._buffer) or self._done:  # at the end of the buffer a number may go on
                    return value, end
            except json.JSONDecodeError as error:
                cut_off = error.msg.startswith("Unterminated string") or error.pos > len(self._buffer) - 16
                if self._done or not cut_off:
                    where = f"{error.pos - self._position} characters in"
                    raise self._damaged(f"malformed JSON: {error.msg}, {where}") from None
            except RecursionError:
                raise self._damaged("an element nested too deeply") from None
            except ValueError as error:  # a number of more digits than Python converts
                raise self._damaged(f"an unreadable value: {error}") from None
            self._fill(size)
            size *= 2

    def _token(self) -> str:
        """The next character that is not blank ('' at the end), without taking it."""
        while True:
            end = _BLANK.match(self._buffer, self._position).end()  # type: ignore[union-attr]  # it matches the empty string
            self._line += self._buffer.count("\n", self._position, end)
            self._position = end
            if end < len(self._buffer) or self._done:
                return self._buffer[end : end + 1]
            self._fill(ARRAY_CHUNK)

    def _fill(self, size: int) -> None:
        """Read `size` more characters, and drop those before the position."""
        try:
            more = self._file.read(size)
        except UnicodeDecodeError as bad:
            raise InputError(f"{self._path}: expected UTF-8, got {bad.reason} ({bad.object[bad.start]:#x})") from None
        self._done = not more
        self._buffer, self._position = self._buffer[self._position :] + more, 0

    def _damaged(self, what: str) -> InputError:
        return InputError(f"{self._path}:{self._line}: expected a JSON array of objects, got {what}")

    def _constant(self, name: str) -> NoReturn:
        raise json.JSONDecodeError(f"{name} is not JSON", self._buffer, self._position)


def _checked_element(value: Any, buffer: str, start: int, end: int) -> Any:
    """The value, or Unreadable if it holds a lone surrogate, which the standard decoder accepts."""
    raw = buffer[start:end]
    if "\\u" in raw:  # only an escape can make one: the text itself was decoded as UTF-8
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            surrogate = f"\\u{ord(error.object[error.start]):04x}"
            return Unreadable(f"expected valid Unicode, got a lone surrogate ({surrogate})", raw.encode())
    return value
