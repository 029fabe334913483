"""RQ1: how difficult the records are, and where the tertiles lie."""

import msgspec
import numpy as np
from numpy.typing import NDArray
from RQ1_complexity.complexity_scorer_steps import no_say

from report.blocks import Column, DataTable, Excerpt, PagePart, Picture
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

STAGE = "RQ1_complexity"
MEASURES = ("complexity", "semantic", "linguistic")
NAMES = {"complexity": "complexity", "semantic": "semantic difficulty", "linguistic": "linguistic difficulty"}
LABELS = {
    "complexity": "complexity, mean of both measures normalised to 0 to 1",
    "semantic": "semantic difficulty, 0 to 5",
    "linguistic": "linguistic difficulty, perplexity (logarithmic)",
}
DRAWN = 400  # points of each tertile in the scatter
PLACES = (("easiest", 0.0), ("median", 0.5), ("hardest", 1.0))


class ComplexityRow(msgspec.Struct):
    """A line of complexity_scores.jsonl."""

    id: str
    status: str
    tertile: int | None = None
    complexity: float | None = None
    semantic: float | None = None
    linguistic: float | None = None


def section(output: FinishedOutput) -> PagePart:
    """Histograms of the mean and its two parts, their scatter, Spearman's correlation, and instructions of each tertile."""
    manifest, key = output.manifest, output.key
    scored = [row for row in rows(output.folder / manifest["tertiles"]["scores"], ComplexityRow) if row.status == "ok"]
    tertile = np.array([row.tertile for row in scored], dtype=np.int64)
    columns = {name: np.array([getattr(row, name) for row in scored], dtype=np.float64) for name in MEASURES}
    made = part("complexity", f"RQ1 complexity of {output.source}", output)
    n = f"{output.source}, n = {len(scored):,}"
    pictures = []
    for name in MEASURES:
        values, log = columns[name], name == "linguistic" and bool(columns[name].min() > 0)
        data = binned(values, tertile, log=log)
        title = f"Instructions by {NAMES[name]}, {n}"
        told = (
            f"Stacked histogram of {len(values):,} records, from {values.min():.4g} to {values.max():.4g}, median "
            f"{np.median(values):.4g}, by tertile of complexity."
        )
        lines = borders(values, tertile) if name == "complexity" else ()
        svg = histogram(f"{key}-{name}", title, told, data, LABELS[name], lines, log=log)
        pictures.append(Picture(f"{key}-{name}", title, svg, bins_table(f"{key}-{name}", f"{title}: bins", data)))
    rho = manifest["spearman_with_complexity"]
    made.notes = no_say(rho, manifest["arguments"].get("normalize", "minmax"))
    spearman = DataTable(
        f"{key}-spearman",
        "Spearman's rank correlation of each measure with complexity",
        (Column("measure"), Column("rho", 2)),
        list(rho.items()),
        copies=True,
    )
    made.data = {
        "histograms": pictures,
        "scatter": _scatter(key, n, columns, tertile),
        "spearman": spearman,
        "summaries": [summary_table(key, NAMES[name], columns[name], tertile, "value") for name in MEASURES],
        "balance": balance(output),
        "counts": facts_table(key, manifest),
        "left_out": left_out_table(output),
        "examples": _examples(output, scored, columns["complexity"], tertile),
        "normalize": manifest["arguments"].get("normalize", "minmax"),
    }
    return made


def _scatter(key: str, n: str, columns: dict[str, NDArray[np.float64]], tertile: NDArray[np.int64]) -> Picture:
    x, y = columns["semantic"], columns["linguistic"]
    drawn = sample([np.flatnonzero(tertile == number) for number in (1, 2, 3)], DRAWN)
    title = f"Semantic against linguistic difficulty, {n}"
    many = (
        f"; {len(drawn):,} of them are drawn, over cells shaded by how many of all there are"
        if len(drawn) < len(x)
        else ""
    )
    told = (
        f"Scatter of {len(x):,} records by semantic and linguistic difficulty, marked by tertile of complexity{many}."
    )
    data = Cloud(x, y, tertile, drawn, ())
    labels = ("semantic difficulty, 0 to 5", "linguistic difficulty, perplexity (logarithmic)")
    svg = cloud(f"{key}-scatter", title, told, data, labels, log_y=bool(y.min() > 0))
    rows_ = [
        (
            name,
            measure,
            *(float(value) for value in np.quantile(columns[measure][tertile == number], (0, 0.25, 0.5, 0.75, 1))),
        )
        for number, name in enumerate(TERTILE_NAMES, 1)
        for measure in ("semantic", "linguistic")
    ]
    heads = (
        Column("tertile"),
        Column("measure"),
        *(Column(name, 3) for name in ("min", "quarter", "median", "three quarters", "max")),
    )
    caption = title + (f". {len(drawn):,} points are drawn; grey cells count all {len(x):,}" if many else "")
    return Picture(
        f"{key}-scatter", caption, svg, DataTable(f"{key}-scatter-table", f"{title}: quartiles", heads, rows_)
    )


def _examples(
    output: FinishedOutput,
    scored: list[ComplexityRow],
    values: NDArray[np.float64],
    tertile: NDArray[np.int64],
) -> list[tuple[str, list[Excerpt]]]:
    chosen = []
    for number, name in enumerate(TERTILE_NAMES, 1):
        order = ranked(values, tertile, number)
        picks = [(what, scored[int(order[round(share * (len(order) - 1))])]) for what, share in PLACES]
        chosen.append((name, picks))
    files = [output.folder / name for name in output.manifest["tertiles"]["files"]]
    found = texts(files, {row.id for _, picks in chosen for _, row in picks})
    return [
        (
            f"The {name} tertile",
            [
                excerpt(
                    f"{what}: complexity {row.complexity:.4f} (semantic {row.semantic:.2f}, linguistic {row.linguistic:.2f})",
                    found.get(row.id),
                )
                for what, row in picks
            ],
        )
        for name, picks in chosen
    ]
