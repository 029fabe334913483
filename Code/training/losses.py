"""How the loss of a run went: LLaMA-Factory's trainer_log.jsonl as numbers, a table and a figure."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seedkit.display import table
from seedkit.figures import axes, png

LOG = "trainer_log.jsonl"
LEGEND = 12  # curves; with more of them the legend goes below the axes


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
    """The first and the last logged loss, and the final loss: the mean of the last tenth of the logged losses."""
    values = [float(row["loss"]) for row in rows]
    tail = values[-max(1, len(values) // 10) :]
    return {"first": round(values[0], 6), "last": round(values[-1], 6), "final": round(sum(tail) / len(tail), 6)}


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


def curves(title: str, logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """A PNG with a curve for each run: the training loss by optimisation step. `logs` are log_rows by name."""
    inside = len(logs) <= LEGEND
    figure, plot = axes(8, 4.5 if inside else 4.5 + 0.17 * len(logs))
    for name, rows in logs.items():
        marker = "." if len(rows) < 40 else None
        steps, values = [row["current_steps"] for row in rows], [row["loss"] for row in rows]
        plot.plot(steps, values, label=name, linewidth=1.2, marker=marker)
    plot.set_title(title, fontsize=10)
    plot.set_xlabel("optimisation step")
    plot.set_ylabel("training loss (nats a token)")
    if inside:
        plot.legend(fontsize=7, frameon=False)
    else:
        figure.legend(fontsize=6, frameon=False, loc="outside lower center", ncols=2)
    return png(figure)
