"""Figures: the same bytes for the same data, words that say what is shown, colours that a print without colours keeps."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from RQ1_complexity import complexity_scorer_steps
from RQ2_composition import task_classifier_steps
from RQ4_breadth import shares
from seedkit import figures
from seedkit.manifest import OutputFolder
from seedkit.partition import split
from seedkit.sources import readable

PNG = b"\x89PNG"


def lightness(colour: str) -> float:
    """L* of CIELAB, 0 (black) to 100 (white), from sRGB."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


def test_colours_differ_in_lightness() -> None:
    used = {figures.LIGHT, figures.MIDDLE, figures.DARK}
    assert {colour for _, colour, _ in figures.TERTILES} == used
    assert {colour for colour, _ in task_classifier_steps.LOOKS.values()} <= used
    assert all(abs(lightness(a) - lightness(b)) > 15 for a, b in combinations([*used, "#ffffff"], 2))
    assert len({marker for _, _, marker in figures.TERTILES}) == 3


@pytest.mark.parametrize("source", ["EVOL", "a$b$_{c", "x & <y>", "b\udcff"])
def test_a_figure_says_what_it_shows_and_is_the_same_twice(tmp_path: Path, source: str) -> None:
    values = np.random.default_rng(0).random((2, 3000))
    written = []
    for name in ("one", "two"):
        figure, plot = figures.axes(4, 3)
        figures.scatter_tertiles(plot, values[0], values[1], np.arange(3000) % 3 + 1)
        figures.titled(plot, "Points", source, 3000)
        with OutputFolder(tmp_path / name, "stage", figures.names("cloud"), sources=[]) as output:
            figures.write(output, "cloud", figure)
        written.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert written[0] == written[1]
    assert sorted(written[0]) == ["cloud.png", "cloud.svg"]
    assert written[0]["cloud.png"].startswith(PNG)
    svg = written[0]["cloud.svg"].decode()
    escaped = readable(source).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for words in ("Points", f"{escaped}, n = 3,000", "lower: 1,000 (33.3%)"):
        assert words in svg
    assert "<dc:date>" not in svg
    assert len(svg) < 200_000  # not a path for each point


def test_figures_of_tertiles_and_of_mixes() -> None:
    values = np.random.default_rng(1).random(99)
    tertiles = split("complexity", ("T1", "T2", "T3"), "scores.jsonl", values)
    columns = {"semantic": values * 5, "linguistic": 1 + values**9 * 1e5}
    histogram = figures.svg(complexity_scorer_steps._histogram("S", tertiles)).decode()
    scatter = figures.svg(complexity_scorer_steps._scatter("S", columns, tertiles)).decode()
    mixes = figures.svg(shares.chart("S", shares.plan(150, 3))).decode()
    for svg, total, words in (
        (histogram, 99, ("% of the records", "records", "higher: 33 (33.3%)")),
        (scatter, 99, ("linguistic: perplexity", "middle: 33 (33.3%)")),
        (mixes, 150, ("CODE 150 (100.0%)", "CODE 105 (70.0%), MATH 45 (30.0%)", "GENERAL 5 (3.3%)")),
    ):
        assert f"S, n = {total}" in svg
        assert all(word in svg for word in words)
    assert mixes.count("MATH 45 (30.0%)") == 1  # all draws of a mix are one bar
