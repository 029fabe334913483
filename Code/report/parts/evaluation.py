"""The students' scores: pass@1 by subset, subsets against each other, verdicts, and answers side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

from evaluation.study.bases import UNTRAINED
from evaluation.study.steps import COMPARISONS, STUDY, TITLES

from report.blocks import Column, DataTable, PagePart, Picture
from report.charts.bars import Bar, bars
from report.charts.intervals import Estimate, estimates
from report.folders import FinishedOutput, slug
from report.parts.answers import Answers, read_answers, side_by_side
from report.parts.common import captioned, part
from report.parts.study_tables import ReportedPair, ReportedScore, read_pairs, read_scores

STAGE = "evaluate_study"
SIGNIFICANT = 0.05
VERDICTS = ("pass", "fail", "timeout", "memory", "blocked", "syntax", "infra_error")
LEGEND = (
    "95% intervals, over problems and, where there are several repeats, over repeats. Primary comparisons are those of the study's "
    "plan, corrected by Holm's method as one family: different, equivalent within the plan's margin, or undecided. All others are "
    "exploratory, corrected over the pairs of one student, question, source and benchmark, and are called different where p is below "
    "0.05. A large p does not say that two subsets are alike."
)


PAIR = tuple(Column(name) for name in ("student", "question", "source", "benchmark", "first", "second"))


@dataclass(frozen=True, slots=True)
class Family:
    """The subsets of a question on a benchmark: their scores, and every two of them compared."""

    question: str
    benchmark: str
    scores: Sequence[ReportedScore]
    pairs: Sequence[ReportedPair]


def section(output: FinishedOutput) -> PagePart:
    """A dot plot and a forest plot for each question and benchmark, and what stands behind them."""
    manifest, key = output.manifest, output.key
    scores = read_scores(output.folder / STUDY, list(manifest["benchmarks"]))
    pairs = read_pairs(output.folder / COMPARISONS)
    answers = read_answers(output)
    made = part(
        "evaluation", f"Evaluation on {', '.join(TITLES.get(name, name) for name in manifest['benchmarks'])}", output
    )
    made.notes = [*_notes(manifest, scores, pairs), *answers.notes]
    families = _families(scores, pairs, list(manifest["benchmarks"]))
    made.data = {
        "scores": [_scores(key, family) for family in families],
        "pairs": [_pairs(key, family) for family in families if family.pairs],
        "score_table": _score_table(key, scores),
        "pair_table": _pair_table(key, pairs, scores),
        "more_of_pairs": _more_of_pairs(key, pairs),
        "verdicts": _verdicts(key, answers),
        "tags": _tags(key, answers),
        "answers": side_by_side(
            answers, [(pair.benchmark, pair.student, pair.first, pair.second) for pair in _by_size(pairs)]
        ),
        "legend": LEGEND,
    }
    return made


def _families(
    scores: Sequence[ReportedScore], pairs: Sequence[ReportedPair], benchmarks: Sequence[str]
) -> list[Family]:
    """By question and benchmark; untrained models and controls, which have no question, stand in each of their source."""
    questions = list(dict.fromkeys(score.rq for score in scores if score.rq)) or [""]
    found = []
    for question in questions:
        sources = {score.source for score in scores if score.rq == question}
        for benchmark in benchmarks:
            all_ = [score for score in scores if score.benchmark == benchmark]
            beside = [one for one in all_ if not one.rq and one.source in ("", *sources)] if question else []
            own = [*beside, *(score for score in all_ if score.rq == question)]
            both = [pair for pair in pairs if pair.rq == question and pair.benchmark == benchmark]
            if any(score.mean is not None for score in own):
                found.append(Family(question, benchmark, own, both))
    return found


def _title(family: Family) -> str:
    name = TITLES.get(family.benchmark, family.benchmark)
    return f"{family.question or 'Models without a question'}, {name}"


def _scores(key: str, family: Family) -> Picture:
    rows, lines, group = [], [], None
    for score in family.scores:
        if (score.student, score.source) != group:
            group = (score.student, score.source)
            rows.append(Estimate(" ".join(word for word in group if word)))
        mean, low, high = (None if value is None else 100 * value for value in (score.mean, score.low, score.high))
        told = "no score" if mean is None else f"{mean:.1f}% ({score.repeats}×)"
        rows.append(Estimate(score.subset, mean, low, high, told + ("" if score.final else " not final")))
        lines.append(
            (
                score.student,
                score.source,
                score.subset,
                score.repeats,
                score.mean,
                score.sd,
                score.low,
                score.high,
                score.problems,
            )
        )
    own = slug(f"{key}-score-{family.question}-{family.benchmark}")
    problems = max(score.problems for score in family.scores)
    title = f"pass@1 by subset: {_title(family)}, {problems:,} problems. 95% intervals: Wilson's score interval"
    told = "Dots with 95% intervals. " + "; ".join(f"{row.name} {row.words}" for row in rows if row.words) + "."
    heads = (
        Column("student"), Column("source"), Column("subset"), Column("repeats", "count"), Column("pass@1, %", "percent"),
        Column("sd", "percent"), Column("low", "percent"), Column("high", "percent"), Column("problems", "count"),
    )  # fmt: skip
    svg = estimates(own, title, told, rows, "pass@1, % (95% interval; number of repeats behind it)")
    return Picture(own, title, svg, DataTable(f"{own}-table", title, heads, lines))


def _pairs(key: str, family: Family) -> Picture:
    rows, lines, group = [], [], None
    for pair in family.pairs:
        if (pair.student, pair.source) != group:
            group = (pair.student, pair.source)
            rows.append(Estimate(" ".join(word for word in group if word)))
        name = f"{pair.second} - {pair.first}"
        if pair.difference is None:
            words = "no problem in common"
        else:
            words = f"{pair.difference:+.1f}, " + (
                "no p: too few repeats" if pair.p_holm is None else f"p {_p(pair.p_holm)}"
            )
        rows.append(Estimate(name, pair.difference, pair.low, pair.high, words, pair.is_different))
        lines.append(
            (
                pair.student,
                pair.source,
                pair.first,
                pair.second,
                pair.difference,
                pair.low,
                pair.high,
                pair.p,
                pair.p_holm,
            )
        )
    own = slug(f"{key}-pairs-{family.question}-{family.benchmark}")
    title = f"Differences between subsets: {_title(family)}. 95% intervals: Student's t over repeats and problems"
    told = "Differences in percentage points with 95% intervals; squares: different after Holm's correction, circles: not shown to differ. "
    told += "; ".join(f"{row.name} {row.words}" for row in rows if row.words) + "."
    heads = (
        Column("student"), Column("source"), Column("first"), Column("second"), Column("second minus first, points", "points"),
        Column("low", "points"), Column("high", "points"), Column("p", "p"), Column("p (Holm)", "p"),
    )  # fmt: skip
    label = "difference in pass@1, percentage points (95% interval; p after Holm's correction)"
    svg = estimates(own, title, told, rows, label, zero=True, room=170)
    return Picture(own, title, svg, DataTable(f"{own}-table", title, heads, lines))


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"= {value:.3f}"


def _by_size(pairs: Sequence[ReportedPair]) -> list[ReportedPair]:
    """The pairs with a difference, the largest first."""
    known = [pair for pair in pairs if pair.difference is not None]
    return sorted(known, key=lambda pair: -abs(pair.difference or 0.0))


def _notes(manifest: Mapping[str, Any], scores: Sequence[ReportedScore], pairs: Sequence[ReportedPair]) -> list[str]:
    """What a reader has to know before the figures."""
    notes = []
    if not manifest["final"]:
        notes.append("Not final: some samples have no verdict (infra_error) and are in no figure.")
    if not manifest["isolated"]:
        notes.append("Graded WITHOUT ISOLATION: a program may have forged its verdict.")
    for benchmark in manifest["benchmarks"]:
        own = [score for score in scores if score.benchmark == benchmark and score.rq]
        if own and all(score.mean == 0 for score in own):
            notes.append(
                f"No student solved any problem of {TITLES.get(benchmark, benchmark)}: its pass@1 tells nothing about the subsets."
            )
        if any(score.problems < score.of for score in own):
            part_of = max(score.problems for score in own), max(score.of for score in own)
            notes.append("{}: over {:,} of {:,} problems.".format(TITLES.get(benchmark, benchmark), *part_of))
    notes += [f"{name}: not run: {why}." for name, why in manifest.get("not_run", {}).items()]
    notes += [
        f"Not or not wholly in the tables, {why}: {', '.join(labels)}."
        for why, labels in manifest.get("left_out", {}).items()
        if labels
    ]
    if pairs:
        tested = [pair for pair in pairs if pair.p_holm is not None]
        different = sum(pair.is_different for pair in tested)
        notes.append(
            f"Of {len(pairs)} pairs of subsets {len(tested)} have a p; {different} differ after Holm's correction, "
            f"{len(tested) - different} are not shown to differ."
        )
    return notes


def _score_table(key: str, scores: Sequence[ReportedScore]) -> DataTable:
    heads = (
        Column("student"), Column("question"), Column("source"), Column("subset"), Column("benchmark"),
        Column("repeats", "count"), Column("pass@1, %", "percent"), Column("sd", "percent"), Column("low", "percent"),
        Column("high", "percent"), Column("problems", "count"), Column("of the benchmark", "count"), Column("final"), Column("isolated"),
    )  # fmt: skip
    lines = [
        (
            one.student, one.rq, one.source, one.subset, one.benchmark, one.repeats, one.mean, one.sd, one.low, one.high,
            one.problems, one.of, "yes" if one.final else "NO", "yes" if one.isolated else "NO",
        )
        for one in scores
    ]  # fmt: skip
    return captioned(f"{key}-scores", "pass@1 of every subset, with 95% intervals", heads, lines, copies=True)


def _pair_table(key: str, pairs: Sequence[ReportedPair], scores: Sequence[ReportedScore]) -> DataTable:
    where = {(one.student, one.rq, one.source, one.benchmark, one.subset): one for one in scores}
    heads = (
        *PAIR, Column("difference, points", "points"), Column("low", "points"), Column("high", "points"),
        Column("p (Holm)", "p"), Column("what it says"), Column("role"), Column("intervals overlap"),
    )  # fmt: skip
    lines = []
    for pair in pairs:
        ends = [where.get((*pair.group, pair.benchmark, name)) for name in (pair.first, pair.second)]
        numbers = pair.difference, pair.low, pair.high, pair.p_holm
        lines.append((*_named(pair), *numbers, pair.says, pair.role, _overlap(*ends)))
    return captioned(f"{key}-pairs", "Every two subsets of a question, second minus first", heads, lines, copies=True)


def _more_of_pairs(key: str, pairs: Sequence[ReportedPair]) -> DataTable:
    """p before the correction, the interval that a test of equivalence reads, and the further columns of the table."""
    more = []
    for name in pairs[0].more if pairs else ():
        numbers = not any(isinstance(pair.more[name], str) for pair in pairs if pair.more[name] != "")
        more.append(Column(name, "value" if numbers else "text"))
    heads = (*PAIR, Column("p", "p"), Column("low, 90%", "points"), Column("high, 90%", "points"), *more)
    lines = [(*_named(pair), pair.p, pair.low_90, pair.high_90, *pair.more.values()) for pair in pairs]
    return captioned(f"{key}-pairs-more", "More of every comparison", heads, lines)


def _named(pair: ReportedPair) -> tuple[str, ...]:
    return *pair.group, pair.benchmark, pair.first, pair.second


def _overlap(first: ReportedScore | None, second: ReportedScore | None) -> str:
    ends = [end for one in (first, second) if one for end in (one.low, one.high)]
    if len(ends) < 4 or None in ends:
        return ""
    low, high, other_low, other_high = (float(end or 0.0) for end in ends)
    return "yes" if low <= other_high and other_low <= high else "no"


def _verdicts(key: str, answers: Answers) -> list[Picture]:
    """A stacked bar of verdicts for each student, by benchmark."""
    pictures = []
    for benchmark in dict.fromkeys(one.benchmark for one in answers.graded):
        own = [one for one in answers.graded if one.benchmark == benchmark]
        totals = Counter({name: sum(one.verdicts.get(name, 0) for one in own) for name in VERDICTS})
        seen = [name for name in VERDICTS if totals[name]]
        begins = _beginning([one.name for one in own])
        marks = [
            Bar(
                one.name.removeprefix(begins),
                [one.verdicts.get(name, 0) for name in seen],
                f"{one.verdicts.get('pass', 0):,} of {sum(one.verdicts.values()):,} pass",
            )
            for one in own
        ]
        name = slug(f"{key}-verdicts-{benchmark}")
        title = f"Verdicts, {TITLES.get(benchmark, benchmark)}, n = {sum(totals.values()):,} samples"
        title += f" of {begins.rstrip('_')}" if begins else ""
        told = (
            "Stacked bars of verdicts by student: "
            + "; ".join(f"{mark.name} {mark.words}" for mark in marks[:20])
            + "."
        )
        heads = (Column("model"), Column("name"), *(Column(verdict, "count") for verdict in seen))
        lines = [(one.student, one.name, *(one.verdicts.get(verdict, 0) for verdict in seen)) for one in own]
        legend = [f"{verdict}: {totals[verdict]:,}" for verdict in seen]
        pictures.append(
            Picture(
                name,
                title,
                bars(name, title, told, marks, legend, "samples", room=120),
                DataTable(f"{name}-table", title, heads, lines),
            )
        )
    return pictures


def _beginning(names: Sequence[str]) -> str:
    """What the names of trained students begin with alike, up to an underscore."""
    trained = [name for name in names if name != UNTRAINED]
    return f"{commonprefix(trained).rpartition('_')[0]}_" if len(trained) > 1 and "_" in commonprefix(trained) else ""


def _tags(key: str, answers: Answers) -> DataTable | None:
    """pass@1 by difficulty and platform, where the problems have these, and by language of MultiPL-E's benchmarks."""
    lines = [
        (one.student, one.name, one.benchmark, tag, value, found["problems"], found["pass_at_1"])
        for one in answers.graded
        for tag, values in one.by_tag.items()
        for value, found in values.items()
    ]
    heads = (
        Column("model"),
        Column("name"),
        Column("benchmark"),
        Column("tag"),
        Column("value"),
        Column("problems", "count"),
        Column("pass@1, %", "percent"),
    )
    return DataTable(f"{key}-tags", "pass@1 by difficulty and platform", heads, lines, copies=True) if lines else None
