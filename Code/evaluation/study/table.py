"""The figures of a study: pass@1 of every subset over its repeats, and every two subsets of a question compared."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from evaluation.metrics.comparison import difference, holm
from evaluation.metrics.intervals import Interval, score_interval
from evaluation.metrics.random_effects import Floats
from evaluation.study.averages import Counts, average, average_interval
from evaluation.study.bases import BaseModel, Candidate

Group = tuple[str, str, str]  # student model, RQ, source: subsets of the same group are compared with each other


@dataclass(frozen=True, slots=True)
class Graded:
    """One student's verdicts on one benchmark, or those of an untrained base model."""

    student: Candidate
    benchmark: str
    solved: Counts  # without infra_error
    of: int  # problems in the benchmark
    final: bool  # no infra_error is left
    isolated: bool = True  # it was graded in a sandbox
    base: Counts | None = None  # as `solved`, on the base tests alone, where there are others


@dataclass(frozen=True, slots=True)
class SubsetScore:
    """pass@1 of a subset on one benchmark, as fractions; None where there is no value."""

    repeats: int  # students: draws of the data x seeds of the training
    problems: int  # that every repeat has
    of: int  # problems in the benchmark
    solved: int  # problems that some repeat solved, whether or not every repeat has them
    final: bool
    isolated: bool
    mean: float | None
    sd: float | None  # of the repeats, ddof 1; None with one
    interval: Interval | None  # 95%, of the mean over repeats: over problems, and over repeats where there are several
    base_mean: float | None = None  # on the base tests alone, where the benchmark has others besides


@dataclass(frozen=True, slots=True)
class SubsetRow:
    """One subset of a question and source, with one student model."""

    model: str
    rq: str
    source: str
    subset: str
    scores: Mapping[str, SubsetScore]  # by benchmark
    average: float | None  # over the families of benchmarks
    average_interval: Interval | None  # 95%, over repeats and problems


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two subsets on one benchmark: `second` minus `first` in percentage points, over the problems that all repeats have.

    With too few repeats (`evaluation.metrics.comparison`) there is a difference, and neither interval nor p.
    """

    model: str
    rq: str
    source: str
    benchmark: str
    first: str
    second: str
    problems: int
    of: int
    repeats: tuple[int, int]  # of the first and of the second
    difference: float | None = None
    interval: Interval | None = None  # 95%, over repeats and problems
    p: float | None = None
    p_holm: float | None = None
    df: float | None = None
    run_effect: float | None = None  # the standard deviation of a run's own effect, percentage points


def table_rows(graded: Sequence[Graded], benchmarks: Sequence[str]) -> list[SubsetRow]:
    """A row for every base model, then for every subset, sorted by RQ, student, source and the numbers in its name."""
    rows = []
    for (model, rq, source), subsets in grouped(graded).items():
        for subset, repeats in subsets.items():
            scores = {}
            for benchmark in benchmarks:
                if own := [one for one in repeats if one.benchmark == benchmark]:
                    scores[benchmark] = score(own)
            mean = average({name: scores[name].mean if name in scores else None for name in benchmarks})
            rows.append(SubsetRow(model, rq, source, subset, scores, mean, _average_interval(repeats, benchmarks)))
    return rows


def _average_interval(graded: Sequence[Graded], benchmarks: Sequence[str]) -> Interval | None:
    """Of the average over `benchmarks`; None where the subset's repeats are not the same on each, or have no problem in common."""
    own = {name: [one for one in graded if one.benchmark == name] for name in benchmarks}
    rates = {}
    for name, repeats in own.items():
        tasks = common_tasks(repeats) if repeats else []
        if not tasks or [one.student.name for one in repeats] != [one.student.name for one in own[benchmarks[0]]]:
            return None
        rates[name] = tasks, pass_rates(repeats, tasks)
    return average_interval(rates) if rates else None


def score(repeats: Sequence[Graded]) -> SubsetScore:
    """pass@1 of a subset over the problems that every repeat has.

    pass@1 of a repeat is the mean over problems of c / n, where c of n samples pass. `mean` and `sd` are the mean and the
    sample standard deviation of the repeats' pass@1.
    """
    tasks = common_tasks(repeats)
    result = SubsetScore(
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
        return result
    rates = pass_rates(repeats, tasks)
    each = rates.mean(axis=1)
    sd = float(each.std(ddof=1)) if len(each) > 1 else None
    bases = [replace(one, solved=one.base) for one in repeats if one.base is not None]
    base_mean = float(pass_rates(bases, tasks).mean()) if len(bases) == len(repeats) else None
    interval = score_interval([rates], [1.0])
    return replace(result, mean=float(each.mean()), sd=sd, interval=interval, base_mean=base_mean)


def comparisons(graded: Sequence[Graded], benchmarks: Sequence[str]) -> list[Comparison]:
    """All pairs of subsets of each group on each benchmark. Holm's correction is over the pairs of one group and benchmark."""
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
    """Two subsets, each given as (name, repeats), compared over repeats and problems: by draw where they share draws."""
    (one, repeats), (two, others) = first, second
    tasks = common_tasks([*repeats, *others])
    of = max(graded.of for graded in (*repeats, *others))
    compared = Comparison(*group, benchmark, one, two, len(tasks), of, (len(repeats), len(others)))
    if not tasks:
        return compared
    rates = [pass_rates(graded, tasks) for graded in (repeats, others)]
    if paired := _share_draws(repeats, others):
        draws = len({graded.student.draw for graded in repeats})
        # sorted by draw and then by seed, so that the seeds of a draw stand together
        rates = [table.reshape(draws, -1, len(tasks)).mean(axis=1) for table in rates]
    found = difference(*rates, paired=paired)
    interval = found.interval and Interval(100 * found.interval.low, 100 * found.interval.high)
    run_effect = None if found.run_sd is None else 100 * found.run_sd
    compared = replace(compared, difference=100 * found.estimate, interval=interval, run_effect=run_effect)
    return replace(compared, p=found.p, df=found.df)


def _share_draws(first: Sequence[Graded], second: Sequence[Graded]) -> bool:
    """Whether both subsets have the same draws of the data, more than one, and the same seeds of the training for each."""
    runs, others = ({(one.student.draw, one.student.seed) for one in repeats} for repeats in (first, second))
    draws, seeds = ({run[part] for run in runs} for part in (0, 1))
    return runs == others == set(product(draws, seeds)) and None not in draws and len(draws) > 1


def common_tasks(repeats: Iterable[Graded]) -> list[str]:
    """The problems of which every repeat has a sample, in the order of the first repeat."""
    first, *others = repeats
    return [task for task in first.solved if all(task in other.solved for other in others)]


def pass_rates(repeats: Sequence[Graded], tasks: Sequence[str]) -> Floats:
    """pass@1 by problem, which is the share c / n of its samples that pass: float64, shape (repeats, problems)."""
    counts = np.array([[one.solved[task] for task in tasks] for one in repeats], dtype=np.float64)
    return counts[:, :, 0] / counts[:, :, 1]


def grouped(graded: Sequence[Graded]) -> dict[Group, dict[str, list[Graded]]]:
    """The repeats of each subset of each group, all sorted."""
    found: dict[Group, dict[str, list[Graded]]] = {}

    def order(one: Graded) -> tuple[object, ...]:
        student = one.student
        numbers = [int(piece) if piece.isdigit() else piece for piece in re.split(r"(\d+)", student.subset)]
        trained = not isinstance(student, BaseModel)
        # then the study's questions come first; in `numbers` text and numbers alternate, so that they can be compared
        question = (not student.rq, student.rq, student.model, student.source)
        return (trained, *question, numbers, student.draw or 0, student.seed)

    for one in sorted(graded, key=order):
        student = one.student
        group = found.setdefault((student.model, student.rq, student.source), {})
        group.setdefault(student.subset, []).append(one)
    return found
