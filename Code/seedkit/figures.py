"""Figures as PNG bytes, the same bytes for the same data."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def axes(width: float, height: float) -> tuple["Figure", "Axes"]:
    """An empty figure, `width` by `height` inches, and its axes; no screen is needed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    plot = figure.add_subplot()
    plot.spines[["top", "right"]].set_visible(False)
    return figure, plot


def png(figure: "Figure") -> bytes:
    """The figure as a PNG file, without the library's version or a date."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()
