"""Scored records to tertiles on the disk: what every question that splits by a score does in the same way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedkit.balance import Measured, balance, balance_report, measured
from seedkit.display import table
from seedkit.errors import InputError, RunError
from seedkit.manifest import made_by
from seedkit.records import json_lines, record_line
from seedkit.sources import Job, Source, duplicate_texts, empty_outputs, rejected, write_rejects
from seedkit.subsets import in_tertiles, matched_tertiles
from seedkit.token_counts import DESCRIPTION

BINS = 20  # of what is matched; with them a tertile's mean length is within a few percent of the others'


@dataclass
class ScoredRows:
    """Which records of a source have a score (their indices, ascending), and why the others have none."""

    scored: NDArray[np.int64]
    reasons: list[str | None]  # one per record, None where it has a score

    @property
    def failed(self) -> list[int]:
        return [index for index, reason in enumerate(self.reasons) if reason is not None]


def scored_rows(source: Source, reasons: list[str | None], max_failure_rate: float) -> ScoredRows:
    """Which records have a score, from `reasons` (one per record, None where it has a score).

    Raises RunError if a larger share than `max_failure_rate` has none.
    """
    result = ScoredRows(np.array([n for n, reason in enumerate(reasons) if reason is None], dtype=np.int64), reasons)
    total, failed = len(reasons), result.failed
    if len(failed) > max_failure_rate * total + 1e-6:  # in floating point 0.58 * 50 is a little less than 29
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
    matched: str | None = None  # the column in whose bins the tertiles were made

    @property
    def contrast_kept(self) -> float:
        """Mean of the highest less mean of the lowest tertile, as a share of what it would be without matching."""

        def contrast(tertile: NDArray[np.int64]) -> float:
            return float(self.values[tertile == 3].mean() - self.values[tertile == 1].mean())

        return contrast(self.tertile) / contrast(in_tertiles(self.values))


def check_enough(source: Source, found: ScoredRows) -> None:
    """Raise InputError if fewer than three records have a score."""
    if len(found.scored) < 3:
        raise InputError(
            f"{source.path}: {len(found.scored)} records with a score, expected at least three to split in tertiles"
        )


def split(
    column: str,
    names: Sequence[str],
    scores_name: str,
    values: NDArray[np.float64],
    *,
    matched: str | None = None,
    by: NDArray[np.int64] | None = None,
) -> Tertiles:
    """Tertiles of the ascending order of `values` (n >= 3,); RunError where they cannot order the records.

    With `matched`, the name of a column, and its values `by` (n,), the tertiles are those within BINS bins of it.
    """
    check_spread(values, column)
    tertile = in_tertiles(values) if by is None else matched_tertiles(values, by, BINS)
    return Tertiles(column, names, scores_name, values, tertile, matched)


def ending(match: str | None) -> str:
    """What the names of matched tertiles end with, so that they lie beside the others in one folder and share its scores."""
    return "_MATCHED" if match else ""


def called(jobs: Sequence[Job], end: str) -> list[Job]:
    """The same jobs, their sources called SOURCE_MATCHED and so on by `end`: their students and tables are others."""
    return [job._replace(source=f"{job.source}{end}") for job in jobs]


def measure(source: Source) -> Measured:
    """What the balance table compares, of every record of the source."""
    return measured(source.records, len(source.records), source.generations)


def answer_tokens(found: Measured) -> NDArray[np.int64]:
    """The answer tokens of every record; shape (n,)."""
    return found.columns["answer_tokens"].astype(np.int64)


def balanced(source: Source, scored: ScoredRows, tertiles: Tertiles, found: Measured) -> dict[str, Any]:
    """The balance table of the tertiles as the manifest holds it, with what is known of leakage."""
    members = ((name, scored.scored[tertiles.tertile == number]) for number, name in enumerate(tertiles.names, 1))
    return {**balance(found, members), "leakage": _leakage(source)}


def _leakage(source: Source) -> dict[str, Any] | None:
    """Which benchmarks' problems were taken out of the input before, by seeds/decontaminate.py; None if none were."""
    origin = made_by(source.path) or {}
    if not origin.get("clean") or origin["clean"] != source.path.name:
        return None
    return {
        "removed_before": [file["file"] for file in origin.get("benchmarks", [])],
        "threshold": origin.get("arguments", {}).get("threshold"),
    }


def check_spread(values: NDArray[np.float64], name: str) -> None:
    """Raise RunError if one value stands on more than half of the records: such a column cannot order them."""
    distinct, repeats = np.unique(values, return_counts=True)
    top = repeats.argmax()
    if len(distinct) == 1 or repeats[top] * 2 > len(values):
        raise RunError(
            f"{name}: {repeats[top]:,} of {len(values):,} records have the same score {distinct[top]:g}; "
            "expected no value on more than half of them. Nothing was split"
        )


def write_tertiles(
    source: Source, found: ScoredRows, tertiles: Tertiles, columns: Mapping[str, Sequence[float | None]] | None = None
) -> None:
    """Write the three files, the scores and the rejects. `columns` are further scores, one value per record."""
    for tertile, name in enumerate(tertiles.names, 1):
        members = found.scored[tertiles.tertile == tertile]
        source.folder.write(name, (record_line(source.records[number]) for number in members))
    source.folder.write(tertiles.scores_name, json_lines(_rows(source, found, tertiles, columns or {})))
    write_left_out(source, found)


def _rows(
    source: Source, found: ScoredRows, tertiles: Tertiles, columns: Mapping[str, Sequence[float | None]]
) -> Iterator[dict[str, Any]]:
    position_of = {int(number): position for position, number in enumerate(found.scored)}
    for number, record in enumerate(source.records):
        position = position_of.get(number)
        yield {
            "id": record.id,
            "line": record.line,
            **{name: values[number] for name, values in columns.items()},
            tertiles.column: None if position is None else float(tertiles.values[position]),
            "tertile": None if position is None else int(tertiles.tertile[position]),
            "status": "failed" if position is None else "ok",
            "reason": found.reasons[number],
        }


def counts(source: Source, found: ScoredRows, done: str) -> dict[str, int]:
    """What the manifest counts of a source; `done` says what became of the records that are not failed."""
    return {
        "records": len(source.records) + len(source.rejects),
        done: len(found.scored),
        "failed": len(found.failed),
        "unreadable": len(source.rejects),
        "duplicate_texts": duplicate_texts(source.records),
        "empty_outputs": empty_outputs(source.records),
    }


def write_left_out(source: Source, found: ScoredRows) -> None:
    """Write the rejects: what could not be read, and what has no score."""
    failed = [rejected(source.records[number], found.reasons[number] or "") for number in found.failed]
    write_rejects(source.folder, source.rejects + failed)


def describe(source: Source, found: ScoredRows, tertiles: Tertiles, balance: Mapping[str, Any]) -> dict[str, Any]:
    """The counts, the tertiles and their balance as the manifest holds them; verify reads the first two."""
    matched = {"on": tertiles.matched, "bins": BINS, "tokens": DESCRIPTION}
    return {
        "counts": counts(source, found, "scored"),
        "tertiles": {
            "scores": tertiles.scores_name,
            "column": tertiles.column,
            "files": list(tertiles.names),
            **({"matched": {**matched, "contrast_kept": round(tertiles.contrast_kept, 4)}} if tertiles.matched else {}),
        },
        "balance": balance,
    }


def report(source: Source, found: ScoredRows, tertiles: Tertiles, balance: Mapping[str, Any]) -> str:
    """The closing tables of one source: the tertiles, and in what else they differ."""
    rows = []
    for tertile, name in enumerate(tertiles.names, 1):
        values = tertiles.values[tertiles.tertile == tertile]
        rows.append([name, f"{len(values):,}", *(f"{f(values):.4f}" for f in (np.min, np.mean, np.median, np.max))])
    left_out = len(found.failed) + len(source.rejects)
    searched = balance["leakage"]
    head = f"\n{source.name}: {len(found.scored):,} records in tertiles"
    kept = (
        [
            f"within {BINS} bins of {tertiles.matched}: {tertiles.contrast_kept:.0%} of the contrast in {tertiles.column} is kept"
        ]
        if tertiles.matched
        else []
    )
    return "\n".join(
        [
            head + (f", {left_out:,} in {source.folder.rejects}" if left_out else ""),
            table([tertiles.column, "n", "min", "mean", "median", "max"], rows),
            *kept,
            balance_report(balance["subsets"]),
            *([f"problems of {', '.join(searched['removed_before'])} were taken out of the input"] if searched else []),
        ]
    )
