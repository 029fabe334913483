"""How the loss of a run went: LLaMA-Factory's trainer_log.jsonl as numbers, a table and a figure."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedkit.display import table
from seedkit.figures import axes, png, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOG = "trainer_log.jsonl"
LEGEND = 12  # entries; with more of them the legend goes below the axes
OKABE_ITO = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#F0E442")
STYLES: tuple[Any, ...] = (
    "-",
    "--",
    ":",
    "-.",
    (0, (5, 1)),
    (0, (1, 3)),
    (0, (3, 1, 1, 1, 1, 1)),
)  # of matplotlib's lines


@dataclass(frozen=True, slots=True)
class Curve:
    """What losses.png and losses.svg show of a run; `rows` are its log_rows."""

    subset: str
    seed: int
    records: int
    rows: Sequence[Mapping[str, Any]]


def log_rows(model: Path) -> list[dict[str, Any]]:
    """The rows with a loss in the order of their steps; the later one where a resumed run took a step again."""
    found: dict[int, dict[str, Any]] = {}
    try:
        lines = (model / LOG).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:  # cut short by a kill
            continue
        if isinstance(row, dict) and isinstance(row.get("loss"), float) and isinstance(row.get("current_steps"), int):
            found[row["current_steps"]] = row
    return [found[step] for step in sorted(found)]


def loss_summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The first and the last logged loss, and the final loss: the mean over the last tenth of the steps.

    A logged loss is the mean of the steps since the one logged before, so it counts as often as steps of the last tenth are
    among them: final = sum(loss x steps) / sum(steps).
    """
    ends = [int(row["current_steps"]) for row in rows]
    values = [float(row["loss"]) for row in rows]
    start = ends[-1] - max(1, ends[-1] // 10)  # the last step before the last tenth
    steps = [max(0, end - max(start, before)) for before, end in pairwise([0, *ends])]
    final = math.fsum(value * count for value, count in zip(values, steps, strict=True) if count) / sum(steps)
    return {"first": round(values[0], 6), "last": round(values[-1], 6), "final": round(final, 6)}


def losses_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """One row for each finished run; `results` are their run.json by name."""
    rows = [
        (
            name,
            f"{run['records']['trained']:,}",
            f"{run['steps']:,}",
            f"{run['epochs']:.2f}",
            *(f"{run['loss'][what]:.4f}" for what in ("first", "final")),
            f"{run['seconds']:,.0f}",
        )
        for name, run in results.items()
    ]
    return table(("student", "records", "steps", "epochs", "first loss", "final loss", "seconds"), rows)


def curves(title: str, runs: Sequence[Curve]) -> dict[str, bytes]:
    """The figure of `drawn`, by the end of the file's name: .png and .svg."""
    figure = drawn(title, runs)
    return {".png": png(figure), ".svg": svg(figure)}


def drawn(title: str, runs: Sequence[Curve]) -> "Figure":
    """A figure with the training loss of each run by optimisation step: the raw curve pale, its running mean over it.

    The colour is the subset and the line's style is the seed, so that the runs of a subset can be seen as one.
    """
    from matplotlib.lines import Line2D

    subsets = list(dict.fromkeys(run.subset for run in runs))
    seeds = list(dict.fromkeys(run.seed for run in runs))
    shade = dict(zip(subsets, colours(len(subsets)), strict=True))
    style = {seed: STYLES[number % len(STYLES)] for number, seed in enumerate(seeds)}
    records = {run.subset: run.records for run in runs}
    keys = [Line2D([], [], color=shade[name], label=f"{name} (n = {records[name]:,})") for name in subsets]
    if len(seeds) > 1:
        keys += [Line2D([], [], color="0.3", linestyle=style[seed], label=f"seed {seed}") for seed in seeds]
    inside = len(keys) <= LEGEND
    figure, plot = axes(8, 4.5 if inside else 4.5 + 0.17 * (len(keys) + 1) // 2)
    for run in runs:
        values = [float(row["loss"]) for row in run.rows]
        steps = [row["current_steps"] for row in run.rows]
        plot.plot(steps, values, color=shade[run.subset], linewidth=0.7, alpha=0.3)
        marker = "." if len(values) < 3 else None
        plot.plot(
            steps,
            running_mean(values),
            color=shade[run.subset],
            linestyle=style[run.seed],
            linewidth=1.4,
            marker=marker,
        )
    plot.set_title(f"Training loss: {title}, {len(runs)} students", fontsize=10)
    plot.set_xlabel("optimisation step\n(pale: as logged; strong: running mean over a tenth of the run)", fontsize=9)
    plot.set_ylabel("training loss (nats a token)")
    if inside:
        plot.legend(handles=keys, fontsize=7, frameon=False)
    else:
        figure.legend(handles=keys, fontsize=6, frameon=False, loc="outside lower center", ncols=2)
    return figure


def running_mean(values: Sequence[float]) -> list[float]:
    """The mean of the values around each, over a tenth of them: i - w to i + w with w = len(values) // 20; fewer at the ends."""
    around = len(values) // 20
    windows = [values[max(0, at - around) : at + around + 1] for at in range(len(values))]
    return [math.fsum(window) / len(window) for window in windows]


def colours(count: int) -> list[Any]:
    """Colours that differ in brightness too, so that they can be told apart in print and by the colour-blind.

    Up to eight are those of Okabe and Ito (2008), more are equally spaced on the map viridis.
    """
    from matplotlib import colormaps

    if count <= len(OKABE_ITO):
        return list(OKABE_ITO[:count])
    return [colormaps["viridis"](0.95 * number / (count - 1)) for number in range(count)]
