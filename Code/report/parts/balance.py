"""In what else do the subsets of a partition differ than in what they are named for? The manifest's balance table."""

from dataclasses import dataclass

from seedkit.balance import COLUMNS, IMBALANCE, warnings

from report.blocks import Column, DataTable, Picture
from report.charts.intervals import Estimate, estimates
from report.folders import FinishedOutput


@dataclass(frozen=True, slots=True)
class Balance:
    """The largest differences as a picture, the means of every subset as a table, and what a reader is warned of."""

    differences: Picture
    means: DataTable
    warnings: list[str]


def balance(output: FinishedOutput) -> Balance | None:
    """The balance table of a partition; None where its manifest has none."""
    found = output.manifest.get("balance")
    if not found:
        return None
    subsets, largest = found["subsets"], found["largest_differences"]
    known = [column for column in COLUMNS if any(column in row for row in subsets.values())]
    heads = (Column("subset"), Column("records", "count"), *(Column(COLUMNS[column], "value") for column in known))
    lines = [
        (name.removesuffix(".jsonl"), row["records"], *(row.get(column, {}).get("mean") for column in known))
        for name, row in subsets.items()
    ]
    key = f"{output.key}-balance"
    means = DataTable(f"{key}-means", "Balance: the mean of each column by subset", heads, lines, copies=True)
    rows, table = [], []
    for column, one in largest.items():
        pair = " against ".join(name.removesuffix(".jsonl") for name in reversed(one["subsets"]))
        words = "without a value" if one["smd"] is None else f"{one['smd']:+.2f}"
        rows.append(Estimate(COLUMNS.get(column, column), one["smd"], words=words))
        table.append((COLUMNS.get(column, column), one["smd"], pair))
    title = f"Balance: largest standardised mean difference between two subsets, {output.source}"
    told = f"Dots by column, 0 where subsets are alike; above {IMBALANCE} or below -{IMBALANCE} is told as a warning."
    svg = estimates(key, title, told, rows, "standardised mean difference, in standard deviations", zero=True, room=120)
    columns = (Column("column"), Column("difference", 4), Column("between"))
    return Balance(Picture(key, title, svg, DataTable(f"{key}-table", title, columns, table)), means, warnings(subsets))
