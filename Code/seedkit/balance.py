"""In what else do the subsets of a partition differ than in what they are named for? A balance table for the manifest.

Of every subset the table has the mean and the standard deviation of each column below, as the trials that are matched by
propensity scores show them (Austin 2009, Statistics in Medicine 28, 3083). Two subsets are compared by the standardised mean
difference, which does not depend on their size:

    d = (mean of the second - mean of the first) / sqrt((variance of the first + variance of the second) / 2)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations, islice
from math import sqrt
from os.path import commonprefix
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedkit.display import table
from seedkit.python_answers import fenced, parses, python_code
from seedkit.records import Record
from seedkit.token_counts import DESCRIPTION, token_counts

IMBALANCE = 0.25  # an absolute difference above it is told; Rubin 2001, Health Services and Outcomes Research Methodology 2, 169
WORST = 3  # columns that are named in the line about it
PARSED = 10_000  # records of a source at most whose Python is parsed: those at equal distances in the input
CHUNK = 1024  # records that are measured at a time
# what a manifest calls a column, and what a table calls it
COLUMNS = {
    "instruction_tokens": "instruction tokens",
    "answer_tokens": "answer tokens",
    "python": "Python",  # the answer's code is Python, by its fence or its lines
    "fenced": "fenced",  # the answer has a fenced block
    "python_parses": "parses",  # of the answers in Python
    "near_duplicate": "near-duplicates",  # an earlier instruction of the subset has the same letters in the same order
    "empty_output": "empty outputs",
    "generation": "generation",  # how often the instruction was evolved, where the input says it
}
COUNTS = ("instruction_tokens", "answer_tokens", "generation")  # the others are shares
_NO_LETTERS = bytes(byte for byte in range(128) if not chr(byte).isalpha())


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of n records: `columns` by name, (n,) float32 with NaN where it is not known; `letters`, (n,) uint64, is a
    hash of the instruction's letters, which near-duplicates share."""

    columns: dict[str, NDArray[np.float32]]
    letters: NDArray[np.uint64]


def measured(records: Iterable[Record], count: int, generations: Sequence[object] = ()) -> Measured:
    """Measure `count` records. `generations` has what the input says of each record's generation, if it says anything."""
    columns = {name: np.full(count, np.nan, dtype=np.float32) for name in COLUMNS if name != "near_duplicate"}
    letters = np.zeros(count, dtype=np.uint64)
    step = -(-count // PARSED)
    rest, start = iter(records), 0
    while some := list(islice(rest, CHUNK)):
        here = slice(start, start + len(some))
        code = [python_code(record.output) for record in some]
        looked_at = range(-start % step, len(some), step) if step else ()
        columns["instruction_tokens"][here] = token_counts(record.query for record in some)
        columns["answer_tokens"][here] = token_counts(record.output for record in some)
        columns["python"][here] = [found is not None for found in code]
        columns["fenced"][here] = [fenced(record.output) for record in some]
        columns["empty_output"][here] = [not record.output.strip() for record in some]
        for place in looked_at:
            if (found := code[place]) is not None:
                columns["python_parses"][start + place] = parses(found)
        letters[here] = [_letters(record.query) for record in some]
        start += len(some)
    if generations:
        columns["generation"][:] = [_number(value) for value in generations]
    return Measured(columns, letters)


def balance(found: Measured, subsets: Iterable[tuple[str, NDArray[np.int64]]]) -> dict[str, Any]:
    """The balance table as the manifest holds it; `subsets` are the name of each one's file and which of the records it has."""
    rows = {name: _row(found, members) for name, members in subsets}
    return {"tokens": DESCRIPTION, "subsets": rows, "largest_differences": differences(rows)}


def _row(found: Measured, members: NDArray[np.int64]) -> dict[str, Any]:
    """A subset's number of records, and of each column that is known mean, standard deviation and number of records."""
    row: dict[str, Any] = {"records": len(members)}
    _, first = np.unique(found.letters[members], return_index=True)
    repeated = np.ones(len(members), dtype=np.float32)
    repeated[first] = 0
    for name in COLUMNS:
        values = repeated if name == "near_duplicate" else found.columns[name][members]
        values = values[~np.isnan(values)].astype(np.float64)
        if not len(values):
            continue
        row[name] = {"mean": round(float(values.mean()), 4), "sd": round(float(values.std()), 4)}
        if name in COUNTS:
            row[name]["median"] = round(float(np.median(values)), 4)
        if len(values) < len(members):
            row[name]["records"] = len(values)
    return row


def differences(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each column the two subsets with the largest absolute standardised mean difference, and that difference.

    `smd` is null where the means differ and neither subset varies.
    """
    found: dict[str, dict[str, Any]] = {}
    for column in COLUMNS:
        known = [name for name in rows if column in rows[name]]
        pairs = [(_smd(rows[one][column], rows[other][column]), [one, other]) for one, other in combinations(known, 2)]
        if pairs:
            largest, names = max(pairs, key=lambda pair: _size(pair[0]))
            found[column] = {"smd": None if largest is None else round(largest, 4), "subsets": names}
    return found


def _smd(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    spread = sqrt((first["sd"] ** 2 + second["sd"] ** 2) / 2)
    apart = second["mean"] - first["mean"]
    return apart / spread if spread else None if apart else 0.0


def _size(smd: float | None) -> float:
    return np.inf if smd is None else abs(smd)


def balance_report(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of subsets for a terminal, and a line about what differs by more than IMBALANCE; `rows` as in the manifest."""
    shown = [column for column in COLUMNS if any(column in row for row in rows.values())]
    header = ["balance: means", *(COLUMNS[column] for column in shown)]
    cells = [[name, *(_cell(column, row.get(column)) for column in shown)] for name, row in rows.items()]
    return "\n".join([table(header, cells), *warnings(rows)])


def warnings(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line that names the columns in which subsets differ most, if any by more than IMBALANCE."""
    large = [(_size(one["smd"]), column, one) for column, one in differences(rows).items()]
    large = sorted((one for one in large if one[0] > IMBALANCE), key=lambda one: -one[0])
    if not large:
        return []
    short = _short(list(rows))
    named = [
        f"{COLUMNS[column]} {'' if one['smd'] is None else format(one['smd'], '+.2f')} "
        f"({short[one['subsets'][1]]} against {short[one['subsets'][0]]})"
        for _, column, one in large[:WORST]
    ]
    more = f" and {len(large) - WORST} more" if len(large) > WORST else ""
    return [f"WARNING: standardised mean differences above {IMBALANCE}: {', '.join(named)}{more}"]


def _short(names: Sequence[str]) -> dict[str, str]:
    """The names without the words that all of them begin with, and without their ending."""
    begin = commonprefix(names).rpartition("_")[0]
    return {name: name.removeprefix(begin).lstrip("_").removesuffix(".jsonl") for name in names}


def _cell(column: str, found: Mapping[str, float] | None) -> str:
    if found is None:
        return "-"
    return f"{found['mean']:,.1f}" if column in COUNTS else f"{found['mean']:.1%}"


def _letters(text: str) -> int:
    """64 bits of blake2b over the letters of a text in lower case; over all of it where it has no letters."""
    whole = text.encode(errors="replace").lower()
    return int.from_bytes(blake2b(whole.translate(None, _NO_LETTERS) or whole, digest_size=8).digest())


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
