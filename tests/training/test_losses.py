"""The loss of a run: the log of one that was interrupted, its numbers and its figure."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training import losses


def test_the_log_of_an_interrupted_run(tmp_path: Path) -> None:
    written = [(1, 8.0), (2, 7.0), (3, 6.0), (2, 7.5), (3, 6.5), (4, 6.0)]
    text = "".join(json.dumps({"current_steps": step, "total_steps": 4, "loss": loss}) + "\n" for step, loss in written)
    (tmp_path / losses.LOG).write_text(text + '{"current_steps": 4, "epoch": 1.0}\n{"current_st')
    found = losses.log_rows(tmp_path)
    assert [(row["current_steps"], row["loss"]) for row in found] == [(1, 8.0), (2, 7.5), (3, 6.5), (4, 6.0)]
    assert losses.loss_summary(found) == {"first": 8.0, "last": 6.0, "final": 6.0}
    assert losses.log_rows(tmp_path / "none") == []


def logged(*pairs: tuple[int, float]) -> list[dict[str, Any]]:
    return [{"current_steps": step, "total_steps": pairs[-1][0], "loss": loss} for step, loss in pairs]


@pytest.mark.parametrize(
    ("rows", "final"),
    [
        (logged(*[(step, float(step)) for step in range(1, 41)]), 38.5),  # steps 37 to 40
        (logged(*[(step, float(step)) for step in range(10, 101, 10)]), 100.0),  # steps 91 to 100 are one logged loss
        (logged((10, 9.0), (20, 5.0), (50, 2.0)), 2.0),  # a logged loss is the mean of the 30 steps before it
        (logged((48, 9.0), (49, 5.0), (50, 1.0)), (3 * 9 + 5 + 1) / 5),  # step 46 to 48 are in the first
        (logged((1, 3.0)), 3.0),
        (logged(*[(step, 1.0) for step in range(1, 90)], (100, 4.0)), 4.0),  # 1 of 90 rows, 10 of 100 steps
    ],
)
def test_the_final_loss_is_the_mean_of_the_last_tenth_of_the_steps(rows: list[dict[str, Any]], final: float) -> None:
    assert losses.loss_summary(rows)["final"] == pytest.approx(final, abs=1e-6)


def test_the_running_mean_by_hand() -> None:
    values = [float(n) for n in range(40)]
    smooth = losses.running_mean(values)
    assert smooth[20] == sum(values[18:23]) / 5
    assert (smooth[0], smooth[39]) == (sum(values[:3]) / 3, sum(values[37:]) / 3)  # the window ends where the values do
    assert losses.running_mean([2.0, 4.0]) == [2.0, 4.0]


@pytest.mark.parametrize("subsets", [2, 15])
def test_the_colour_is_the_subset_and_the_style_the_seed(subsets: int) -> None:
    rows = logged(*[(step, 8.0 - step % 7) for step in range(1, 101)])
    runs = [losses.Curve(f"subset{n}", seed, 1000 + n, rows) for seed in (1, 2) for n in range(subsets)]
    assert losses.curves("tiny, full", runs) == losses.curves("tiny, full", runs)
    figure = losses.drawn("tiny, full", runs)
    (plot,) = figure.axes
    assert plot.get_title() == f"Training loss: tiny, full, {2 * subsets} students"
    pale, strong = plot.lines[::2], plot.lines[1::2]
    assert [np.asarray(line.get_ydata()).tolist() for line in pale] == [[row["loss"] for row in rows]] * len(runs)
    assert [np.asarray(line.get_ydata()).tolist() for line in strong] == [
        losses.running_mean([row["loss"] for row in rows])
    ] * len(runs)
    colour = {(run.subset, line.get_color()) for run, line in zip(runs, strong, strict=True)}
    assert len(colour) == len({name for name, _ in colour}) == len({shade for _, shade in colour}) == subsets
    style = {(run.seed, line.get_linestyle()) for run, line in zip(runs, strong, strict=True)}
    assert style == {(1, "-"), (2, "--")}
    legend = plot.get_legend() or figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == [
        *[f"subset{n} (n = {1000 + n:,})" for n in range(subsets)],
        "seed 1",
        "seed 2",
    ]


def test_colours_differ_in_brightness() -> None:
    from matplotlib.colors import to_rgb

    for count in (1, 2, 5, 9, 15):
        found = losses.colours(count)
        assert len({to_rgb(one) for one in found}) == count
    many = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(to_rgb, losses.colours(15))]
    assert many == sorted(many)
