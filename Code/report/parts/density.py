"""RQ3: how unlike each other the records are."""

import msgspec
import numpy as np
from numpy.typing import NDArray
from RQ3_density.diversity import principal_plane

from report.blocks import Column, DataTable, Excerpt, PagePart, Picture
from report.charts.bars import Bar, bars
from report.charts.distributions import Cloud, binned, cloud, histogram
from report.folders import FinishedOutput, rows
from report.parts.balance import balance
from report.parts.common import (
    TERTILE_NAMES,
    bins_table,
    borders,
    excerpt,
    facts_table,
    left_out_table,
    part,
    ranked,
    sample,
    summary_table,
    texts,
)

STAGE = "RQ3_density"
EMBEDDINGS = "embeddings.npy"
DRAWN = 300  # points of each tertile on the map, each with the beginning of its instruction
TIP = 140  # characters of it
EXTREMES = 5
MEASURES = (
    ("mean_pairwise_cosine", "mean cosine of all pairs", 4),
    ("mean_neighbour_distance", "mean distance to the nearest other record, 1 - cosine", 4),
    ("vendi_score", "Vendi score, the effective number of different records", 1),
)


class DiversityRow(msgspec.Struct):
    """A line of diversity_scores.jsonl."""

    id: str
    status: str
    tertile: int | None = None
    diversity: float | None = None


def section(output: FinishedOutput) -> PagePart:
    """The histogram of diversity, the map, the spread of each tertile, and the records at both ends."""
    manifest, key = output.manifest, output.key
    every = list(rows(output.folder / manifest["tertiles"]["scores"], DiversityRow))
    places = np.array([number for number, row in enumerate(every) if row.status == "ok"], dtype=np.int64)
    scored = [every[number] for number in places.tolist()]
    values = np.array([row.diversity for row in scored], dtype=np.float64)
    tertile = np.array([row.tertile for row in scored], dtype=np.int64)
    n = f"{output.source}, n = {len(scored):,}"
    drawn = sample([np.flatnonzero(tertile == number) for number in (1, 2, 3)], DRAWN)
    ends = [(name, ranked(values, tertile, number)) for name, number in (("least", 1), ("most", 3))]
    least, most = ends[0][1][:EXTREMES], ends[1][1][::-1][:EXTREMES]
    wanted = {scored[int(number)].id for number in (*drawn, *least, *most)}
    found = texts([output.folder / name for name in manifest["tertiles"]["files"]], wanted)
    data = binned(values, tertile)
    title = f"Instructions by diversity, {n}"
    told = f"Stacked histogram of {len(values):,} records, from {values.min():.4g} to {values.max():.4g}, by tertile of diversity."
    svg = histogram(
        f"{key}-diversity", title, told, data, "diversity, 1 - mean cosine with all others", borders(values, tertile)
    )
    made = part("density", f"RQ3 density of {output.source}", output)
    made.data = {
        "histogram": Picture(f"{key}-diversity", title, svg, bins_table(f"{key}-diversity", f"{title}: bins", data)),
        "map": _map(output, places, tertile, drawn, [found.get(scored[int(number)].id, "") for number in drawn], n),
        "spread": _spread(output),
        "measures": _measures(output),
        "summaries": [summary_table(key, "diversity", values, tertile, 5)],
        "balance": balance(output),
        "counts": facts_table(key, manifest),
        "left_out": left_out_table(output),
        "examples": [
            (f"The {name} diverse records", [_excerpt(scored[int(number)], found) for number in own])
            for name, own in (("least", least), ("most", most))
        ],
    }
    return made


def _excerpt(row: DiversityRow, found: dict[str, str]) -> Excerpt:
    return excerpt(f"diversity {row.diversity:.5f}", found.get(row.id))


def _map(
    output: FinishedOutput,
    places: NDArray[np.int64],
    tertile: NDArray[np.int64],
    drawn: NDArray[np.int64],
    tips: list[str],
    n: str,
) -> Picture:
    key = output.key
    vectors = np.load(output.folder / EMBEDDINGS, mmap_mode="r", allow_pickle=False)
    points, shares = principal_plane(vectors, places)
    data = Cloud(points[:, 0], points[:, 1], tertile, drawn, [_tip(text) for text in tips])
    labels = (
        f"first principal component, {shares[0]:.1%} of the variance",
        f"second principal component, {shares[1]:.1%}",
    )
    title = f"Map of the instructions, {n}"
    many = len(drawn) < len(points)
    told = f"Scatter of {len(points):,} records on their first two principal components, marked by tertile of diversity"
    told += f"; {len(drawn):,} are drawn over cells shaded by how many of all there are." if many else "."
    svg = cloud(f"{key}-map", title, told, data, labels)
    lines = [
        (
            name,
            axis,
            *(float(value) for value in np.quantile(points[tertile == number, place], (0, 0.25, 0.5, 0.75, 1))),
        )
        for number, name in enumerate(TERTILE_NAMES, 1)
        for place, axis in enumerate(("first", "second"))
    ]
    heads = (
        Column("tertile"),
        Column("component"),
        *(Column(name, 3) for name in ("min", "quarter", "median", "three quarters", "max")),
    )
    caption = title + (f". {len(drawn):,} points are drawn; grey cells count all {len(points):,}" if many else "")
    return Picture(f"{key}-map", caption, svg, DataTable(f"{key}-map-table", f"{title}: quartiles", heads, lines))


def _tip(text: str) -> str:
    line = " ".join(text[: 4 * TIP].split())
    return line if len(line) <= TIP else f"{line[: TIP - 1]}…"


def _spread(output: FinishedOutput) -> DataTable:
    spreads = output.manifest["spread"]
    lines = [
        (
            name,
            *(
                (None,) * 5
                if one is None
                else (one[what] for what in (*(m for m, _, _ in MEASURES), "neighbours_of", "vendi_sample"))
            ),
        )
        for name, one in zip(TERTILE_NAMES, spreads, strict=True)
    ]
    heads = (
        Column("tertile"),
        Column("mean pairwise cosine", 4),
        Column("mean neighbour distance", 4),
        Column("Vendi score", 1),
        Column("records searched for neighbours", "count"),
        Column("records sampled for the Vendi score", "count"),
    )
    return DataTable(f"{output.key}-spread", "How spread out each tertile is", heads, lines, copies=True)


def _measures(output: FinishedOutput) -> list[Picture]:
    """A bar for each tertile, for the distance of neighbours and the Vendi score."""
    pictures = []
    for what, label, decimals in MEASURES[1:]:
        known = [(name, one[what]) for name, one in zip(TERTILE_NAMES, output.manifest["spread"], strict=True) if one]
        if not known:
            continue
        key = f"{output.key}-{what.replace('_', '-')}"
        title = f"{label.split(',')[0][:1].upper()}{label.split(',')[0][1:]} by tertile, {output.source}"
        told = "Bars: " + "; ".join(f"{name} {value:,.{decimals}f}" for name, value in known) + "."
        marks = [Bar(name, (value,), f"{value:,.{decimals}f}", TERTILE_NAMES.index(name) + 1) for name, value in known]
        table = DataTable(f"{key}-table", title, (Column("tertile"), Column(label, decimals)), known)
        pictures.append(Picture(key, title, bars(key, title, told, marks, (label,), label, room=80), table))
    return pictures
