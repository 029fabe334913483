"""Bars: one number for each name, or the parts that a whole is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from report.charts.svg import (
    DOTS,
    GREY,
    LOWER,
    MIDDLE_INK,
    PLAIN,
    STRIPES,
    TERTILE_LOOKS,
    WIDTH,
    Axis,
    Look,
    box,
    clipped,
    drawing,
    element,
    legend,
    measured,
    patterns,
    text,
    x_axis,
)

ROW, THICK = 24, 16
# a part of a whole is told from its neighbours by colour and by pattern
LOOKS: tuple[Look, ...] = (
    (PLAIN, ""), (MIDDLE_INK, STRIPES), (("line4", "#009E73"), DOTS), (("line6", "#E69F00"), ""),
    (("line5", "#CC79A7"), STRIPES), (LOWER, DOTS), (GREY, ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its name, the numbers of its parts in the order of the legend, and the words behind it.

    `tertile` is 1 to 3 where it is the bar of a tertile, which looks as in the other charts.
    """

    name: str
    parts: Sequence[float]
    words: str
    tertile: int | None = None


def bars(
    key: str,
    title: str,
    description: str,
    rows: Sequence[Bar],
    parts: Sequence[str],
    label: str,
    *,
    room: int = 150,
    looks: Sequence[Look] = LOOKS,
) -> Markup:
    """Horizontal bars, stacked where there are several `parts`, whose names are in a legend; `room` is for the words."""
    left = min(260.0, 16 + max(measured(row.name) for row in rows))
    shown = [looks[number % len(looks)] if len(parts) > 1 else (PLAIN, "") for number in range(len(parts))]
    words, space = Markup(""), 0.0
    if len(parts) > 1:
        signs = [box(-6, -6, 12, 12, key, look) for look in shown]
        words, space = legend(8, 12, list(zip(signs, parts, strict=True)))
    x = Axis(0.0, max(sum(row.parts) for row in rows) or 1.0, left, WIDTH - room)
    top = space + 6
    marks = []
    for place, row in enumerate(rows):
        y, begin, inside = top + place * ROW, 0.0, []
        for look, part in zip(_own(row, shown), row.parts, strict=True):
            if part:
                start, end = x.at(begin), x.at(begin + part)
                inside.append(box(start, y + 4, max(0.6, end - start), THICK, key, look))
                begin += part
        told = "; ".join(f"{name} {part:,.10g}" for name, part in zip(parts, row.parts, strict=True))
        marks.append(element("g", element("title", f"{row.name}: {told}"), *inside))
        marks.append(text(left - 8, y + 16, clipped(row.name, left - 12), "end"))
        marks.append(text(x.at(begin) + 6, y + 16, row.words))
    bottom = top + len(rows) * ROW + 4
    return drawing(key, title, description, bottom + 44, patterns(key), words, x_axis(x, bottom, label, top), *marks)


def _own(row: Bar, shown: Sequence[Look]) -> Sequence[Look]:
    return shown if row.tertile is None else TERTILE_LOOKS[row.tertile - 1 : row.tertile]
