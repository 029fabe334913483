"""Baselines: the subsets that a question's subsets must beat, and by which method each was chosen."""

from report.blocks import Column, DataTable, PagePart, Picture
from report.charts.bars import Bar, bars
from report.folders import FinishedOutput
from report.parts.balance import balance
from report.parts.common import facts_table, left_out_table, part

STAGE = "baselines"


def section(output: FinishedOutput) -> PagePart:
    """The subsets with their methods and sizes, and in what they differ."""
    chosen = output.manifest["chosen"]["files"]
    made = part("mixes", f"Baselines of {output.source}", output)
    lines = [
        (name.removesuffix(".jsonl"), one["method"], one["column"], one["records"]) for name, one in chosen.items()
    ]
    heads = (Column("subset"), Column("method"), Column("chosen by"), Column("records", "count"))
    key, title = f"{output.key}-shares", f"Records of each baseline, {output.source}"
    marks = [Bar(name, (records,), f"n = {records:,}") for name, _, _, records in lines]
    told = "Bars: " + "; ".join(f"{bar.name} {bar.words}" for bar in marks) + "."
    svg = bars(key, title, told, marks, ("records",), "records", room=90)
    made.data = {
        "shares": Picture(key, title, svg, DataTable(f"{key}-table", title, heads, lines, copies=True)),
        "balance": balance(output),
        "counts": facts_table(output.key, output.manifest),
        "left_out": left_out_table(output),
        "examples": [],
    }
    return made
