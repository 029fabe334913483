"""Figures as PNG and SVG, the same bytes for the same data.

Colours are of Okabe and Ito (https://jfly.uni-koeln.de/color), chosen so that they differ in lightness too: they can be told
apart with any colour vision and in a print without colours.
"""

from io import BytesIO, StringIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedkit.manifest import OutputFolder
from seedkit.sources import readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIGHT, MIDDLE, DARK = "#56B4E9", "#D55E00", "#000000"  # sky blue, vermilion, black
TERTILES = (("lower", LIGHT, "o"), ("middle", MIDDLE, "^"), ("higher", DARK, "s"))  # name, colour, marker
DPI = 150


def axes(width: float, height: float) -> tuple["Figure", "Axes"]:
    """An empty figure, `width` by `height` inches, and its axes; no screen is needed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    plot = figure.add_subplot()
    plot.spines[["top", "right"]].set_visible(False)
    return figure, plot


def titled(plot: "Axes", title: str, source: str, count: int) -> None:
    """Write above the axes what they show, of which source, and of how many records."""
    plot.set_title(f"{title}\n{readable(source)}, n = {count:,}", parse_math=False)


def counted(count: int, total: int) -> str:
    """A count and its share of the total, as labels show them."""
    return f"{count:,} ({count / max(1, total):.1%})"


def scatter_tertiles(plot: "Axes", x: NDArray[np.float64], y: NDArray[np.float64], tertile: NDArray[np.int64]) -> None:
    """A point for each of the n records, marked by its tertile (1 to 3), with the legend; all arrays are (n,)."""
    size = float(np.clip(20_000 / len(x), 1, 20))
    for number, (name, colour, marker) in enumerate(TERTILES, 1):
        chosen = tertile == number
        label = f"{name}: {counted(int(chosen.sum()), len(x))}"
        plot.scatter(
            x[chosen], y[chosen], s=size, c=colour, marker=marker, alpha=0.6, linewidths=0, label=label, rasterized=True
        )
    plot.legend(markerscale=max(1, (20 / size) ** 0.5), frameon=False)


def png(figure: "Figure") -> bytes:
    """The figure as a PNG file, without the library's version or a date.

    Its canvas draws it once; `savefig` draws twice, for a box that nothing here asks for.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def svg(figure: "Figure") -> bytes:
    """The figure as an SVG file, without the library's version or a date.

    Words are text that can be searched; clouds of points are a picture inside it.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = StringIO()
    with rc_context({"svg.hashsalt": "seedkit", "svg.fonttype": "none"}):  # ids of the same figure are the same
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    return buffer.getvalue().encode()


def names(*stems: str) -> list[str]:
    """The files of figures: STEM.png and STEM.svg of each."""
    return [f"{stem}.{form}" for stem in stems for form in ("png", "svg")]


def write(folder: OutputFolder, stem: str, figure: "Figure") -> None:
    """Write both files of a figure."""
    for name, data in zip(names(stem), (png(figure), svg(figure)), strict=True):
        folder.write_bytes(name, data)
