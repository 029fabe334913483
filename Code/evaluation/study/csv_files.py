"""The tables of a study as CSV, for programs: a cell without a value is empty."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from sandbox.judging.verdict import VERDICTS

from evaluation.metrics.intervals import Interval
from evaluation.study.comparisons import Comparison
from evaluation.study.students import TRAINED
from evaluation.study.table import SubsetRow, SubsetScore

GROUP = ("student", "rq", "source")
SCORE = ("repeats", "pass@1", "sd", "low", "high", "problems", "of", "final", "isolated")
AVERAGE = ("subset", "average", "average_low", "average_high")
BASE = "base_pass@1"  # after them, of a benchmark whose results have a verdict on the base tests
COMPARISON = (
    *GROUP,
    "benchmark",
    "first",
    "second",
    "difference_points",
    "low",
    "high",
    "p",
    "p_holm",
    "df",
    "run_effect_points",
    "repeats_first",
    "repeats_second",
    "problems",
    "of",
    "role",
    "family_size",
    "low_90",
    "high_90",
    "verdict",
    "p_dunnett",
    "low_dunnett",
    "high_dunnett",
    "difference_without_leaked",
)
CLEAN = ("pass@1_without_leaked", "problems_without_leaked")  # of each benchmark, where a leakage report was read
VERDICT_COLUMNS = (*GROUP, "subset", "benchmark", "samples", *VERDICTS, "cut")


def study_csv(rows: Sequence[SubsetRow], benchmarks: Sequence[str]) -> Iterator[bytes]:
    """study.csv, a line for each subset. pass@1, sd, low and high are fractions; a cell without a value is empty.

    The average is over `benchmarks`, of which MultiPL-E's languages together count as one. Then comes what training took, the mean
    over the subset's students, and last pass@1 without leaked problems.
    """
    columns = {benchmark: (*SCORE, *([BASE] if has_base(rows, benchmark) else [])) for benchmark in benchmarks}
    known = [key for key in TRAINED if any(key in row.trained for row in rows)]
    scores = (f"{name}_{what}" for name, own in columns.items() for what in own)
    cleaned = any(score.clean_problems is not None for row in rows for score in row.scores.values())
    clean = [f"{name}_{what}" for name in benchmarks for what in CLEAN] if cleaned else []
    yield _line((*GROUP, *AVERAGE, *scores, *(f"trained_{key}" for key in known), *clean))
    for row in rows:
        cells: list[object] = [row.model, row.rq, row.source, row.subset, row.average, *_ends(row.average_interval)]
        for benchmark, own in columns.items():
            score = row.scores.get(benchmark)
            cells += [*_score_cells(score), score.base_mean][: len(own)] if score else [None] * len(own)
        cells += [row.trained.get(key) for key in known]
        for benchmark in benchmarks if cleaned else ():
            score = row.scores.get(benchmark)
            cells += [score.clean_mean, score.clean_problems] if score else [None, None]
        yield _line(cells)


def has_base(rows: Iterable[SubsetRow], benchmark: str) -> bool:
    """Whether a subset has a pass@1 on the base tests of a benchmark."""
    return any(score.base_mean is not None for row in rows if (score := row.scores.get(benchmark)) is not None)


def _score_cells(score: SubsetScore) -> list[object]:
    marks = ["yes" if mark else "no" for mark in (score.final, score.isolated)]
    return [score.repeats, score.mean, score.sd, *_ends(score.interval), score.problems, score.of, *marks]


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval else (None, None)


def comparisons_csv(comparisons: Iterable[Comparison]) -> Iterator[bytes]:
    """comparisons.csv, a line for each pair: second minus first in percentage points, 95% interval, p, Holm's p, its role."""
    yield _line(COMPARISON)
    for pair in comparisons:
        own = pair.simultaneous
        yield _line(
            (
                *pair.labels,
                *_points(pair.difference, *_ends(pair.interval)),
                pair.p,
                pair.p_holm,
                pair.df,
                pair.run_effect,
                *pair.repeats,
                pair.problems,
                pair.of,
                pair.role,
                pair.family or None,
                *_points(*_ends(pair.interval_90)),
                pair.verdict,
                *((own.p, *_points(*_ends(own.interval))) if own else (None,) * 3),
                *_points(pair.clean_difference),
            )
        )


def verdicts_csv(rows: Iterable[SubsetRow]) -> Iterator[bytes]:
    """verdicts.csv, a line for each subset and benchmark: samples of all its repeats by verdict, and those whose tokens ran out."""
    yield _line(VERDICT_COLUMNS)
    for row in rows:
        for benchmark, score in row.scores.items():
            counts = [score.verdicts.get(name, 0) for name in VERDICTS]
            yield _line((row.model, row.rq, row.source, row.subset, benchmark, sum(counts), *counts, score.cut))


def _points(*values: float | None) -> list[float | None]:
    """Rounded, because sums that cancel leave 1e-15; + 0.0 makes 0.0 of -0.0."""
    return [None if value is None else round(value, 9) + 0.0 for value in values]


def _line(cells: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(
        "" if cell is None else _figure(cell) if isinstance(cell, float) else cell for cell in cells
    )
    return text.getvalue().encode()


def _figure(value: float) -> str:
    """Six digits, and whole numbers whole."""
    return f"{value:.0f}" if value.is_integer() else f"{value:.6g}"
