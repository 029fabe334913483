"""Which line of a batch of JSON lines the loader fails on, and why, in the user's terms."""

import json
import re
from collections.abc import Callable
from itertools import pairwise

from training.column_types import Unfit

BOM = b"\xef\xbb\xbf"
CHANGED = re.compile(r"Column\((.*)\) changed from (\w+) to (\w+)")
TWICE = re.compile(r"Column\((.*)\) was specified twice")


def blame(
    batch: bytes, failures: tuple[type[Exception], ...], attempt: Callable[[bytes], None], error: Exception
) -> tuple[int, bytes, Exception]:
    """The first line (from 0) up to which the batch fails, its text, and the error there: found by halving."""
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
    """The lines that are not blank, numbered from 0; where the first is no value alone, the objects that span lines."""
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
    """The line, from 0, of each row: one a line, unless objects share a line or take several."""
    full = [number for number, text in enumerate(batch.split(b"\n")) if text.strip()]
    if len(full) != count:
        starts = [number for number, _ in _objects(batch)]
        full = starts if len(starts) == count else (full + [0] * count)[:count]
    return full


def _objects(batch: bytes) -> list[tuple[int, int]]:
    """(line from 0, end) of the values that follow each other, up to the first that is none."""
    text = batch.decode(errors="surrogateescape")
    decoder, blank = json.JSONDecoder(), re.compile(r"[\s\ufeff]*")
    found: list[tuple[int, int]] = []
    end = line = seen = 0
    while True:
        start = blank.match(text, end).end()  # type: ignore[union-attr]  # it matches the empty string
        line, seen = line + text.count("\n", seen, start), start
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return found
        found.append((line, end))


def reason(error: Exception, unit: bytes) -> str:
    """What is wrong with the line, in the user's terms."""
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
