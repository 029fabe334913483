"""The lineage: what was made of what, as boxes in columns with arrows between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from report.charts.svg import WIDTH, clipped, drawing, element, number, text

GAP = 44  # between columns, for the arrows
LINE = 15
FOLD = 12  # boxes of a column that are drawn


@dataclass(frozen=True, slots=True)
class Node:
    """A box: its key, column (0 for the seeds), words, the part of the page that it leads to, and what it was made from."""

    key: str
    column: int
    lines: Sequence[str]
    link: str
    parents: Sequence[str]


def lineage(key: str, title: str, description: str, nodes: Sequence[Node], columns: Sequence[str]) -> Markup:
    """Boxes under the names of their columns, each a link, with an arrow from everything that it was made from."""
    width = (WIDTH - 8 - GAP * (len(columns) - 1)) / len(columns)
    place: dict[str, tuple[float, float, float]] = {}  # left, top, height
    below = [30.0] * len(columns)
    for node in nodes:
        height = LINE * len(node.lines) + 12.0
        place[node.key] = (4 + node.column * (width + GAP), below[node.column], height)
        below[node.column] += height + 12
    total = max(below)
    for node in nodes:  # a short column stands in the middle
        left, top, height = place[node.key]
        place[node.key] = (left, top + (total - below[node.column]) / 2, height)
    arrows, boxes = [], []
    for node in nodes:
        left, top, height = place[node.key]
        for parent in node.parents:
            if parent in place:
                start, high, tall = place[parent]
                x0, y0, x1, y1 = start + width, high + tall / 2, left, top + height / 2
                bend = (x1 - x0) / 2
                path = f"M{number(x0)} {number(y0)}C{number(x0 + bend)} {number(y0)} {number(x1 - bend)} {number(y1)} {number(x1)} {number(y1)}"
                head = f"M{number(x1 - 6)} {number(y1 - 3.5)}L{number(x1)} {number(y1)}L{number(x1 - 6)} {number(y1 + 3.5)}"
                arrows.append(
                    element("path", d=path + head, class_="frame", stroke="#555555", fill="none", stroke_width=1.2)
                )
        words = [
            text(left + 8, top + 17 + line * LINE, clipped(told, width - 10), font_weight="bold" if line == 0 else None)
            for line, told in enumerate(node.lines)
        ]
        frame = element(
            "rect", x=left, y=top, width=width, height=height, rx=4, class_="node", fill="#eef4fa", stroke="#3a6ea5"
        )
        boxes.append(element("a", element("title", "\n".join(node.lines)), frame, *words, href=node.link))
    heads = [
        text(4 + number_ * (width + GAP), 16, name, font_weight="bold", class_="head")
        for number_, name in enumerate(columns)
    ]
    return drawing(key, title, description, total + 4, *heads, *arrows, *boxes, linked=True)
