"""Estimates with their 95% intervals: dot plots of scores, and forest plots of differences."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from report.charts.svg import (
    GREY,
    HIGHER,
    PLAIN,
    WIDTH,
    Axis,
    clipped,
    drawing,
    element,
    filled,
    mark,
    measured,
    number,
    text,
    x_axis,
)

ROW = 22


@dataclass(frozen=True, slots=True)
class Estimate:
    """A row: its name, the estimate and the ends of its interval, None where there is none, and the words behind it.

    `strong` rows are drawn as filled squares and dark, the others as circles; a row without an estimate is a heading.
    """

    name: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    words: str = ""
    strong: bool = False


def estimates(
    key: str, title: str, description: str, rows: Sequence[Estimate], label: str, *, zero: bool = False, room: int = 120
) -> Markup:
    """A dot for each estimate with its interval as a line; with a line at `zero` where differences are shown."""
    left = min(250.0, 20 + max((measured(row.name) for row in rows if row.words), default=0.0))
    known = [end for row in rows for end in (row.value, row.low, row.high) if end is not None]
    known += [0.0]
    low, high = min(known), max(known)
    space = (high - low) * 0.06 or 1.0
    x = Axis(low - (space if low < 0 else 0.0), high + space, left, WIDTH - room)
    top = 8.0
    bottom = top + len(rows) * ROW + 4
    marks = []
    if zero:
        place = number(x.at(0.0))
        marks.append(
            element("path", d=f"M{place} {top}V{number(bottom)}", class_="frame", stroke="#555555", stroke_width=1.5)
        )
    for line, row in enumerate(rows):
        y = top + line * ROW + ROW / 2
        if row.value is None and not row.words:
            marks.append(text(8, y + 4, clipped(row.name, WIDTH - 20), font_weight="bold"))
            continue
        marks.append(text(left - 10, y + 4, clipped(row.name, left - 12), "end"))
        marks.append(text(WIDTH - room + 8, y + 4, row.words))
        if row.value is None:
            continue
        ink = HIGHER if row.strong else PLAIN
        inside = [element("title", f"{row.name}: {row.words}")]
        if row.low is not None and row.high is not None:
            ends = f"M{number(x.at(row.low))} {number(y)}H{number(x.at(row.high))}"
            caps = "".join(f"M{number(x.at(end))} {number(y - 4)}v8" for end in (row.low, row.high))
            inside.append(element("path", d=ends + caps, class_=f"stroke-{ink[0]}", stroke=ink[1], stroke_width=1.6))
        else:
            ink = GREY
        inside.append(element("path", d=mark("s" if row.strong else "o", x.at(row.value), y, 4.2), **filled(ink)))
        marks.append(element("g", *inside))
    return drawing(key, title, description, bottom + 44, x_axis(x, bottom, label, top), *marks)
