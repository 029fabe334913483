"""RQ2: which category each task is of, and the mixes of algorithmic and practical tasks."""

import msgspec
import numpy as np

from report.blocks import Column, DataTable, PagePart, Picture
from report.charts.bars import Bar, bars
from report.charts.intervals import Estimate, estimates
from report.folders import FinishedOutput, rows
from report.parts import mixes
from report.parts.balance import balance
from report.parts.common import excerpt, facts_table, left_out_table, part, texts

CLASSIFICATION, COMPOSITION = "RQ2_classification", "RQ2_composition"
CLOSE = 2  # records of a category that are shown, those with the smallest margins
KINDS = ("algorithmic", "practical")


class ClassifiedRow(msgspec.Struct):
    """What classification added to a record."""

    id: str
    assigned_category: str
    category_margin: float


def section(output: FinishedOutput) -> PagePart:
    """Categories with their margins, or the mixes, whichever stage the output is of."""
    return _mixes(output) if output.stage == COMPOSITION else _categories(output)


def _mixes(output: FinishedOutput) -> PagePart:
    made = part("mixes", f"RQ2 mixes of {output.source}", output)
    made.notes = mixes.same_records(output)
    made.data = {
        "shares": mixes.shares(output, "type"),
        "balance": balance(output),
        "counts": facts_table(output.key, output.manifest),
        "left_out": left_out_table(output),
        "examples": [],
    }
    return made


def _categories(output: FinishedOutput) -> PagePart:
    key, classified = output.key, output.manifest["classified"]
    path = output.folder / classified["file"]
    margins: dict[str, list[float]] = {name: [] for name in classified["categories"]}
    closest: dict[str, list[tuple[float, int, str]]] = {name: [] for name in margins}
    for number, row in enumerate(rows(path, ClassifiedRow)):
        margins[row.assigned_category].append(row.category_margin)
        own = closest[row.assigned_category]
        own.append((row.category_margin, number, row.id))
        if len(own) > 50 * CLOSE:
            own[:] = sorted(own)[:CLOSE]
    picks = {name: sorted(own)[:CLOSE] for name, own in closest.items()}
    found = texts([path], {id_ for own in picks.values() for _, _, id_ in own})
    made = part("composition", f"RQ2 categories of {output.source}", output)
    made.data = {
        "categories": _bars(output),
        "margins": _margins(output, margins),
        "counts": facts_table(key, output.manifest),
        "left_out": left_out_table(output),
        "examples": [
            (name, [excerpt(f"margin {margin:.4f}", found.get(id_)) for margin, _, id_ in own])
            for name, own in picks.items()
            if own
        ],
    }
    return made


def _bars(output: FinishedOutput) -> Picture:
    categories = output.manifest["classified"]["categories"]
    total = sum(facts["records"] for facts in categories.values())
    marks, lines = [], []
    for name, facts in categories.items():
        count, kind = facts["records"], facts["task_type"]
        marks.append(
            Bar(name, [count if kind == one else 0 for one in KINDS], f"{count:,} ({count / max(1, total):.1%})")
        )
        lines.append((name, kind, count, count / max(1, total)))
    key, title = f"{output.key}-categories", f"Instructions by category, {output.source}, n = {total:,}"
    by_kind = {kind: sum(count for _, one, count, _ in lines if one == kind) for kind in KINDS}
    told = "Bars of ten categories; " + ", ".join(f"{kind} {count:,}" for kind, count in by_kind.items()) + "."
    parts = [f"{kind}: {count:,} ({count / max(1, total):.1%})" for kind, count in by_kind.items()]
    heads = (Column("category"), Column("type"), Column("records", "count"), Column("share, %", "percent"))
    table = DataTable(f"{key}-table", title, heads, lines, copies=True)
    return Picture(key, title, bars(key, title, told, marks, parts, "records", room=120), table)


def _margins(output: FinishedOutput, margins: dict[str, list[float]]) -> Picture:
    marks, lines = [], []
    for name, values in margins.items():
        if values:
            low, middle, high = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
            marks.append(Estimate(name, middle, low, high, f"{middle:.3f}"))
            lines.append((name, len(values), low, middle, high))
    key = f"{output.key}-margins"
    title = f"How clear the category is: margin to the second best, {output.source}"
    told = "For each category the median margin and the middle half of its records."
    heads = (
        Column("category"),
        Column("n", "count"),
        Column("quarter", 4),
        Column("median", 4),
        Column("three quarters", 4),
    )
    svg = estimates(
        key, title, told, marks, "margin of cosine similarity: median and middle half of the records", room=60
    )
    return Picture(key, title, svg, DataTable(f"{key}-table", title, heads, lines, copies=True))
