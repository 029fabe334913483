"""Instruction records: one strict reader and one writer for all scripts.

A record is {"id", "instruction", "input", "output"}, all strings. Files are read as JSON Lines or as one JSON array,
UTF-8 with or without a byte order mark; they are written as JSON Lines, UTF-8, "\\n", no ASCII escaping, keys in that order.

The reader uses orjson directly, not through jsonlines: the wrapper's cost per line is that of the parsing itself.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NoReturn

import orjson

from seedkit.errors import InputError

# Names under which the public releases keep the same field: (Evol-Instruct, Alpaca, MathInstruct), then OSS-Instruct.
INSTRUCTION_KEYS = ("instruction", "problem")
OUTPUT_KEYS = ("output", "response", "solution")  # Alpaca and MathInstruct; Evol-Instruct; OSS-Instruct
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
ARRAY_CHUNK = 1 << 20  # characters of a JSON array held at a time


@dataclass(slots=True)
class Record:
    """One instruction with its answer. `line` counts from 1 in the file it was read from."""

    id: str
    instruction: str
    input: str
    output: str
    line: int = 0

    @property
    def query(self) -> str:
        """What a student model is asked: the instruction, and below it the input where there is one."""
        return f"{self.instruction}\n{self.input}" if self.input else self.instruction


@dataclass(slots=True)
class Reject:
    """What was left out of the results and why; `record` is the object, or the raw line if it could not be read."""

    line: int
    id: str | None
    reason: str
    record: Any


@dataclass(frozen=True, slots=True)
class Keys:
    """Field names given by the user; None means the aliases of the public releases."""

    instruction: str | None = None
    input: str | None = None
    output: str | None = None


class _BadRecord(Exception):
    pass


def read_records(
    path: Path, keys: Keys | None = None, *, rejects: list[Reject] | None = None, limit: int | None = None
) -> Iterator[Record]:
    """Yield the records of `path`, a JSON Lines file or a JSON array, in order; `limit` stops after so many.

    A record that cannot be used raises InputError with path:line; if `rejects` is a list, it goes there instead and
    reading goes on. A damaged array has no next line to go on from: that is always an error.
    """
    keys = keys or Keys()
    instruction_keys = (keys.instruction,) if keys.instruction else INSTRUCTION_KEYS
    output_keys = (keys.output,) if keys.output else OUTPUT_KEYS
    input_key = keys.input or "input"
    no_input = None if keys.input else ""  # what a record without the key has: nothing, or an error
    # the names that fitted last time are tried first: files keep to one schema
    instruction_key, output_key = instruction_keys[0], output_keys[0]
    seen: dict[str, int] = {}
    count = 0
    for line, value in _array_elements(path) if _sniff(path) == "array" else _jsonl_values(path):
        if count == limit:
            break
        count += 1
        try:
            if type(value) is not dict:
                raise value if isinstance(value, _BadRecord) else _BadRecord(f"expected an object, got {_kind(value)}")
            get = value.get
            instruction, output = get(instruction_key), get(output_key)
            if type(instruction) is not str or type(output) is not str:
                instruction_key = _present(value, instruction_keys, "instruction")
                output_key = _present(value, output_keys, "output")
                instruction, output = value[instruction_key], value[output_key]
            input_ = get(input_key, no_input)
            if type(input_) is not str:
                input_ = value[_present(value, (input_key,), "input")]
            id_ = get("id")
            if id_ is None:
                id_ = _fresh(record_id(instruction, input_, output), seen)
            elif type(id_) is not str:
                id_ = _number_id(id_)
            if id_ in seen:
                raise _BadRecord(f'duplicate id "{id_}", first seen in line {seen[id_]}')
        except _BadRecord as bad:
            if rejects is None:
                raise InputError(f"{path}:{line}: {bad}") from None
            own = value.get("id") if isinstance(value, dict) else None
            rejects.append(Reject(line, own if isinstance(own, str) else None, str(bad), _printable(value)))
            continue
        seen[id_] = line
        yield Record(id_, instruction, input_, output, line)
    if count == 0 and limit != 0:
        raise InputError(f"{path}: no records; expected JSON Lines or a JSON array of instruction records")


def record_id(instruction: str, input_: str, output: str) -> str:
    """The id of a record that has none of its own: 16 hex digits of blake2b over the three texts joined by NUL."""
    return blake2b(f"{instruction}\0{input_}\0{output}".encode()).hexdigest()[:16]


def record_line(record: Record) -> bytes:
    """The record as a line of JSON, newline included."""
    return orjson.dumps(
        {"id": record.id, "instruction": record.instruction, "input": record.input, "output": record.output},
        option=orjson.OPT_APPEND_NEWLINE,
    )


def json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Plain rows as lines of JSON."""
    return (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _fresh(id_: str, seen: dict[str, int]) -> str:
    """The id, or for an exact copy of an earlier record, which is a duplicate text and no clash, one of its own."""
    copies, found = 1, id_
    while found in seen:
        copies += 1
        found = f"{id_}-{copies}"
    return found


def _number_id(value: Any) -> str:
    if type(value) is not int:
        raise _BadRecord(f'"id" must be a string, got {_kind(value)}')
    return str(value)


def _present(value: dict[str, Any], names: tuple[str, ...], field: str) -> str:
    """The first of the names that the object has, holding a string."""
    for name in names:
        if name in value:
            if type(value[name]) is not str:
                raise _BadRecord(f'"{name}" must be a string, got {_kind(value[name])}')
            return name
    raise _BadRecord(f'"{names[0]}" is missing (keys: {", ".join(value) or "none"}); pass --{field}_key KEY')


def _sniff(path: Path) -> str:
    """'array' or 'lines', from the first bytes; an InputError where there is nothing to read."""
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


def _jsonl_values(path: Path) -> Iterator[tuple[int, Any]]:
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


class _RawLine(_BadRecord):
    """A line that is not JSON: carried in place of a value so that the caller decides between error and reject."""

    def __init__(self, reason: str, raw: bytes) -> None:
        super().__init__(reason)
        self.raw = raw


def _unreadable(raw: bytes, error: orjson.JSONDecodeError) -> _RawLine:
    """Say what is wrong with a line, in the user's terms."""
    try:
        raw.decode()
    except UnicodeDecodeError as bad:
        surrogate = 0xED == raw[bad.start] and raw[bad.start + 1 : bad.start + 2] >= b"\xa0"
        what = "a lone surrogate" if surrogate else f"byte 0x{raw[bad.start]:02x}"
        return _RawLine(f"expected UTF-8, got {what} at byte {bad.start + 1} of the line", raw)
    if "surrogate" in error.msg:
        return _RawLine(f"expected valid Unicode, got a lone surrogate at column {error.colno}", raw)
    return _RawLine(f"expected one JSON object, got malformed JSON: {error.msg} at column {error.colno}", raw)


def _printable(value: Any) -> Any:
    return value.raw.rstrip(b"\r\n").decode(errors="backslashreplace") if isinstance(value, _RawLine) else value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a string" if isinstance(value, str) else "an array" if isinstance(value, list) else "an object"


def _array_elements(path: Path) -> Iterator[tuple[int, Any]]:
    """The elements of a JSON array with the line each starts on, holding one chunk of text at a time.

    The standard decoder is used because it can stop after one element, which orjson cannot.
    """

    def constant(name: str) -> NoReturn:
        raise json.JSONDecodeError(f"{name} is not JSON", buffer, position)

    decoder = json.JSONDecoder(parse_constant=constant)
    blank = re.compile(r"[ \t\r\n]*")
    with path.open(encoding="utf-8-sig", newline="") as file:
        buffer, position, line, done = "", 0, 1, False

        def fill(size: int) -> None:
            nonlocal buffer, position, done
            try:
                more = file.read(size)
            except UnicodeDecodeError as bad:
                raise InputError(f"{path}: expected UTF-8, got {bad.reason} ({bad.object[bad.start]:#x})") from None
            done = not more
            buffer, position = buffer[position:] + more, 0

        def token() -> str:
            """The next character that is not blank ('' at the end), without taking it."""
            nonlocal position, line
            while True:
                end = blank.match(buffer, position).end()  # type: ignore[union-attr]  # it matches the empty string
                line += buffer.count("\n", position, end)
                position = end
                if position < len(buffer) or done:
                    return buffer[position : position + 1]
                fill(ARRAY_CHUNK)

        def damaged(what: str) -> InputError:
            return InputError(f"{path}:{line}: expected a JSON array of objects, got {what}")

        token()
        position += 1  # the opening bracket, which _sniff saw
        closed = token() == "]"
        position += closed
        while not closed:
            if not token():
                raise damaged("the end of the file inside the array: is it cut off?")
            size = ARRAY_CHUNK
            while True:
                try:
                    value, end = decoder.raw_decode(buffer, position)
                    if end < len(buffer) or done:
                        break
                except json.JSONDecodeError as error:
                    cut_off = error.msg.startswith("Unterminated string") or error.pos > len(buffer) - 16
                    if done or not cut_off:
                        raise damaged(f"malformed JSON: {error.msg}, {error.pos - position} characters in") from None
                except RecursionError:
                    raise damaged("an element nested too deeply") from None
                fill(size)
                size *= 2
            yield line, _checked_element(value, buffer, position, end)
            line += buffer.count("\n", position, end)
            position = end
            mark = token()
            if mark not in (",", "]"):
                raise damaged(f'"{mark}" between elements' if mark else "the end of the file: is it cut off?")
            closed = mark == "]"
            position += 1
            if not closed and token() == "]":
                raise damaged('a comma before "]"')
        if token():
            raise damaged("text after the array")


def _checked_element(value: Any, buffer: str, start: int, end: int) -> Any:
    """The value, or a marker if it holds a lone surrogate, which the standard decoder lets through."""
    raw = buffer[start:end]
    if "\\u" in raw:  # only an escape can bring one in: the text itself was decoded as UTF-8
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            surrogate = f"\\u{ord(error.object[error.start]):04x}"
            return _RawLine(f"expected valid Unicode, got a lone surrogate ({surrogate})", raw.encode())
    return value
