"""The cells of study.md's tables: figures in percent and points, with nothing where there is no value."""

from collections.abc import Sequence

from evaluation.metrics.intervals import Interval
from evaluation.study.table import SubsetRow


def labels(row: SubsetRow) -> tuple[str, ...]:
    """GROUP and the subset of a row."""
    return row.model, row.rq, row.source, row.subset


def number(value: float | None, factor: float, sign: str = "") -> str:
    if value is None:
        return ""
    rounded = round(value * factor, 1)
    return f"{rounded:{sign}.1f}" if rounded else "0.0"


def whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def interval_text(ends: Interval | None, factor: float) -> str:
    return "" if ends is None else f"{number(ends.low, factor)} to {number(ends.high, factor)}"


def p_text(value: float | None) -> str:
    return "" if value is None else "<0.0001" if value < 0.0001 else f"{value:.4f}"


def table(header: Sequence[str], lines: Sequence[Sequence[str]], left: int) -> str:
    rule = ["---"] * left + ["--:"] * (len(header) - left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *lines))
