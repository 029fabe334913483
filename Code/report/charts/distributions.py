"""How scores are distributed: histograms by tertile, and clouds of points over a map of how many there are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from seedkit.figures import TERTILES

from report.charts.svg import (
    INKS,
    TERTILE_LOOKS,
    WIDTH,
    Axis,
    box,
    drawing,
    element,
    filled,
    legend,
    mark,
    number,
    padded,
    patterns,
    text,
    x_axis,
    y_axis,
)

ROOM = 120  # for the words of a border
LEFT, RIGHT = 58, WIDTH - 14
BINS = (8, 40)  # least and most
GRID = (46, 34)  # cells of the map under a cloud
SHADES = 5  # of them, by the logarithm of how many records are in a cell
SIGNS = tuple(sign for _, _, sign in TERTILES)


@dataclass(frozen=True, slots=True)
class Binned:
    """A histogram as numbers: `edges` (k + 1,) and for each tertile its `counts` (3, k)."""

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]


def binned(values: NDArray[np.float64], tertile: NDArray[np.int64], *, log: bool = False) -> Binned:
    """Counts of the values (n,) by bin and tertile (n,) from 1 to 3; bins of equal ratios if `log`, else of equal widths."""
    low, high = float(values.min()), float(values.max())
    fine = np.histogram_bin_edges(np.log(values) if log else values, "fd")  # the rule of Freedman and Diaconis
    count = int(np.clip(len(fine) - 1, *BINS))
    edges = np.geomspace(low, high, count + 1) if log else np.linspace(low, high, count + 1)
    edges[0], edges[-1] = low, high  # as they are, not a last digit beside
    counts = [np.histogram(values[tertile == number], edges)[0] for number in (1, 2, 3)]
    return Binned(edges, np.array(counts, dtype=np.int64))


def histogram(
    key: str,
    title: str,
    description: str,
    data: Binned,
    label: str,
    borders: Sequence[float] = (),
    *,
    log: bool = False,
) -> Markup:
    """Stacked bars by tertile; `borders` between tertiles are dashed lines."""
    totals = data.counts.sum(axis=1)
    entries = [
        (box(-6, -6, 12, 12, key, look), f"{name} tertile, n = {count:,}")
        for look, (name, _, _), count in zip(TERTILE_LOOKS, TERTILES, totals.tolist(), strict=True)
    ]
    words, space = legend(LEFT, 12, entries)
    top = space + (40.0 if borders else 10.0)
    bottom = space + 270.0
    x = Axis(float(data.edges[0]), float(data.edges[-1]), LEFT, RIGHT, log)
    y = Axis(0.0, float(data.counts.sum(axis=0).max()) * 1.05, bottom, top)
    bars = []
    for column, (start, end) in enumerate(zip(data.edges[:-1].tolist(), data.edges[1:].tolist(), strict=True)):
        base, inside = 0, []
        for look, count in zip(TERTILE_LOOKS, data.counts[:, column].tolist(), strict=True):
            if count:
                high, low = y.at(base + count), y.at(base)
                width = max(0.5, x.at(end) - x.at(start) - 0.6)
                inside.append(box(x.at(start), high, width, low - high, key, look))
                base += count
        if inside:
            told = f"{start:.4g} to {end:.4g}: {base:,} records"
            bars.append(element("g", element("title", told), *inside))
    lines = _borders(borders, x, top, bottom)
    frame = [y_axis(y, LEFT, "records", RIGHT), *bars, *lines, x_axis(x, bottom, label)]
    return drawing(key, title, description, bottom + 44, patterns(key), words, *frame)


def _borders(borders: Sequence[float], x: Axis, top: float, bottom: float) -> list[Markup]:
    """Dashed lines where the second and the third tertile begin, with words beside their upper ends."""
    lines = []
    decimals = max(2, 2 - math.floor(math.log10((x.high - x.low) or 1.0)))
    for place, (value, (name, _, _)) in enumerate(zip(borders, TERTILES[1:], strict=False)):
        here, high = x.at(value), top - 27 + 14 * place
        dashes = {"stroke": "#555555", "class_": "frame", "stroke_dasharray": "4 3"}
        lines.append(element("path", d=f"M{number(here)} {number(high - 8)}V{number(bottom)}", **dashes))
        room = here - x.start > ROOM, x.end - here > ROOM
        side = -1 if (place == 0 and room[0]) or not room[1] else 1
        lines.append(
            text(here + 5 * side, high + 2, f"{name} from {value:.{decimals}f}", "start" if side > 0 else "end")
        )
    return lines


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points for a chart: all of them (n,) with their tertile, and those that are drawn one by one, with their texts."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    tertile: NDArray[np.int64]
    drawn: NDArray[np.int64]  # indices
    texts: Sequence[str]  # of the drawn; empty where none is shown


def cloud(
    key: str, title: str, description: str, data: Cloud, labels: tuple[str, str], *, log_y: bool = False
) -> Markup:
    """The drawn points by tertile, over cells whose shade says how many of all points are there."""
    names = [(name, sign, int((data.tertile[data.drawn] == n).sum())) for n, (name, _, sign) in enumerate(TERTILES, 1)]
    entries = [
        (element("path", d=mark(sign, 0, 0, 5), **filled(ink)), f"{name} tertile, {count:,} drawn")
        for ink, (name, sign, count) in zip(INKS, names, strict=True)
    ]
    words, space = legend(LEFT, 12, entries)
    top, bottom = space + 10.0, space + 410.0
    x = Axis(*padded(data.x), LEFT, RIGHT)
    low, high = (float(data.y.min()) / 1.1, float(data.y.max()) * 1.1) if log_y else padded(data.y)
    y = Axis(low, high, bottom, top, log_y)
    cells = _cells(data, x, y) if len(data.x) > len(data.drawn) else []
    points = []
    size = 2.4 if len(data.drawn) > 400 else 3.5
    for place, index in enumerate(data.drawn.tolist()):
        third = int(data.tertile[index]) - 1
        path = mark(SIGNS[third], x.at(float(data.x[index])), y.at(float(data.y[index])), size)
        told = [element("title", data.texts[place])] if data.texts else []
        points.append((third, path, told))
    marks = []
    for third, ink in enumerate(INKS):
        own = [(path, told) for number, path, told in points if number == third]
        if data.texts:
            inside: list[Markup] = [element("path", *told, d=path) for path, told in own]
        else:
            inside = [element("path", d="".join(path for path, _ in own))] if own else []
        marks.append(element("g", *inside, **filled(ink), fill_opacity="0.75"))
    frame = [y_axis(y, LEFT, labels[1], RIGHT), *cells, *marks, x_axis(x, bottom, labels[0])]
    return drawing(key, title, description, bottom + 44, words, *frame)


def _cells(data: Cloud, x: Axis, y: Axis) -> list[Markup]:
    """Grey cells, darker where more records are."""
    vertical = np.log10(data.y) if y.log else data.y
    low, high = (np.log10(y.low), np.log10(y.high)) if y.log else (y.low, y.high)
    counts, _, _ = np.histogram2d(data.x, vertical, GRID, ((x.low, x.high), (low, high)))
    width, height = (x.end - x.start) / GRID[0], (y.start - y.end) / GRID[1]
    shade = np.ceil(np.log1p(counts) / np.log1p(counts.max()) * SHADES).astype(int)
    groups = []
    for level in range(1, SHADES + 1):
        places = np.argwhere(shade == level).tolist()
        path = "".join(
            f"M{number(x.start + column * width)} {number(y.start - (row + 1) * height)}h{number(width)}v{number(height)}h{number(-width)}z"
            for column, row in places
        )
        if path:
            opacity = f"{0.08 * level:.2f}"
            groups.append(element("path", d=path, fill="#777777", class_="cell", fill_opacity=opacity))
    return groups
