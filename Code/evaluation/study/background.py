"""What lies behind the scores, as tables of study.md: what training took, what became of the answers, and what leaked."""

from collections.abc import Iterator, Mapping, Sequence

from sandbox.judging.verdict import VERDICTS

from evaluation.study.bases import BaseModel
from evaluation.study.cells import interval_text, labels, number, table, whole
from evaluation.study.csv_files import GROUP
from evaluation.study.leakage import DataLeakage
from evaluation.study.students import TRAINED
from evaluation.study.table import Graded, SubsetRow

LEAKAGE_LEGEND = (
    "Flagged: records that hold a problem of a benchmark. Indicator: of each problem the largest share of its prompt's 5-grams that one record "
    "holds, in percent, the mean over the problems of all benchmarks of the report (XCoder), with a 95% interval over problems. It grows with the "
    "length of the records: the last column is the indicator divided by the thousands of answer tokens of an average record."
)
CUT_LEGEND = "Samples of all repeats by verdict; cut: the share, in percent, whose tokens ran out before the answer came to its end."
# in study.md's words: what may differ between subsets besides what they are named for
DIFFERING = {
    "tokens": "tokens of a pass",
    "answer_tokens_seen": "answer tokens seen",
    "steps": "steps",
    "truncated_records": "records cut at the cutoff",
}
NOTEWORTHY = 0.10  # two subsets are said to be trained on different tokens or steps where they differ by more
FEW = 0.01  # of the records: so many more that are cut are not worth a word


def trained_table(rows: Sequence[SubsetRow]) -> str:
    """What training took, the mean over a subset's students."""
    header = (*GROUP, "subset", "records", "tokens", "answer tokens", "answer tokens seen", "steps", "records cut")
    lines = [(*labels(row), *(whole(row.trained.get(key)) for key in TRAINED)) for row in rows if row.trained]
    return table(header, lines, left=4)


def trained_differently(shown: Sequence[SubsetRow]) -> Iterator[str]:
    """Where subsets of a question, and their controls, were trained on different tokens, steps or shares of cut records."""
    groups: dict[tuple[str, ...], list[SubsetRow]] = {}
    for row in shown:
        if row.rq and row.trained:
            groups.setdefault(labels(row)[:3], []).append(row)
    for group, rows in groups.items():
        found = []
        for key, what in DIFFERING.items():
            known = {row.subset: row.trained[key] for row in rows if key in row.trained}
            apart = max(known.values()) - min(known.values()) if known else 0.0
            few = FEW * min(row.trained.get("records", 0.0) for row in rows) if key == "truncated_records" else 0.0
            if apart > max(few, NOTEWORTHY * min(known.values(), default=0.0)):
                least, most = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
                found.append(f"{what} ({known[least]:,.0f} of {least} to {known[most]:,.0f} of {most})")
        if found:
            yield f"{' '.join(group)}: trained on different numbers of {', '.join(found)}. Differences between these subsets may come of that."


def verdict_table(rows: Sequence[SubsetRow]) -> str:
    header = (*GROUP, "subset", "benchmark", "samples", "cut", *VERDICTS)
    lines = []
    for row in rows:
        for benchmark, score in row.scores.items():
            if samples := sum(score.verdicts.values()):
                counts = [f"{score.verdicts.get(name, 0):,}" for name in VERDICTS]
                lines.append((*labels(row), benchmark, f"{samples:,}", number(score.cut / samples, 100), *counts))
    return table(header, lines, left=5)


def leakage_blocks(
    rows: Sequence[SubsetRow],
    graded: Sequence[Graded],
    leakage: Mapping[str, DataLeakage],
    gone: int,
    unknown: Sequence[str],
) -> Iterator[str]:
    """The part of study.md on leakage; `gone` problems were left out, and of `unknown` students no report has the data."""
    yield "## Leakage"
    yield _indicators(graded, leakage)
    yield LEAKAGE_LEGEND
    if unknown:
        more = f" and {len(unknown) - 4} more" if len(unknown) > 4 else ""
        yield f"No report (--leakage) has the data of {', '.join(unknown[:4])}{more}: what leaked into them is not known."
    if not gone:
        yield "As far as the reports know, no problem of this table is in the data of any student: without leaked problems the scores are the same."
        return
    yield f"Without the {gone:,} problem{'s' * (gone > 1)} that a record of some student's data holds:"
    lines = []
    for row in rows:
        for benchmark, score in row.scores.items():
            if score.clean_problems is not None:
                figures = number(score.mean, 100), number(score.clean_mean, 100), f"{score.clean_problems:,}"
                lines.append((*labels(row), benchmark, *figures))
    yield table((*GROUP, "subset", "benchmark", "pass@1", "without leaked", "problems left"), lines, left=5)


def _indicators(graded: Sequence[Graded], leakage: Mapping[str, DataLeakage]) -> str:
    """A line for each data file that a student was trained on."""
    lines = {}
    for student in (one.student for one in graded if not isinstance(one.student, BaseModel)):
        if found := leakage.get(student.data):
            tokens, records = student.trained.get("answer_tokens"), student.trained.get("records")
            each = tokens / records / 1000 if tokens and records else None
            where = student.rq, student.source, student.subset, "" if student.draw is None else str(student.draw)
            lines[where] = (
                *where,
                f"{found.records:,}",
                f"{found.flagged:,}",
                number(found.indicator, 100),
                interval_text(found.interval, 100),
                "" if each is None else number(found.indicator / each, 100),
            )
    header = (
        "rq",
        "source",
        "subset",
        "draw",
        "records",
        "flagged",
        "indicator",
        "interval",
        "per 1,000 answer tokens",
    )
    return table(header, list(lines.values()), left=4)
