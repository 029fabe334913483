"""Instruction records: one strict reader and one writer for all scripts.

A record is {"id", "instruction", "input", "output"}, all strings. Files are read as JSON Lines or as one JSON array,
UTF-8 with or without a byte order mark; they are written as JSON Lines, UTF-8, "\\n", no ASCII escaping, keys in that order.

The reader uses orjson directly and not through jsonlines, which would take as long for each line as parsing it does.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import orjson

from seedkit.errors import InputError
from seedkit.json_values import Unreadable, json_values

# Names under which the public releases keep the same field: (Evol-Instruct, Alpaca, MathInstruct), then OSS-Instruct.
INSTRUCTION_KEYS = ("instruction", "problem")
OUTPUT_KEYS = ("output", "response", "solution")  # Alpaca and MathInstruct; Evol-Instruct; OSS-Instruct

QUERY_DESCRIPTION = "instruction, then a newline and input where input is not empty"  # Record.query, in manifests


class Record(msgspec.Struct, gc=False):
    """One instruction with its answer. `line` counts from 1 in the file it was read from.

    A Struct and no dataclass: it is made three times faster, and the garbage collector need not look at it.
    """

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
    """A record that is left out of the results, and why; `record` is the object, or the raw line if it is not JSON."""

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
    """A record that cannot be used; the text says why."""


def read_records(
    path: Path,
    keys: Keys | None = None,
    *,
    rejects: list[Reject] | None = None,
    limit: int | None = None,
    column: tuple[str, list[Any]] | None = None,
) -> Iterator[Record]:
    """Yield the records of `path`, a JSON Lines file or a JSON array, in order; `limit` stops after so many.

    `column` is the name of a further field and a list; each yielded record's value of the field is appended to the list,
    None if it has none.

    A record that cannot be used raises InputError with path:line; if `rejects` is a list, it goes there instead and
    reading goes on. A damaged array has no next line to go on from, so that always raises InputError.
    """
    keys = keys or Keys()
    instruction_keys = (keys.instruction,) if keys.instruction else INSTRUCTION_KEYS
    output_keys = (keys.output,) if keys.output else OUTPUT_KEYS
    input_key = keys.input or "input"
    no_input = None if keys.input else ""  # a record without the key has an empty input, unless the user named the key
    ids = _Ids()
    count = 0
    for line, value in json_values(path):
        if count == limit:
            break
        count += 1
        try:
            if type(value) is not dict:
                raise _BadRecord(
                    value.reason if isinstance(value, Unreadable) else f"expected an object, got {_kind(value)}"
                )
            get = value.get
            instruction, output = get(instruction_keys[0]), get(output_keys[0])
            if type(instruction) is not str:
                instruction = _text(value, instruction_keys, "instruction")
            if type(output) is not str:
                output = _text(value, output_keys, "output")
            input_ = get(input_key, no_input)
            if type(input_) is not str:
                input_ = _text(value, (input_key,), "input")
            id_ = ids.take(get("id"), line, instruction, input_, output)
        except _BadRecord as bad:
            if rejects is None:
                raise InputError(f"{path}:{line}: {bad}") from None
            rejects.append(_reject(line, value, str(bad)))
            continue
        if column:
            column[1].append(value.get(column[0]))
        yield Record(id_, instruction, input_, output, line)
    if count == 0 and limit != 0:
        raise InputError(f"{path}: no records; expected JSON Lines or a JSON array of instruction records")


class _Ids:
    """The ids of one file's records, which must differ."""

    def __init__(self) -> None:
        self._first_line: dict[str, int] = {}  # by id
        self._copies: dict[str, int] = {}  # how many records have the same texts, by the id made of them

    def take(self, given: Any, line: int, instruction: str, input_: str, output: str) -> str:
        """The id of the record in `line`: the one given, else one made of its texts, with -2, -3 ... for copies.

        Raises _BadRecord for a given id that is taken, or neither a string nor a whole number.
        """
        first_line = self._first_line
        id_: str = given
        if given is None:
            id_ = made = record_id(instruction, input_, output)
            while id_ in first_line:
                self._copies[made] = self._copies.get(made, 1) + 1
                id_ = f"{made}-{self._copies[made]}"
        elif type(given) is not str:
            id_ = _number_id(given)
        if id_ in first_line:
            raise _BadRecord(f'duplicate id "{id_}", first seen in line {first_line[id_]}')
        first_line[id_] = line
        return id_


def _reject(line: int, value: Any, reason: str) -> Reject:
    id_ = value.get("id") if isinstance(value, dict) else None
    return Reject(line, str(id_) if isinstance(id_, str | int) else None, reason, _printable(value))


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


def _number_id(value: Any) -> str:
    if type(value) is not int:
        raise _BadRecord(f'"id" must be a string, got {_kind(value)}')
    return str(value)


def _text(value: dict[str, Any], names: tuple[str, ...], field: str) -> str:
    """The text under the first of the names that the object has."""
    for name in names:
        if name in value:
            text = value[name]
            if type(text) is not str:
                raise _BadRecord(f'"{name}" must be a string, got {_kind(text)}')
            return text
    raise _BadRecord(f'"{names[0]}" is missing (keys: {", ".join(value) or "none"}); pass --{field}_key KEY')


def _printable(value: Any) -> Any:
    """The value as it can be written to rejects.jsonl: itself, or the text of what orjson does not take."""
    if isinstance(value, Unreadable):
        return value.raw.rstrip(b"\r\n").decode(errors="backslashreplace")
    try:
        orjson.dumps({"record": [value]})  # as deep as it will stand in the row
    except TypeError:  # nested deeper, or a number larger, than it writes
        try:
            return json.dumps(value, ensure_ascii=False)
        except RecursionError:
            return "nested too deeply to be shown"
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a string" if isinstance(value, str) else "an array" if isinstance(value, list) else "an object"
