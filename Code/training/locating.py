"""Which line of a batch of JSON Lines the loader fails on, and why, in words that name the user's columns and values."""

import json
import re
from collections.abc import Callable
from itertools import pairwise

from training.column_types import Unfit

BOM = b"\xef\xbb\xbf"
CHANGED = re.compile(r"Column\((.*)\) changed from (\w+) to (\w+)")
TWICE = re.compile(r"Column\((.*)\) was specified twice")
BLANKS = re.compile(r"[\s\ufeff]*")  # a byte order mark is skipped between objects, as pyarrow does


def blame(
    batch: bytes, failures: tuple[type[Exception], ...], attempt: Callable[[bytes], None], error: Exception
) -> tuple[int, bytes, Exception]:
    """The line (from 0) that the loader fails on, its text, and the error that it gives, found by halving the batch.

    `attempt` parses bytes as the loader does and raises one of `failures`; `error` is what the whole batch gave.
    """
    units = _units(batch)
    good, bad = 0, len(units)
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            attempt(b"".join(text for _, text in units[:middle]))
            good = middle
        except failures as found:
            bad, error = middle, found
    return (*units[bad - 1], error) if units else (0, b"", error)


def _units(batch: bytes) -> list[tuple[int, bytes]]:
    """(line from 0, text) of every line that is not blank; of every object, if objects span several lines."""
    units = [(number, text + b"\n") for number, text in enumerate(batch.split(b"\n")) if text.strip()]
    if units and not _is_json(units[0][1]):
        spans = _objects(batch)
        if spans:
            text = batch.decode(errors="surrogateescape")
            ends = [end for _, end in spans]
            numbers = [*(number for number, _ in spans), text.count("\n", 0, ends[-1])]
            pieces = [text[start:end] for start, end in pairwise([0, *ends, len(text)])]
            named = zip(numbers, pieces, strict=True)
            return [(number, piece.encode(errors="surrogateescape")) for number, piece in named if piece.strip()]
    return units


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text.removeprefix(BOM).decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        return False
    return True


def row_lines(batch: bytes, count: int) -> list[int]:
    """The line (from 0) that each of the `count` rows starts on; objects may share a line or span several."""
    full = [number for number, text in enumerate(batch.split(b"\n")) if text.strip()]
    if len(full) != count:
        starts = [number for number, _ in _objects(batch)]
        full = starts if len(starts) == count else (full + [0] * count)[:count]
    return full


def _objects(batch: bytes) -> list[tuple[int, int]]:
    """(line from 0, where it ends in the text) of the values one after another, up to the first that is malformed."""
    text = batch.decode(errors="surrogateescape")
    decoder = json.JSONDecoder()
    found: list[tuple[int, int]] = []
    end = line = seen = 0
    while True:
        start = end_of(BLANKS, text, end)
        line, seen = line + text.count("\n", seen, start), start
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return found
        found.append((line, end))


def end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where the match of `pattern` at `position` ends; `position` itself if there is none."""
    match = pattern.match(text, position)
    return match.end() if match else position


def reason(error: Exception, unit: bytes) -> str:
    """What is wrong with the line `unit`, in words that name the user's columns and values."""
    text = str(error)
    if isinstance(error, Unfit):
        return text
    if text == "Empty JSON file" or not unit.strip():
        return "the file is empty"
    try:
        json.loads(unit.removeprefix(BOM))
    except UnicodeDecodeError as bad:
        return f"not UTF-8: {bad.reason} (byte 0x{unit[bad.start]:02x})"
    except json.JSONDecodeError as bad:
        return f"malformed JSON: {bad.msg} at character {bad.pos + 1}"
    except (ValueError, RecursionError) as bad:
        return f"unreadable JSON: {bad}"
    if match := CHANGED.search(text):
        column, before, here = match.groups()
        if not column:
            return f"expected a JSON object, got: {here}"
        return f'column "{column[1:]}" holds different types: {before} above, {here} here'
    if match := TWICE.search(text):
        return f'the key "{match[1][1:]}" stands twice in the object'
    if "surrogate" in text:
        return "a lone surrogate"
    return re.sub(r"^JSON parse error: |\.? in row \d+$", "", text)
