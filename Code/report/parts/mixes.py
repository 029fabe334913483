"""Mixes of records of several kinds, which RQ2 and RQ4 have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

from report.blocks import Column, DataTable, Picture
from report.charts.bars import Bar, bars
from report.folders import FinishedOutput


def shares(output: FinishedOutput, what: str) -> Picture:
    """What every mix is made of: a bar for all draws of the same shares."""
    files: Sequence[Mapping[str, Any]] = output.manifest["mixes"]["files"]
    kinds = list(dict.fromkeys(kind for mix in files for kind in mix["counts"]))
    alike: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for mix in files:
        alike.setdefault((mix["series"], *mix["counts"].items()), []).append(mix)
    rows, marks = [], []
    for mixes in alike.values():
        counts = [mixes[0]["counts"].get(kind, 0) for kind in kinds]
        total = sum(counts)
        name = ", ".join(
            f"{kind} {count / max(1, total):.0%}" for kind, count in zip(kinds, counts, strict=True) if count
        )
        marks.append(Bar(name, counts, f"n = {total:,}, draws: {len(mixes)}"))
        rows.append((name, *counts, total, len(mixes)))
    key = f"{output.key}-shares"
    title = f"Records of each {what} in the mixes, {output.source}"
    told = "Stacked bars, one for each share: " + "; ".join(f"{bar.name}, {bar.words}" for bar in marks) + "."
    heads = (
        Column("mix"),
        *(Column(kind, "count") for kind in kinds),
        Column("records", "count"),
        Column("draws", "count"),
    )
    table = DataTable(f"{key}-table", title, heads, rows, copies=True)
    return Picture(key, title, bars(key, title, told, marks, kinds, "records of a mix"), table)


def same_records(output: FinishedOutput) -> list[str]:
    """A sentence for each set of draws that hold the same records."""
    return [
        f"These draws hold the same records in another order, so that they are no repeats of the data: {', '.join(names)}."
        for names in output.manifest["mixes"].get("same_records", [])
    ]
