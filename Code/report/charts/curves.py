"""Curves: a value by step, a line for each run."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from report.charts.svg import (
    DASHES,
    INKS,
    LINES,
    WIDTH,
    Axis,
    Ink,
    drawing,
    element,
    legend,
    number,
    padded,
    stroked,
    x_axis,
    y_axis,
)

LEFT, RIGHT = 58, WIDTH - 14


@dataclass(frozen=True, slots=True)
class Line:
    """A run: the group that gives it a colour and dashes, and its points, (step, value)."""

    name: str
    group: str
    tertile: int | None  # of the group, where it is one, so that it looks as in the other charts
    points: Sequence[tuple[float, float]]


def curves(key: str, title: str, description: str, lines: Sequence[Line], labels: tuple[str, str]) -> Markup:
    """All lines in one frame; a colour and a kind of dashes for each group."""
    groups = list(dict.fromkeys(line.group for line in lines))
    looks = {
        group: {**stroked(_ink(lines, group, place), 1.6), "stroke_dasharray": DASHES[place % len(DASHES)] or None}
        for place, group in enumerate(groups)
    }
    entries = []
    for group in groups:
        count = sum(line.group == group for line in lines)
        sign = element("path", d="M-10 0H8", **looks[group])
        entries.append((sign, group if count == 1 else f"{group}, {count} runs"))
    words, space = legend(LEFT, 12, entries)
    top, bottom = space + 8, space + 258
    x = Axis(0.0, max(step for line in lines for step, _ in line.points), LEFT, RIGHT)
    y = Axis(*padded(value for line in lines for _, value in line.points), bottom, top)
    drawn = []
    for line in lines:
        path = "".join(
            f"{'L' if place else 'M'}{number(x.at(step))} {number(y.at(value))}"
            for place, (step, value) in enumerate(line.points)
        )
        drawn.append(element("path", element("title", line.name), d=path, **looks[line.group]))
    return drawing(
        key,
        title,
        description,
        bottom + 44,
        words,
        y_axis(y, LEFT, labels[1], RIGHT),
        *drawn,
        x_axis(x, bottom, labels[0]),
    )


def _ink(lines: Sequence[Line], group: str, place: int) -> Ink:
    """The colour of a group: a tertile's own, else the next in turn."""
    tertile = next(line.tertile for line in lines if line.group == group)
    return LINES[place % len(LINES)] if tertile is None else INKS[tertile - 1]
