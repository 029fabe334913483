"""The tables of a study as markdown, for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from evaluation.study.averages import families
from evaluation.study.background import CUT_LEGEND, trained_differently, trained_table, verdict_table
from evaluation.study.bases import UNTRAINED
from evaluation.study.cells import interval_text, number, p_text, table
from evaluation.study.comparisons import EQUIVALENT, EXPLORATORY, PRIMARY, Comparison
from evaluation.study.csv_files import GROUP, has_base
from evaluation.study.table import SubsetRow, SubsetScore

LEGEND = (
    "pass@1 in percent, the mean over repeats (draws of the data x seeds of the training); sd: sample standard deviation "
    "over repeats; interval: 95%, Wilson's score interval of the mean over repeats, over problems and, where there are several, "
    "over repeats; average: over the benchmarks that ran, MultiPL-E's languages together counting as one, its interval with "
    "versions of one problem taken as one."
)
BASE_LEGEND = "base: pass@1 on the tests of the base benchmark alone. It is in no average and in no comparison."
CONTROL = "(control)"  # after the name of a subset that is none of the question's
CONTROL_LEGEND = (
    f"{CONTROL}: trained on data of the same source that are no subset of the question, such as all of them or a random share; shown under "
    "each question of the source."
)
COMPARISON_LEGEND = (
    "Difference: second minus first in percentage points; interval (95%) and p: Student's t over repeats and problems, both "
    "taken as a sample of those that could have been drawn, with Satterthwaite's degrees of freedom; by pairs where both have "
    "the same draws of the data. How much runs vary is estimated from all subsets whose runs vary alike, not from the two alone."
)
PRIMARY_LEGEND = (
    "Verdict: different, where p (Holm) is below 0.05; else equivalent within the plan's margin, where the 90% interval lies within it (two "
    "one-sided tests at 5%, each contrast by itself); else undecided, which does not say that there is no difference. p (Holm): adjusted over all "
    "tests of the plan."
)
DUNNETT_LEGEND = (
    "Dunnett's interval: with a chance of 95% all intervals of the subsets that are compared with the same one, on one benchmark, hold "
    "their truths."
)
EXPLORATORY_LEGEND = (
    "p (Holm): adjusted over the pairs of that student, question, source and benchmark alone. A large p does not say that two subsets are "
    "alike; the interval says how far apart they may be."
)
CHANGED = (
    "Tables of earlier releases had McNemar's test and intervals over problems alone, as if other repeats would have solved the same; they did "
    "not tell primary from exploratory comparisons, and had neither controls nor what lies behind the scores: p and intervals here are others."
)
ALONE = (
    "With one repeat of each, or one against two, two subsets and their seeds cannot be told apart: such a difference has no "
    "interval and no p. Train each subset with several seeds or draws (train.py --seed)."
)


def markdown(
    rows: Sequence[SubsetRow],
    comparisons: Sequence[Comparison],
    benchmarks: Sequence[str],
    names: Mapping[str, str],
    notes: Sequence[str],
    not_run: Sequence[str] = (),
    margin: float = 0.0,
    leakage: Sequence[str] = (),
) -> str:
    """study.md: all tables in percent and percentage points, and in plain words what a reader has to know about them.

    `names` are the benchmarks' names for people. `notes` stand above the tables. `not_run` are benchmarks that this machine
    cannot run; each has a column that says so. `margin` is the plan's, in percentage points. `leakage`: what
    `background.leakage_blocks` says.
    """
    shown = _with_controls(rows)
    blocks = [
        "# pass@1 of the students",
        *_sentences(rows, benchmarks, names),
        *notes,
        _score_table(shown, benchmarks, not_run),
        LEGEND,
        *([BASE_LEGEND] if any(has_base(rows, benchmark) for benchmark in benchmarks) else []),
    ]
    blocks += [CONTROL_LEGEND] if any(CONTROL in row.subset for row in shown) else []
    if any(row.trained for row in rows):
        blocks += ["## What they were trained on", trained_table(rows), *trained_differently(shown)]
    if any(score.verdicts for row in rows for score in row.scores.values()):
        blocks += ["## What became of their answers", verdict_table(rows), CUT_LEGEND]
    blocks += leakage
    primary = [pair for pair in comparisons if pair.role == PRIMARY]
    if primary:
        together = [DUNNETT_LEGEND] if any(pair.simultaneous for pair in primary) else []
        blocks += [
            "## Primary contrasts",
            _primary_table(primary, margin),
            PRIMARY_LEGEND,
            *together,
            COMPARISON_LEGEND,
        ]
    if exploratory := [pair for pair in comparisons if pair.role == EXPLORATORY]:
        blocks += [
            "## Exploratory comparisons",
            _comparison_table(exploratory),
            *([] if primary else [COMPARISON_LEGEND]),
        ]
        blocks += [EXPLORATORY_LEGEND, *_families(exploratory)]
    if comparisons:
        blocks += [ALONE] if any(pair.problems and pair.p is None for pair in comparisons) else []
        blocks += [CHANGED]
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
    tested = {pair.labels[:4] for pair in comparisons if pair.p is not None}
    if len(tested) > 1:
        yield (
            f"{len(tested)} families of pairs are corrected each by itself: if no two subsets differed and the families had nothing to "
            f"do with each other, the chance of a p (Holm) below 0.05 somewhere in this table would be {1 - 0.95 ** len(tested):.0%}."
        )


def _with_controls(rows: Sequence[SubsetRow]) -> list[SubsetRow]:
    """The rows as they are shown: those of a source's controls after the subsets of each of its questions."""
    controls: dict[tuple[str, str], list[SubsetRow]] = {}
    for row in rows:
        if row.source and not row.rq:
            controls.setdefault((row.model, row.source), []).append(row)
    asked = {(row.model, row.source) for row in rows if row.rq}
    shown: list[SubsetRow] = []
    for (model, rq, source), group in groupby(rows, key=lambda row: (row.model, row.rq, row.source)):
        if rq or (model, source) not in asked:
            shown += group
        if rq:
            own = controls.get((model, source), [])
            shown += [replace(one, rq=rq, subset=f"{one.subset} {CONTROL}") for one in own]
    return shown


def _score_table(rows: Sequence[SubsetRow], benchmarks: Sequence[str], not_run: Sequence[str]) -> str:
    shown = ("repeats", "pass@1", "sd", "interval")
    averaged = len(families(benchmarks)) > 1
    header = [*GROUP, "subset", *(["average", "average interval"] if averaged else [])]
    columns = {benchmark: (*shown, *(["base"] if has_base(rows, benchmark) else [])) for benchmark in benchmarks}
    header += [*(f"{name} {what}" for name, own in columns.items() for what in own), *not_run]
    lines = []
    for row in rows:
        cells = [row.model, row.rq, row.source, row.subset]
        cells += [number(row.average, 100), interval_text(row.average_interval, 100)] if averaged else []
        for benchmark, own in columns.items():
            score = row.scores.get(benchmark)
            cells += (
                [""] * len(own)
                if score is None
                else [
                    str(score.repeats),
                    f"{number(score.mean, 100)}{_mark(score)}",
                    number(score.sd, 100),
                    interval_text(score.interval, 100),
                    number(score.base_mean, 100),
                ][: len(own)]
            )
        cells += ["not run"] * len(not_run)
        lines.append(cells)
    return table(header, lines, left=4)


def _mark(score: SubsetScore) -> str:
    """What a reader has to know about a score that is not final or not over all problems."""
    share = f" over {score.problems} of {score.of} problems" if score.problems < score.of else ""
    return share + ("" if score.final else ", not final")


def _primary_table(primary: Sequence[Comparison], margin: float) -> str:
    """The contrasts of the plan, each with its verdict."""
    together = any(pair.simultaneous for pair in primary)
    clean = any(pair.clean_difference is not None for pair in primary)
    shown = ("difference", "interval", "90% interval", "p", "p (Holm)", *(["Dunnett's interval"] if together else []))
    shown = (*shown, *(["without leaked"] if clean else []))
    header = (*GROUP, "benchmark", "first", "second", "verdict", *shown, "repeats", "problems")
    lines = [
        (
            *pair.labels,
            f"{EQUIVALENT} within {margin:g} points" if pair.verdict == EQUIVALENT else str(pair.verdict),
            number(pair.difference, 1, "+"),
            interval_text(pair.interval, 1),
            interval_text(pair.interval_90, 1),
            p_text(pair.p),
            p_text(pair.p_holm),
            *([interval_text(pair.simultaneous.interval if pair.simultaneous else None, 1)] if together else []),
            *([number(pair.clean_difference, 1, "+")] if clean else []),
            *_sizes(pair),
        )
        for pair in primary
    ]
    return table(header, lines, left=7)


def _sizes(pair: Comparison) -> tuple[str, str]:
    """The repeats of both subsets, and the problems."""
    share = f" of {pair.of}" if pair.problems < pair.of else ""
    return "{} and {}".format(*pair.repeats), f"{pair.problems}{share}"


def _comparison_table(comparisons: Sequence[Comparison]) -> str:
    header = (*GROUP, "benchmark", "first", "second", "difference", "interval", "p", "p (Holm)", "repeats", "problems")
    lines = [
        (
            *pair.labels,
            number(pair.difference, 1, "+"),
            interval_text(pair.interval, 1),
            p_text(pair.p),
            p_text(pair.p_holm),
            *_sizes(pair),
        )
        for pair in comparisons
    ]
    return table(header, lines, left=6)
