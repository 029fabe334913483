"""Scored records to thirds on the disk: what every question that splits by a score does in the same way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedkit.display import table
from seedkit.errors import InputError, RunError
from seedkit.records import json_lines, record_line
from seedkit.sources import Source, duplicates, empty_outputs, rejected, write_rejects
from seedkit.subsets import tertiles


@dataclass
class ScoredRows:
    """Which records of a source have a score (their places, ascending), and why the others have none."""

    scored: NDArray[np.int64]
    reasons: list[str | None]

    @property
    def failed(self) -> list[int]:
        return [place for place, reason in enumerate(self.reasons) if reason is not None]


def scored_rows(source: Source, reasons: list[str | None], max_failure_rate: float) -> ScoredRows:
    """Sort out the records without a score; RunError if they are more than the rate allows."""
    result = ScoredRows(np.array([n for n, reason in enumerate(reasons) if reason is None], dtype=np.int64), reasons)
    total, failed = len(reasons), result.failed
    if len(failed) > max_failure_rate * total + 1e-6:  # 0.58 * 50 is a little less than 29
        first = failed[0]
        raise RunError(
            f"{source.path}:{source.records[first].line}: {reasons[first]}; {len(failed):,} of {total:,} records have "
            f"no score, more than --max_failure_rate {max_failure_rate:g} allows. Scores are kept: with "
            f"--max_failure_rate {-(-len(failed) * 10000 // total) / 10000:g} it goes on from here, "
            f"these records in {source.folder.rejects}"
        )
    return result


@dataclass
class Tertiles:
    """Records split by a score: `values` and `tertile` (1 to 3) of the scored records, shape (n,)."""

    column: str
    names: Sequence[str]
    scores_name: str
    values: NDArray[np.float64]
    tertile: NDArray[np.int64]


def check_enough(source: Source, found: ScoredRows) -> None:
    """Refuse to split fewer than three records."""
    if len(found.scored) < 3:
        raise InputError(
            f"{source.path}: {len(found.scored)} records with a score, expected at least three to split in thirds"
        )


def split(column: str, names: Sequence[str], scores_name: str, values: NDArray[np.float64]) -> Tertiles:
    """Tertiles of the ascending order of `values` (n >= 3,); RunError where they cannot order the records."""
    check_spread(values, column)
    return Tertiles(column, names, scores_name, values, tertiles(values))


def check_spread(values: NDArray[np.float64], name: str) -> None:
    """Refuse a column that cannot order the records: RunError with what was found."""
    distinct, counts = np.unique(values, return_counts=True)
    top = counts.argmax()
    if len(distinct) == 1 or counts[top] * 2 > len(values):
        raise RunError(
            f"{name}: {counts[top]:,} of {len(values):,} records have the same score {distinct[top]:g}; "
            "expected no value on more than half of them. Nothing was split"
        )


def write_tertiles(
    source: Source, found: ScoredRows, thirds: Tertiles, columns: Mapping[str, Sequence[float | None]] | None = None
) -> None:
    """Write the three files, the scores and the rejects. `columns` are further scores, one value per record."""
    for third, name in enumerate(thirds.names, 1):
        members = found.scored[thirds.tertile == third]
        source.folder.write(name, (record_line(source.records[number]) for number in members))
    source.folder.write(thirds.scores_name, json_lines(_rows(source, found, thirds, columns or {})))
    left_out = [rejected(source.records[number], found.reasons[number] or "") for number in found.failed]
    write_rejects(source.folder, source.rejects + left_out)


def _rows(
    source: Source, found: ScoredRows, thirds: Tertiles, columns: Mapping[str, Sequence[float | None]]
) -> Iterator[dict[str, Any]]:
    place = {int(number): position for position, number in enumerate(found.scored)}
    for number, record in enumerate(source.records):
        position = place.get(number)
        yield {
            "id": record.id,
            "line": record.line,
            **{name: values[number] for name, values in columns.items()},
            thirds.column: None if position is None else float(thirds.values[position]),
            "tertile": None if position is None else int(thirds.tertile[position]),
            "status": "failed" if position is None else "ok",
            "reason": found.reasons[number],
        }


def describe(source: Source, found: ScoredRows, thirds: Tertiles) -> dict[str, Any]:
    """The counts and the tertiles as the manifest holds them and verify reads them."""
    return {
        "counts": {
            "records": len(source.records) + len(source.rejects),
            "scored": len(found.scored),
            "failed": len(found.failed),
            "unreadable": len(source.rejects),
            "duplicate_texts": duplicates(source.records),
            "empty_outputs": empty_outputs(source.records),
        },
        "tertiles": {"scores": thirds.scores_name, "column": thirds.column, "files": list(thirds.names)},
    }


def report(source: Source, found: ScoredRows, thirds: Tertiles) -> str:
    """The closing table of one source."""
    rows = []
    for third, name in enumerate(thirds.names, 1):
        values = thirds.values[thirds.tertile == third]
        rows.append([name, f"{len(values):,}", *(f"{f(values):.4f}" for f in (np.min, np.median, np.max))])
    left_out = len(found.failed) + len(source.rejects)
    head = f"\n{source.name}: {len(found.scored):,} records in thirds"
    return "\n".join(
        [
            head + (f", {left_out:,} in {source.folder.rejects}" if left_out else ""),
            table([thirds.column, "n", "min", "median", "max"], rows),
        ]
    )
