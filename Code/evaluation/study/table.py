"""The figures of a study: pass@1 of every subset over its repeats, what became of its answers, and what it was trained on."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from evaluation.metrics.intervals import Interval, score_interval
from evaluation.metrics.random_effects import Floats
from evaluation.study.averages import Counts, average, average_interval
from evaluation.study.bases import BaseModel, Candidate
from evaluation.study.students import TRAINED

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
    verdicts: Mapping[str, int] = field(default_factory=dict)  # samples, by verdict
    cut: int = 0  # samples whose tokens ran out (finish_reason length)


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
    verdicts: Mapping[str, int] = field(default_factory=dict)  # samples of all repeats, by verdict
    cut: int = 0  # samples of all repeats whose tokens ran out
    clean_mean: float | None = None  # as `mean`, without the problems that leaked into the data of some student
    clean_problems: int | None = None  # how many are left then; None where no leakage report was read


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
    trained: Mapping[str, float] = field(default_factory=dict)  # of TRAINED what all repeats know, the mean over them


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
            interval = _average_interval(repeats, benchmarks)
            rows.append(SubsetRow(model, rq, source, subset, scores, mean, interval, _trained(repeats)))
    return rows


def with_clean(rows: Sequence[SubsetRow], clean: Sequence[SubsetRow]) -> list[SubsetRow]:
    """The rows with the scores of `clean` beside theirs: the same rows, of the verdicts without leaked problems."""
    found = []
    for row, other in zip(rows, clean, strict=True):
        scores = {
            name: replace(one, clean_mean=other.scores[name].mean, clean_problems=other.scores[name].problems)
            for name, one in row.scores.items()
        }
        found.append(replace(row, scores=scores))
    return found


def _trained(graded: Sequence[Graded]) -> dict[str, float]:
    """What training took, the mean over the students of a subset, where all of them know it."""
    each = list({one.student.name: one.student.trained for one in graded}.values())
    return {key: sum(one[key] for one in each) / len(each) for key in TRAINED if all(key in one for one in each)}


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
        verdicts=sum((Counter(one.verdicts) for one in repeats), Counter[str]()),
        cut=sum(one.cut for one in repeats),
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
