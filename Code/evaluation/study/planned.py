"""What the study's plan says of a table: which contrasts are primary, which are missing, and which were trained without it."""

from collections.abc import Iterator, Sequence
from itertools import product

from training.study_plan import Contrast, StudyPlan

from evaluation.study.bases import BaseModel
from evaluation.study.comparisons import PRIMARY, Comparison
from evaluation.study.table import Graded

WITHOUT = "No plan (--plan): every comparison is exploratory. It can suggest what a study with a plan, written before its training, may confirm."


def plan_notes(plan: StudyPlan | None, comparisons: Sequence[Comparison], graded: Sequence[Graded]) -> Iterator[str]:
    """The sentences above the table: what was planned, and where the table is not what was planned."""
    if plan is None:
        if comparisons:
            yield WITHOUT
        return
    primary = [pair for pair in comparisons if pair.role == PRIMARY]
    yield (
        f"Plan: {plan.file}, sha256 {plan.sha256[:12]}: {len(plan.contrasts)} primary contrasts on {len(plan.benchmarks)} benchmarks with "
        f"{len(plan.students)} students, {plan.tests} tests, of which {sum(pair.p is not None for pair in primary)} are in this table. "
        "What is not among them is exploratory."
    )
    if outside := [" ".join(pair.labels) for pair in comparisons if pair.outside_plan]:
        yield f"Planned, but exploratory because not all students were trained under this very plan: {_listed(outside)}."
    there = {_key(pair.model, pair.benchmark, pair.rq, pair.source, pair.first, pair.second) for pair in comparisons}
    absent = [
        f"{student} {one.rq} {one.source} {benchmark} {one.first} {one.second}"
        for one, student, benchmark in product(plan.contrasts, plan.students, plan.benchmarks)
        if _key(student, benchmark, one.rq, one.source, one.first, one.second) not in there
    ]
    if absent:
        yield f"Planned and not in the table: {_listed(absent)}. Each counts as a test that shows nothing."
    if missing := list(_missing_seeds(plan, graded)):
        yield f"Planned with the seeds {' '.join(map(str, plan.seeds))}, of which some are not in the table: {_listed(missing)}."


def _key(student: str, benchmark: str, rq: str, source: str, first: str, second: str) -> tuple[str, ...]:
    return student, benchmark, rq, source, *sorted((first, second))


def _missing_seeds(plan: StudyPlan, graded: Sequence[Graded]) -> Iterator[str]:
    """Subsets of the plan's contrasts that have students, but not of every seed for every draw, as words."""
    found: dict[tuple[str, ...], set[int]] = {}
    for one in graded:
        student = one.student
        if not isinstance(student, BaseModel) and _is_planned(
            student.rq, student.source, student.subset, plan.contrasts
        ):
            draw = "" if student.draw is None else f"draw {student.draw}"
            own = (student.model, student.rq, student.source, student.subset, draw)
            found.setdefault(own, set()).add(student.seed)
    for labels, seeds in found.items():
        if labels[0] in plan.students and (missing := [str(seed) for seed in plan.seeds if seed not in seeds]):
            yield f"{' '.join(word for word in labels if word)} without {' '.join(missing)}"


def _is_planned(rq: str, source: str, subset: str, contrasts: Sequence[Contrast]) -> bool:
    """Whether a contrast has this subset; a control has no question of its own."""
    return any(source == one.source and rq in (one.rq, "") and subset in (one.first, one.second) for one in contrasts)


def _listed(items: Sequence[str], most: int = 8) -> str:
    more = f"; and {len(items) - most} more" if len(items) > most else ""
    return "; ".join(items[:most]) + more
