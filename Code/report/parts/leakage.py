"""Leakage: which benchmark problems the records hold, by tertile and mix, or in a whole source."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from report.blocks import Column, DataTable, PagePart, Picture
from report.charts.intervals import Estimate, estimates
from report.folders import FinishedOutput, rows
from report.parts.common import excerpt, facts_table, left_out_table, part

CONTAMINATION, REPORT = "decontamination", "decontamination_report"
EXAMPLES = 5
FIGURES = (
    Column("benchmark"),
    Column("problems", "count"),
    Column("found", "count"),
    Column("records", "count"),
    Column("flagged", "count"),
    Column("leak rate, %", "percent"),
    Column("4-grams", 4),
    Column("5-grams", 4),
)
FIELDS = ("benchmark", "items", "items_found", "records", "flagged", "leak_rate", "indicator_4", "indicator_5")


class LeakageRow(msgspec.Struct):
    """A line of leakage.jsonl: a file and a benchmark."""

    stage: str
    folder: str
    file: str
    benchmark: str
    items: int
    items_found: int
    records: int
    flagged: int
    leak_rate: float
    indicator_4: float
    indicator_5: float
    interval_5: tuple[float, float] | None = None


class EvidenceRow(msgspec.Struct):
    """A line of evidence.jsonl: a record and a problem that it holds."""

    line: int
    benchmark: str
    item: str
    overlap: float
    text: str
    kind: str


def section(output: FinishedOutput) -> PagePart:
    """The indicator for every file, or the figures of a whole source with examples."""
    return _partitions(output) if output.stage == REPORT else _source(output)


def _partitions(output: FinishedOutput) -> PagePart:
    found = list(rows(output.folder / "leakage.jsonl", LeakageRow))
    folders = list(dict.fromkeys(row.folder for row in found))
    made = part("leakage", f"Leakage by tertile and mix, {', '.join(folders)}", output)
    lines = [(row.stage, row.folder, row.file, *(getattr(row, field) for field in FIELDS)) for row in found]
    heads = (Column("stage"), Column("folder"), Column("file"), *FIGURES)
    table = DataTable(
        f"{output.key}-table", "Benchmark problems in the records of each file", heads, lines, copies=True
    )
    marks = []
    for row in found:
        if row.benchmark == "all":
            stem = row.file.removesuffix(".jsonl")
            name = f"{row.folder}/{stem}" if len(folders) > 1 else stem
            marks.append(_mark(name, row.indicator_5, row.interval_5, row.flagged, row.records))
    made.data = {
        "picture": _picture(output, marks, table, "file"),
        "counts": facts_table(output.key, output.manifest),
        "left_out": None,
        "examples": [],
    }
    return made


def _source(output: FinishedOutput) -> PagePart:
    made = part("leakage", f"Benchmark problems in {output.source}", output)
    leakage: list[dict[str, Any]] = output.manifest["leakage"]
    lines = [[row[field] for field in FIELDS] for row in leakage]
    table = DataTable(f"{output.key}-table", "Benchmark problems in the records", FIGURES, lines, copies=True)
    marks = [
        _mark(row["benchmark"], row["indicator_5"], row.get("interval_5"), row["flagged"], row["records"])
        for row in leakage
    ]
    evidence = []
    for row in islice(rows(output.folder / "evidence.jsonl", EvidenceRow), EXAMPLES):
        heading = f"line {row.line}: {row.benchmark} {row.item}, {row.kind}, overlap {row.overlap:.2f}"
        evidence.append(excerpt(heading, row.text))
    made.data = {
        "picture": _picture(output, marks, table, "benchmark"),
        "counts": facts_table(output.key, output.manifest),
        "left_out": left_out_table(output),
        "examples": [("The first records with a benchmark problem", evidence)] if evidence else [],
    }
    return made


def _mark(name: str, indicator: float, ends: Sequence[float] | None, flagged: int, records: int) -> Estimate:
    low, high = ends or (None, None)
    return Estimate(name, indicator, low, high, f"{flagged:,} of {records:,} flagged")


def _picture(output: FinishedOutput, marks: list[Estimate], table: DataTable, what: str) -> Picture:
    key = f"{output.key}-indicator"
    title = f"Test leakage indicator over 5-grams, by {what}"
    told = "Dots, with 95% intervals where the folder has them: "
    told += "; ".join(f"{one.name} {one.value:.4f}, {one.words}" for one in marks[:20]) + "."
    svg = estimates(
        key, title, told, marks, "mean over the problems of the largest share that one record holds", room=170
    )
    return Picture(key, f"{title}; behind it the records that hold a problem", svg, table)
