"""The lineage: what was made of what, as boxes in columns with arrows between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from report.charts.svg import WIDTH, clipped, drawing, element, number, text

ROOM, BOLD_ROOM = 160.0, 146.0  # for a line of text in a box; bold letters are wider than svg.measured says
BOX, GAP = 176.0, 40.0  # the width of a box, and the room between columns for the arrows
LINE = 15
HEAD = 7  # the length of an arrow's head


@dataclass(frozen=True, slots=True)
class LineageBox:
    """A box: its key, column (from 0), words, the part of the page that it leads to, and what it was made from."""

    key: str
    column: int
    lines: Sequence[str]
    link: str
    parents: Sequence[str]


def lineage(key: str, title: str, description: str, nodes: Sequence[LineageBox], columns: Sequence[str]) -> Markup:
    """Boxes under the names of their columns, each a link, with an arrow from everything that it was made from."""
    width = 8 + BOX * len(columns) + GAP * (len(columns) - 1)
    place: dict[str, tuple[float, float, float]] = {}  # left, top, height
    below = [30.0] * len(columns)
    for node in nodes:
        height = LINE * len(node.lines) + 12.0
        place[node.key] = (4 + node.column * (BOX + GAP), below[node.column], height)
        below[node.column] += height + 16
    total = max(below)
    for node in nodes:  # a short column stands in the middle
        left, top, height = place[node.key]
        place[node.key] = (left, top + (total - below[node.column]) / 2, height)
    arrows, boxes = [], []
    for node in nodes:
        left, top, height = place[node.key]
        for parent in node.parents:
            if parent in place:
                arrows.append(_arrow(place[parent], (left, top, height)))
        words = [
            text(
                left + 8,
                top + 17 + line * LINE,
                clipped(told, ROOM if line else BOLD_ROOM),
                font_weight="bold" if line == 0 else None,
            )
            for line, told in enumerate(node.lines)
        ]
        corner = {"x": left, "y": top, "width": BOX, "height": height}
        frame = element("rect", **corner, rx=4, class_="node", fill="#eef4fa", stroke="#3a6ea5")
        boxes.append(element("a", element("title", "\n".join(node.lines)), frame, *words, href=node.link))
    heads = [text(4 + place_ * (BOX + GAP), 16, name, font_weight="bold") for place_, name in enumerate(columns)]
    return drawing(key, title, description, total + 4, *heads, *arrows, *boxes, width=max(width, WIDTH), linked=True)


def _arrow(source: tuple[float, float, float], target: tuple[float, float, float]) -> Markup:
    """A bent line from the right side of a box to the left side of another, or down to one in the same column.

    Its head ends before the box. A line that passes behind a column is dashed.
    """
    if source[0] == target[0]:
        x, y0, y1 = source[0] + BOX / 2, source[1] + source[2], target[1] - 2
        path, head = f"M{number(x)} {number(y0)}V{number(y1 - HEAD)}", f"M{number(x)} {number(y1)}l-3.5 {-HEAD}h7z"
    else:
        x0, y0 = source[0] + BOX, source[1] + source[2] / 2
        x1, y1 = target[0] - 2, target[1] + target[2] / 2
        end, bend = x1 - HEAD, (x1 - HEAD - x0) / 2
        path = f"M{number(x0)} {number(y0)}C{number(x0 + bend)} {number(y0)} {number(end - bend)} {number(y1)} {number(end)} {number(y1)}"
        head = f"M{number(x1)} {number(y1)}l{-HEAD} -3.5v7z"
    line = element(
        "path",
        d=path,
        class_="frame",
        stroke="#555555",
        fill="none",
        stroke_width=1.2,
        stroke_dasharray="5 4" if target[0] - source[0] > BOX + GAP + 1 else None,
    )
    return line + element("path", d=head, class_="head", fill="#555555")
