"""What every chart is made of: SVG elements whose texts are escaped, axes with round ticks, and legends.

Lengths are pixels of a drawing that is WIDTH wide. A colour stands as an attribute, so that a drawing taken out of the page
keeps it, and as a class, by which the page's style sheet gives it another value on a dark background.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup, escape
from seedkit.figures import DARK, LIGHT, MIDDLE

from report.blocks import visible

WIDTH = 640
FONT = 12
CHARACTER = 6.4  # the width of a character of that size, about
# class and colour: the tertiles' of every figure of the study, then those of Okabe and Ito that are left
LOWER, MIDDLE_INK, HIGHER = INKS = (("lower", LIGHT), ("middle", MIDDLE), ("higher", DARK))
PLAIN = ("plain", "#0072B2")
GREY = ("grey", "#767676")
LINES = (
    ("line1", "#0072B2"), ("line2", "#D55E00"), ("line3", "#000000"), ("line4", "#009E73"), ("line5", "#CC79A7"),
    ("line6", "#E69F00"), ("line7", "#56B4E9"),
)  # fmt: skip
DASHES = ("", "6 3", "2 3", "8 3 2 3", "12 4")

Ink = tuple[str, str]  # class and colour
Look = tuple[Ink, str]  # and the pattern over it, "" for none
STRIPES, DOTS = "stripes", "dots"


def element(name: str, *children: object, **attributes: object) -> Markup:
    """An element; `class_` is class, other underscores are hyphens, and attributes of None are left out."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(number(value) if isinstance(value, float) else visible(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(child if isinstance(child, Markup) else escape(visible(str(child))) for child in children)
    return Markup(f"<{name}{told}>{inside}</{name}>" if inside else f"<{name}{told}/>")  # noqa: S704 - escaped above


def number(value: float) -> str:
    """A length with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def filled(ink: Ink) -> dict[str, str]:
    """The attributes of something that is filled with an ink."""
    return {"class_": f"fill-{ink[0]}", "fill": ink[1]}


def stroked(ink: Ink, width: float = 1.5) -> dict[str, object]:
    """The attributes of a line drawn with an ink."""
    return {"class_": f"stroke-{ink[0]}", "stroke": ink[1], "stroke_width": width, "fill": "none"}


def text(x: float, y: float, words: object, anchor: str = "start", **attributes: object) -> Markup:
    """A line of text whose baseline is at `y`."""
    return element("text", words, x=x, y=y, text_anchor=anchor if anchor != "start" else None, **attributes)


def measured(words: str) -> float:
    """About how wide a text is; no browser is asked, so wide letters count as wide everywhere."""
    return sum(
        CHARACTER * (0.6 if one in "iljtf.,:;|'()[] " else 1.45 if one in "mwMW@%" or ord(one) > 0x2E80 else 1.2)
        if not one.islower() or one in "iljtfmw"
        else CHARACTER
        for one in words
    )


def clipped(words: str, width: float) -> str:
    """The text, with an ellipsis in its middle where it would be wider: names differ at their ends."""
    keep = len(words)
    while keep > 2 and measured(words) > width:
        keep -= 1
        half = keep // 2
        shorter = f"{words[: keep - half]}…{words[-half:]}" if half else "…"
        if measured(shorter) <= width:
            return shorter
    return words


def drawing(
    key: str,
    title: str,
    description: str,
    height: float,
    *children: object,
    width: float = WIDTH,
    linked: bool = False,
) -> Markup:
    """A whole picture with its title and description for readers who do not see it; `linked` where it holds links."""
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", description, id=f"{key}-desc"),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        id=f"{key}-svg",
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=width,
        height=height,
        role="group" if linked else "img",
        aria_labelledby=f"{key}-title {key}-desc",
        font_size=FONT,
        font_family="system-ui, sans-serif",
        fill="#1b1b1b",
        class_="drawing" if width == WIDTH else "drawing wide",
    )


TERTILE_LOOKS: tuple[Look, ...] = ((LOWER, ""), (MIDDLE_INK, STRIPES), (HIGHER, ""))


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high` laid out from pixel `start` to pixel `end`, by their logarithms if `log`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value."""
        low, high, here = (self._scaled(one) for one in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (here - low) / ((high - low) or 1.0)

    def _scaled(self, value: float) -> float:
        return math.log10(max(value, 1e-12)) if self.log else value

    def ticks(self, count: int = 6) -> list[float]:
        """About `count` round values inside the axis."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            steps = (1,) if last - first > 3 else (1, 2, 5)
            found = [step * 10.0**power for power in range(first, last + 1) for step in steps]
            return [value for value in found if self.low <= value <= self.high]
        span = (self.high - self.low) or 1.0
        step = 10.0 ** math.floor(math.log10(span / count))
        step = next(step * factor for factor in (1, 2, 5, 10) if span / (step * factor) <= count)
        first = math.ceil(self.low / step - 1e-9)
        return [round((first + n) * step, 12) + 0.0 for n in range(int((self.high - first * step) / step + 1e-9) + 1)]


def padded(values: Iterable[float], share: float = 0.04) -> tuple[float, float]:
    """The least and the largest value with some room beyond."""
    known = list(values)
    low, high = min(known), max(known)
    room = (high - low) * share or abs(high) * share or 1.0
    return low - room, high + room


def x_axis(axis: Axis, y: float, label: str, top: float | None = None) -> Markup:
    """A horizontal axis at `y` with ticks and a label below; with grid lines up to `top`."""
    marks = []
    for value in axis.ticks():
        x = axis.at(value)
        if top is not None:
            marks.append(element("path", d=f"M{number(x)} {number(top)}V{number(y)}", class_="grid", stroke="#dddddd"))
        marks.append(element("path", d=f"M{number(x)} {number(y)}v4", class_="frame", stroke="#555555"))
        marks.append(text(x, y + 17, f"{value:,.10g}", "middle"))
    line = f"M{number(axis.start)} {number(y)}H{number(axis.end)}"
    marks.append(element("path", d=line, class_="frame", stroke="#555555"))
    marks.append(text((axis.start + axis.end) / 2, y + 35, label, "middle"))
    return element("g", *marks)


def y_axis(axis: Axis, x: float, label: str, right: float) -> Markup:
    """A vertical axis at `x` with ticks, grid lines up to `right` and a label that is turned."""
    marks = []
    for value in axis.ticks(5):
        y = axis.at(value)
        marks.append(element("path", d=f"M{number(x)} {number(y)}H{number(right)}", class_="grid", stroke="#dddddd"))
        marks.append(text(x - 6, y + 4, f"{value:,.10g}", "end"))
    middle = (axis.start + axis.end) / 2
    marks.append(text(14, middle, label, "middle", transform=f"rotate(-90 14 {number(middle)})"))
    return element("g", *marks)


def mark(shape: str, x: float, y: float, size: float) -> str:
    """The path of a marker: a circle o, a triangle ^ or a square s around a point."""
    if shape == "o":
        return f"M{number(x - size)} {number(y)}a{number(size)} {number(size)} 0 1 0 {number(2 * size)} 0a{number(size)} {number(size)} 0 1 0 {number(-2 * size)} 0"
    if shape == "^":
        return (
            f"M{number(x)} {number(y - 1.2 * size)}l{number(1.15 * size)} {number(2.1 * size)}h{number(-2.3 * size)}z"
        )
    return f"M{number(x - 0.9 * size)} {number(y - 0.9 * size)}h{number(1.8 * size)}v{number(1.8 * size)}h{number(-1.8 * size)}z"


def patterns(key: str) -> Markup:
    """Stripes and dots that can be laid over a fill, so that colour is not the only sign."""
    stripe = element("path", d="M0 6L6 0", stroke="#ffffff", stroke_width=1.4, class_="stripe")
    dot = element("circle", cx=3, cy=3, r=1.3, fill="#ffffff", class_="dot")
    found = [
        element("pattern", inside, id=f"{key}-{name}", width=6, height=6, patternUnits="userSpaceOnUse")
        for name, inside in ((STRIPES, stripe), (DOTS, dot))
    ]
    return element("defs", *found)


def box(x: float, y: float, width: float, height: float, key: str, look: Look) -> Markup:
    """A filled rectangle of the drawing `key`, with a pattern over it where its look has one."""
    ink, pattern = look
    corner = {"x": x, "y": y, "width": width, "height": height}
    plain = element("rect", **corner, **filled(ink))
    return plain + element("rect", **corner, fill=f"url(#{key}-{pattern})") if pattern else plain


def legend(x: float, y: float, entries: Sequence[tuple[Markup, str]], right: float = WIDTH) -> tuple[Markup, float]:
    """Signs with their words beside each other, wrapped at `right`; returns them and the height that they take.

    A sign is drawn around the origin.
    """
    placed, here, line = [], x, y
    for sign, words in entries:
        width = 30 + measured(words)
        if here > x and here + width > right:
            here, line = x, line + 18
        placed.append(element("g", sign, text(12, 4, words), transform=f"translate({number(here + 8)} {number(line)})"))
        here += width
    return element("g", *placed), line - y + 18


def joined(groups: Iterable[Iterable[Markup]]) -> list[Markup]:
    """The elements of all groups."""
    return list(chain.from_iterable(groups))
