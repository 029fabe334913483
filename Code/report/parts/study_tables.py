"""study.csv and comparisons.csv of an evaluation, read back into numbers."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedkit.errors import InputError
from seedkit.sources import readable

SIGNIFICANT = 0.05
KNOWN = (
    "student", "rq", "source", "benchmark", "first", "second", "difference_points", "low", "high", "p", "p_holm", "df",
    "run_effect_points", "repeats_first", "repeats_second", "problems", "of", "role", "verdict", "low_90", "high_90",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReportedScore:
    """A subset on a benchmark: pass@1, its standard deviation over repeats and its interval, all fractions."""

    student: str
    rq: str
    source: str
    subset: str
    benchmark: str
    repeats: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    problems: int
    of: int
    final: bool
    isolated: bool


@dataclass(frozen=True, slots=True)
class ReportedPair:
    """Two subsets on a benchmark: second minus first in percentage points, and the further columns of the table."""

    student: str
    rq: str
    source: str
    benchmark: str
    first: str
    second: str
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    problems: int
    role: str  # primary or exploratory; empty in tables of earlier releases
    verdict: str  # of a primary contrast: different, equivalent or undecided
    low_90: float | None
    high_90: float | None
    more: Mapping[str, float | str]

    @property
    def group(self) -> tuple[str, str, str]:
        return self.student, self.rq, self.source

    @property
    def is_different(self) -> bool:
        """Whether the table says so: by its verdict, or by p after Holm's correction where it has none."""
        return self.verdict == "different" if self.verdict else self.p_holm is not None and self.p_holm < SIGNIFICANT

    @property
    def says(self) -> str:
        """What a reader may take from it."""
        if self.difference is None:
            return "no problem in common"
        if self.verdict:
            return self.verdict
        if self.p_holm is None:
            return "no p: too few repeats"
        return "different" if self.is_different else "not shown to differ"


def read_scores(path: Path, benchmarks: Sequence[str]) -> list[ReportedScore]:
    """Every subset on every benchmark that it has a score of. Raises InputError where the table is another one."""
    found = []
    for line in _lines(path, ("student", "rq", "source", "subset")):
        for name in benchmarks:
            cells = {
                what: line.get(f"{name}_{what}", "")
                for what in ("repeats", "pass@1", "sd", "low", "high", "problems", "of", "final", "isolated")
            }
            if cells["repeats"]:
                mean, sd, low, high = (_number(cells[what]) for what in ("pass@1", "sd", "low", "high"))
                marks = cells["final"] == "yes", cells["isolated"] == "yes"
                who = line["student"], line["rq"], line["source"], line["subset"]
                found.append(
                    ReportedScore(
                        *who,
                        name,
                        int(cells["repeats"]),
                        mean,
                        sd,
                        low,
                        high,
                        int(cells["problems"]),
                        int(cells["of"]),
                        *marks,
                    )
                )
    return found


def read_pairs(path: Path) -> list[ReportedPair]:
    """Every comparison. Raises InputError where the table is another one."""
    found = []
    for line in _lines(path, KNOWN[:11]):
        student, rq, source, benchmark, first, second = (line[what] for what in KNOWN[:6])
        difference, low, high, p, p_holm = (_number(line[what]) for what in KNOWN[6:11])
        more = {name: _number_or_text(value) for name, value in line.items() if name not in KNOWN}
        low_90, high_90 = (_number(line.get(what) or "") for what in ("low_90", "high_90"))
        found.append(
            ReportedPair(
                student, rq, source, benchmark, first, second, difference, low, high, p, p_holm, int(line["problems"]),
                line.get("role") or "", line.get("verdict") or "", low_90, high_90, more,
            )
        )  # fmt: skip
    return found


def _lines(path: Path, expected: Sequence[str]) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if absent := [name for name in expected if name not in (reader.fieldnames or [])]:
            raise InputError(
                f"{readable(str(path))}: expected the columns {', '.join(expected)}, got none called {', '.join(absent)}"
            )
        try:
            yield from reader
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"{readable(str(path))}: expected CSV, got {error}") from None


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _number_or_text(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell
