"""What a study comes to: pass@1 of every subset over its repeats, and every two subsets of a question against each other."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from evaluation.metrics.comparison import holm, mcnemar, paired_difference
from evaluation.metrics.pass_at_k import Floats, Interval, bootstrap_interval
from evaluation.study.students import Student

Group = tuple[str, str, str]  # student model, RQ, source: what is compared with each other


@dataclass(frozen=True, slots=True)
class Graded:
    """One student on one benchmark. `solved` is (samples that pass, samples) by task id, without infra_error."""

    student: Student
    benchmark: str
    solved: Mapping[str, tuple[int, int]]
    of: int  # problems in the benchmark
    final: bool  # no infra_error is left
    isolated: bool = True  # it was graded in a sandbox


@dataclass(frozen=True, slots=True)
class Score:
    """pass@1 of a subset, fractions; None where there is no value. `problems` are those that every repeat has."""

    repeats: int
    problems: int
    of: int
    solved: int  # problems that some repeat solved, whether every repeat has them or not
    final: bool
    isolated: bool
    mean: float | None
    sd: float | None  # of the repeats, ddof 1; None with one
    interval: Interval | None  # 95%, bootstrap over problems of the mean over repeats


@dataclass(frozen=True, slots=True)
class Row:
    """One subset; `scores` by benchmark."""

    model: str
    rq: str
    source: str
    subset: str
    scores: Mapping[str, Score]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`second` minus `first` in percentage points, over the problems that all repeats of both have."""

    model: str
    rq: str
    source: str
    benchmark: str
    first: str
    second: str
    problems: int
    of: int
    difference: float | None = None
    interval: Interval | None = None
    p: float | None = None
    p_holm: float | None = None


def table_rows(graded: Sequence[Graded], benchmarks: Sequence[str]) -> list[Row]:
    """A row for every subset, in the order of RQ, student, source and the subset's numbers."""
    rows = []
    for (model, rq, source), subsets in grouped(graded).items():
        for subset, repeats in subsets.items():
            scores = {}
            for benchmark in benchmarks:
                if own := [one for one in repeats if one.benchmark == benchmark]:
                    scores[benchmark] = score(own)
            rows.append(Row(model, rq, source, subset, scores))
    return rows


def families(benchmarks: Sequence[str]) -> dict[str, list[str]]:
    """Benchmarks that count once in an average: MultiPL-E in all its languages is one."""
    found: dict[str, list[str]] = {}
    for benchmark in benchmarks:
        found.setdefault("multipl-e" if benchmark.startswith("multipl-e-") else benchmark, []).append(benchmark)
    return found


def average(row: Row, benchmarks: Sequence[str]) -> float | None:
    """The mean of pass@1 over the families of benchmarks, in each over its members; None where one has no value."""
    means = []
    for members in families(benchmarks).values():
        values = [row.scores[name].mean if name in row.scores else None for name in members]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        means.append(sum(known) / len(known))
    return sum(means) / len(means) if means else None


def score(repeats: Sequence[Graded]) -> Score:
    """pass@1 over the problems that every repeat has.

    Of a repeat: the mean over problems of c / n, c of n samples passing; the mean and the sample standard deviation are
    those of the repeats.
    """
    tasks = common_tasks(repeats)
    score = Score(
        len(repeats),
        len(tasks),
        max(one.of for one in repeats),
        len({task for one in repeats for task, (passing, _) in one.solved.items() if passing}),
        all(one.final for one in repeats),
        all(one.isolated for one in repeats),
        None,
        None,
        None,
    )
    if not tasks:
        return score
    rates = pass_rates(repeats, tasks)
    each = rates.mean(axis=1)
    sd = float(each.std(ddof=1)) if len(each) > 1 else None
    return replace(score, mean=float(each.mean()), sd=sd, interval=bootstrap_interval(mean_rates(rates)))


def comparisons(graded: Sequence[Graded], benchmarks: Sequence[str]) -> list[Comparison]:
    """All pairs of subsets of a question, source and student, on each benchmark; Holm's family is one of these."""
    found = []
    for group, subsets in grouped(graded).items():
        for benchmark in benchmarks:
            own = {name: [one for one in repeats if one.benchmark == benchmark] for name, repeats in subsets.items()}
            found += _family(group, benchmark, {name: repeats for name, repeats in own.items() if repeats})
    return found


def _family(group: Group, benchmark: str, subsets: Mapping[str, Sequence[Graded]]) -> list[Comparison]:
    pairs = [
        _compared(group, benchmark, (first, one), (second, two))
        for (first, one), (second, two) in combinations(subsets.items(), 2)
    ]
    adjusted = iter(holm([pair.p for pair in pairs if pair.p is not None]))
    return [pair if pair.p is None else replace(pair, p_holm=next(adjusted)) for pair in pairs]


def _compared(
    group: Group, benchmark: str, first: tuple[str, Sequence[Graded]], second: tuple[str, Sequence[Graded]]
) -> Comparison:
    """Two subsets, each by its rate per problem over all repeats, as comparison.py takes it."""
    (one, repeats), (two, others) = first, second
    tasks = common_tasks([*repeats, *others])
    of = max(graded.of for graded in (*repeats, *others))
    if not tasks:
        return Comparison(*group, benchmark, one, two, 0, of)
    rates = [mean_rates(pass_rates(graded, tasks)) for graded in (repeats, others)]
    found = paired_difference(*rates)
    interval = Interval(100 * found.interval.low, 100 * found.interval.high)
    return Comparison(*group, benchmark, one, two, len(tasks), of, 100 * found.estimate, interval, mcnemar(*rates).p)


def common_tasks(repeats: Iterable[Graded]) -> list[str]:
    """The problems that all of them have a sample of, in the order of the first."""
    first, *others = repeats
    return [task for task in first.solved if all(task in other.solved for other in others)]


def pass_rates(repeats: Sequence[Graded], tasks: Sequence[str]) -> Floats:
    """pass@1 by problem, the share c / n of its samples that pass: float64, shape (repeats, problems)."""
    counts = np.array([[one.solved[task] for task in tasks] for one in repeats], dtype=np.float64)
    return counts[:, :, 0] / counts[:, :, 1]


def mean_rates(rates: Floats) -> Floats:
    """The mean over repeats of pass@1 by problem, shape (problems,).

    To 12 digits: whether more than half of the samples pass must not hang on the last bit of a sum.
    """
    means: Floats = np.round(rates.mean(axis=0), 12)
    return means


def grouped(graded: Sequence[Graded]) -> dict[Group, dict[str, list[Graded]]]:
    """Repeats by subset by what is compared, in order."""
    found: dict[Group, dict[str, list[Graded]]] = {}

    def order(one: Graded) -> tuple[object, ...]:
        student = one.student
        numbers = [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", student.subset)]
        # a study's questions first; text and numbers alternate, so like is compared with like
        return (not student.rq, student.rq, student.model, student.source, numbers, student.draw or 0, student.seed)

    for one in sorted(graded, key=order):
        student = one.student
        group = found.setdefault((student.model, student.rq, student.source), {})
        group.setdefault(student.subset, []).append(one)
    return found
