"""Leakage: which benchmark problems the records hold, by tertile and mix, or in a whole source."""

from typing import Any

import msgspec

from report.blocks import Column, DataTable, PagePart, Picture
from report.charts.bars import Bar, bars
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


class EvidenceRow(msgspec.Struct):
    """A line of evidence.jsonl: a record and a problem that it holds."""

    line: int
    benchmark: str
    item: str
    overlap: float
    text: str
    kind: str


def section(output: FinishedOutput) -> PagePart:
    """A bar for every file, or the figures of a whole source with examples."""
    return _partitions(output) if output.stage == REPORT else _source(output)


def _partitions(output: FinishedOutput) -> PagePart:
    found = list(rows(output.folder / "leakage.jsonl", LeakageRow))
    made = part(
        "leakage", f"Leakage by tertile and mix, {', '.join(dict.fromkeys(row.folder for row in found))}", output
    )
    lines = [(row.stage, row.folder, row.file, *(getattr(row, field) for field in FIELDS)) for row in found]
    heads = (Column("stage"), Column("folder"), Column("file"), *FIGURES)
    table = DataTable(
        f"{output.key}-table", "Benchmark problems in the records of each file", heads, lines, copies=True
    )
    several = len({row.folder for row in found}) > 1
    marks = [
        Bar(
            f"{row.folder}/{row.file}" if several else row.file.removesuffix(".jsonl"),
            (100 * row.leak_rate,),
            f"{row.leak_rate:.2%} ({row.flagged:,} of {row.records:,})",
        )
        for row in found
        if row.benchmark == "all"
    ]
    made.data = {
        "picture": _picture(output, marks, table, "file"),
        "table": table,
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
        Bar(
            row["benchmark"],
            (100 * row["leak_rate"],),
            f"{row['leak_rate']:.2%} ({row['flagged']:,} of {row['records']:,})",
        )
        for row in leakage
    ]
    evidence = []
    for row in rows(output.folder / "evidence.jsonl", EvidenceRow):
        evidence.append(
            excerpt(f"line {row.line}: {row.benchmark} {row.item}, {row.kind}, overlap {row.overlap:.2f}", row.text)
        )
        if len(evidence) == EXAMPLES:
            break
    made.data = {
        "picture": _picture(output, marks, table, "benchmark"),
        "table": table,
        "counts": facts_table(output.key, output.manifest),
        "left_out": left_out_table(output),
        "examples": [("The first records with a benchmark problem", evidence)] if evidence else [],
    }
    return made


def _picture(output: FinishedOutput, marks: list[Bar], table: DataTable, what: str) -> Picture | None:
    if not marks:
        return None
    key, title = f"{output.key}-rate", f"Records that hold a benchmark problem, by {what}"
    told = "Bars: " + "; ".join(f"{bar.name} {bar.words}" for bar in marks[:20]) + "."
    svg = bars(key, title, told, marks, ("percent of the records",), "% of the records", room=170)
    return Picture(key, title, svg, table)
