"""What a page is made of: tables, pictures with their tables, and texts of records. Plain data, and how it is written."""

import csv
import io
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

SHOWN = 1200  # characters of a text that the page shows
# what a browser would act on instead of showing it: characters that turn the direction of what follows, and that have no width
TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}
UNSEEN = {0x200B, *range(0x2060, 0x2065), 0xFEFF, *range(0xE0000, 0xE0080)}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and how its values are written.

    `kind` is text, count, percent (a fraction written as percent), points (signed percentage points), p (a p-value), value
    (four significant digits), or a number of decimals.
    """

    name: str
    kind: str | int = "text"

    @property
    def numeric(self) -> bool:
        return self.kind != "text"

    def shown(self, value: Any) -> str:
        """A value as the page and its copies for a paper show it; nothing for None."""
        if value is None or value == "":
            return ""
        if isinstance(self.kind, int):
            return f"{value:,.{self.kind}f}"
        if self.kind == "count":
            return f"{value:,}"
        if self.kind == "value":
            return significant(value)
        if self.kind == "percent":
            return f"{100 * value:.1f}"
        if self.kind == "points":
            return f"{value + 0.0:+.1f}"
        if self.kind == "p":
            return "<0.0001" if value < 0.0001 else f"{value:.4f}"
        return visible(str(value))


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table; `copies` where it is one that a paper may want as LaTeX, Markdown and CSV.

    Columns in which no row has a value are left out.
    """

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    copies: bool = False

    def __post_init__(self) -> None:
        """Leave out columns in which no row has a value."""
        kept = [place for place in range(len(self.columns)) if any(row[place] not in (None, "") for row in self.rows)]
        if self.rows and len(kept) < len(self.columns):
            object.__setattr__(self, "columns", [self.columns[place] for place in kept])
            object.__setattr__(self, "rows", [[row[place] for place in kept] for row in self.rows])

    def shown(self) -> list[list[str]]:
        """The rows as they are written."""
        return [[column.shown(value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows]

    def csv(self) -> str:
        """The table as CSV, values as they are."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(column.name for column in self.columns)
        writer.writerows(["" if value is None else visible(str(value)) for value in row] for row in self.rows)
        return file.getvalue()

    def markdown(self) -> str:
        """The table as Markdown, values as the page shows them."""
        rule = ["--:" if column.numeric else "---" for column in self.columns]
        lines = [[column.name for column in self.columns], rule, *self.shown()]
        return "".join("| " + " | ".join(_piped(cell) for cell in line) + " |\n" for line in lines)

    def latex(self) -> str:
        """The table as a tabular of the booktabs package, values as the page shows them."""
        where = "".join("r" if column.numeric else "l" for column in self.columns)
        head, *body = [
            " & ".join(_tex(cell) for cell in line) + r" \\" for line in ([c.name for c in self.columns], *self.shown())
        ]
        lines = [rf"\begin{{tabular}}{{{where}}}", r"\toprule", head, r"\midrule", *body, r"\bottomrule"]
        return "\n".join([*lines, r"\end{tabular}", ""])


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing and the numbers that it shows."""

    key: str
    caption: str
    svg: Markup
    table: DataTable


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text that somebody else wrote, such as an instruction, with what is said of it."""

    heading: str
    text: str

    @property
    def shown(self) -> str:
        """The text as the page shows it: its beginning, and how much is left out."""
        if len(self.text) <= SHOWN:
            return visible(self.text)
        return f"{visible(self.text[:SHOWN])} … and {len(self.text) - SHOWN:,} more characters"


@dataclass(slots=True)
class PagePart:
    """A section of the page. `template` is the file that lays it out, and `data` what that shows beside the common head."""

    template: str
    key: str
    title: str
    folder: str
    command: str
    notes: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageData:
    """All that the page shows."""

    title: str
    lineage: Picture
    flow: Picture | None
    parts: Sequence[PagePart]
    methods: Sequence[str]
    models: DataTable
    versions: DataTable


def significant(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, or all of those before its point."""
    before = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{max(0, digits - 1 - before)}f}"


def visible(text: str) -> str:
    """The text without characters that are not seen or turn others around: each is written as its number."""
    return "".join(_escaped(one) if _hidden(one) else one for one in text) if not text.isprintable() else text


def _hidden(one: str) -> bool:
    return one not in "\n\t" and (
        ord(one) in TURNING or ord(one) in UNSEEN or unicodedata.category(one) in ("Cc", "Cs", "Co", "Cn")
    )


def _escaped(one: str) -> str:
    return f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}"


def _piped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _tex(cell: str) -> str:
    special = {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "\n": " ",
    }  # fmt: skip
    return "".join(special.get(one, one) for one in cell)
