"""The tables of a study as text: CSV for programs, markdown for people."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from evaluation.metrics.intervals import Interval
from evaluation.study.averages import families
from evaluation.study.bases import UNTRAINED
from evaluation.study.table import Comparison, SubsetRow, SubsetScore

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
)
LEGEND = (
    "pass@1 in percent, the mean over repeats (draws of the data x seeds of the training); sd: sample standard deviation "
    "over repeats; interval: 95%, Wilson's score interval of the mean over repeats, over problems and, where there are several, "
    "over repeats; average: over the benchmarks that ran, MultiPL-E's languages together counting as one, its interval with "
    "versions of one problem taken as one."
)
BASE_LEGEND = "base: pass@1 on the tests of the base benchmark alone. It is in no average and in no comparison."
COMPARISON_LEGEND = (
    "Difference: second minus first in percentage points; interval (95%) and p: Student's t over repeats and problems, both "
    "taken as a sample of those that could have been drawn, with Satterthwaite's degrees of freedom; by pairs where both have "
    "the same draws of the data. p (Holm): adjusted over all pairs of that student, question, source and benchmark. A large p "
    "does not say that two subsets are alike; the interval says how far apart they may be. (Tables "
    "of earlier releases had McNemar's test and intervals over problems alone, as if other repeats would have solved the "
    "same: p and intervals here are others.)"
)
ALONE = (
    "With one repeat of each, or one against two, two subsets and their seeds cannot be told apart: such a difference has no "
    "interval and no p. Train each subset with several seeds or draws (train.py --seed)."
)


def study_csv(rows: Sequence[SubsetRow], benchmarks: Sequence[str]) -> Iterator[bytes]:
    """study.csv, a line for each subset. pass@1, sd, low and high are fractions; a cell without a value is empty.

    The average is over `benchmarks`, of which MultiPL-E's languages together count as one.
    """
    columns = {benchmark: (*SCORE, *([BASE] if _has_base(rows, benchmark) else [])) for benchmark in benchmarks}
    yield _line((*GROUP, *AVERAGE, *(f"{name}_{what}" for name, own in columns.items() for what in own)))
    for row in rows:
        cells: list[object] = [row.model, row.rq, row.source, row.subset, row.average, *_ends(row.average_interval)]
        for benchmark, own in columns.items():
            score = row.scores.get(benchmark)
            cells += [*_score_cells(score), score.base_mean][: len(own)] if score else [None] * len(own)
        yield _line(cells)


def _has_base(rows: Iterable[SubsetRow], benchmark: str) -> bool:
    """Whether a subset has a pass@1 on the base tests of a benchmark."""
    return any(score.base_mean is not None for row in rows if (score := row.scores.get(benchmark)) is not None)


def _score_cells(score: SubsetScore) -> list[object]:
    marks = ["yes" if mark else "no" for mark in (score.final, score.isolated)]
    return [score.repeats, score.mean, score.sd, *_ends(score.interval), score.problems, score.of, *marks]


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval else (None, None)


def comparisons_csv(comparisons: Iterable[Comparison]) -> Iterator[bytes]:
    """comparisons.csv, a line for each pair: second minus first in percentage points, 95% interval, p, Holm's p."""
    yield _line(COMPARISON)
    for pair in comparisons:
        # rounded, because sums that cancel leave 1e-15; + 0.0 makes 0.0 of -0.0
        points = [
            None if value is None else round(value, 9) + 0.0 for value in (pair.difference, *_ends(pair.interval))
        ]
        yield _line(
            (
                *_labels(pair),
                *points,
                pair.p,
                pair.p_holm,
                pair.df,
                pair.run_effect,
                *pair.repeats,
                pair.problems,
                pair.of,
            )
        )


def _line(cells: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(
        "" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else cell for cell in cells
    )
    return text.getvalue().encode()


def markdown(
    rows: Sequence[SubsetRow],
    comparisons: Sequence[Comparison],
    benchmarks: Sequence[str],
    names: Mapping[str, str],
    notes: Sequence[str],
    not_run: Sequence[str] = (),
) -> str:
    """study.md: both tables in percent and percentage points, and in plain words what a reader has to know about them.

    `names` are the benchmarks' names for people. `notes` stand above the tables. `not_run` are benchmarks that this machine
    cannot run; each has a column that says so.
    """
    blocks = [
        "# pass@1 of the students",
        *_sentences(rows, benchmarks, names),
        *notes,
        _score_table(rows, benchmarks, not_run),
        LEGEND,
        *([BASE_LEGEND] if any(_has_base(rows, benchmark) for benchmark in benchmarks) else []),
    ]
    if comparisons:
        blocks += ["## Subsets against each other", _comparison_table(comparisons), COMPARISON_LEGEND]
        blocks += list(_families(comparisons))
        blocks += [ALONE] if any(pair.problems and pair.p is None for pair in comparisons) else []
    return "\n\n".join(blocks) + "\n"


def _sentences(rows: Sequence[SubsetRow], benchmarks: Sequence[str], names: Mapping[str, str]) -> Iterator[str]:
    for benchmark in benchmarks:
        scores = [row.scores[benchmark] for row in rows if benchmark in row.scores and row.subset != UNTRAINED]
        if any(score.problems for score in scores) and not any(score.solved for score in scores):
            name, partial = names.get(benchmark, benchmark), any(score.problems < score.of for score in scores)
            yield (
                f"All zero: no student solved any problem of {name}{' that it was given' if partial else ''}; its pass@1 "
                "tells nothing about the subsets."
            )
    if any(not score.final for row in rows for score in row.scores.values()):
        yield (
            "Not final: some samples could not be judged for want of a working sandbox (infra_error) and are in no "
            "figure; run again to judge them."
        )
    if not all(score.isolated for row in rows for score in row.scores.values()):
        yield "Graded WITHOUT ISOLATION: a program may have forged its verdict."


def _families(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """How likely a false claim is somewhere in the table, where it has several families of pairs."""
    tested = {_labels(pair)[:4] for pair in comparisons if pair.p is not None}
    if len(tested) > 1:
        yield (
            f"{len(tested)} families of pairs are corrected each by itself: if no two subsets differed and the families had nothing to "
            f"do with each other, the chance of a p (Holm) below 0.05 somewhere in this table would be {1 - 0.95 ** len(tested):.0%}."
        )


def _score_table(rows: Sequence[SubsetRow], benchmarks: Sequence[str], not_run: Sequence[str]) -> str:
    shown = ("repeats", "pass@1", "sd", "interval")
    averaged = len(families(benchmarks)) > 1
    header = [*GROUP, "subset", *(["average", "average interval"] if averaged else [])]
    columns = {benchmark: (*shown, *(["base"] if _has_base(rows, benchmark) else [])) for benchmark in benchmarks}
    header += [*(f"{name} {what}" for name, own in columns.items() for what in own), *not_run]
    lines = []
    for row in rows:
        cells = [row.model, row.rq, row.source, row.subset]
        cells += [_number(row.average, 100), _interval(row.average_interval, 100)] if averaged else []
        for benchmark, own in columns.items():
            score = row.scores.get(benchmark)
            cells += (
                [""] * len(own)
                if score is None
                else [
                    str(score.repeats),
                    f"{_number(score.mean, 100)}{_mark(score)}",
                    _number(score.sd, 100),
                    _interval(score.interval, 100),
                    _number(score.base_mean, 100),
                ][: len(own)]
            )
        cells += ["not run"] * len(not_run)
        lines.append(cells)
    return _table(header, lines, left=4)


def _mark(score: SubsetScore) -> str:
    """What a reader has to know about a score that is not final or not over all problems."""
    share = f" over {score.problems} of {score.of} problems" if score.problems < score.of else ""
    return share + ("" if score.final else ", not final")


def _labels(pair: Comparison) -> tuple[str, ...]:
    """What is compared: GROUP, the benchmark, and the two subsets."""
    return pair.model, pair.rq, pair.source, pair.benchmark, pair.first, pair.second


def _comparison_table(comparisons: Sequence[Comparison]) -> str:
    header = (*GROUP, "benchmark", "first", "second", "difference", "interval", "p", "p (Holm)", "repeats", "problems")
    lines = [
        (
            *_labels(pair),
            _number(pair.difference, 1, "+"),
            _interval(pair.interval, 1),
            _p(pair.p),
            _p(pair.p_holm),
            "{} and {}".format(*pair.repeats),
            f"{pair.problems}{f' of {pair.of}' if pair.problems < pair.of else ''}",
        )
        for pair in comparisons
    ]
    return _table(header, lines, left=6)


def _number(value: float | None, factor: float, sign: str = "") -> str:
    if value is None:
        return ""
    rounded = round(value * factor, 1)
    return f"{rounded:{sign}.1f}" if rounded else "0.0"


def _interval(ends: Interval | None, factor: float) -> str:
    return "" if ends is None else f"{_number(ends.low, factor)} to {_number(ends.high, factor)}"


def _p(value: float | None) -> str:
    return "" if value is None else "<0.0001" if value < 0.0001 else f"{value:.4f}"


def _table(header: Sequence[str], lines: Sequence[Sequence[str]], left: int) -> str:
    rule = ["---"] * left + ["--:"] * (len(header) - left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *lines))
