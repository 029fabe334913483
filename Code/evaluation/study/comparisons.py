"""Subsets compared with each other: the primary contrasts of the study's plan as one family, all other pairs as exploratory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from training.study_plan import Contrast, StudyPlan

from evaluation.metrics.comparison import TOST_LEVEL, Difference, difference, equivalent, holm, interval_at
from evaluation.metrics.dunnett import Simultaneous, dunnett
from evaluation.metrics.intervals import LEVEL, Interval
from evaluation.study.table import Graded, Group, common_tasks, grouped, pass_rates

PRIMARY, EXPLORATORY = "primary", "exploratory"
DIFFERENT, EQUIVALENT, UNDECIDED = "different", "equivalent", "undecided"
Groups = Mapping[Group, Mapping[str, Sequence[Graded]]]  # the repeats of each subset of each group
Subset = tuple[str, Sequence[Graded]]  # its name and its repeats on one benchmark


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
    p_holm: float | None = None  # over the family
    df: float | None = None
    run_effect: float | None = None  # the standard deviation of a run's own effect, percentage points
    role: str = EXPLORATORY
    family: int = 0  # tests that p_holm is adjusted over
    interval_90: Interval | None = None  # what the test of equivalence reads
    verdict: str | None = None  # of a primary contrast: DIFFERENT, EQUIVALENT or UNDECIDED
    simultaneous: Simultaneous | None = (
        None  # Dunnett's, of a contrast that shares its first with others of its question
    )
    clean_difference: float | None = None  # as `difference`, without leaked problems, where a leakage report was read
    outside_plan: bool = False  # planned, but a student of it was not trained under the plan

    @property
    def labels(self) -> tuple[str, ...]:
        """What is compared: student, question, source, benchmark, and the two subsets."""
        return self.model, self.rq, self.source, self.benchmark, self.first, self.second


@dataclass(frozen=True, slots=True)
class _Tested:
    """A comparison, and the difference as a fraction from which it was made; None where there was no problem."""

    shown: Comparison
    found: Difference | None


def comparisons(graded: Sequence[Graded], benchmarks: Sequence[str], plan: StudyPlan | None = None) -> list[Comparison]:
    """All pairs of subsets of each group on each benchmark, and each with the controls of its source.

    A pair is primary where it is a contrast of the plan and all its students were trained under that very plan; it is second
    minus first as the plan has it. Holm's correction is over all tests of the plan together, those that are not in the table
    counting as p = 1, and for the others over the exploratory pairs of one group and benchmark.
    """
    groups = grouped(graded)
    tested = [_compared(*pair, groups, plan) for pair in _pairs(groups, benchmarks)]
    if plan:
        tested = _with_dunnett(tested)
    shown = [one.shown for one in tested]
    families: dict[tuple[str, ...], list[int]] = {}
    for at, pair in enumerate(shown):
        if pair.p is not None:
            families.setdefault((PRIMARY,) if pair.role == PRIMARY else pair.labels[:4], []).append(at)
    for key, members in families.items():
        size = plan.tests if plan and key == (PRIMARY,) else len(members)
        p_values = [pair.p for pair in (shown[at] for at in members) if pair.p is not None]
        adjusted = holm([*p_values, *[1.0] * (size - len(members))])
        for at, p in zip(members, adjusted, strict=False):
            shown[at] = replace(shown[at], p_holm=p, family=size)
    if plan:
        shown = [
            replace(pair, verdict=_verdict(pair, one.found, plan)) if pair.role == PRIMARY else pair
            for pair, one in zip(shown, tested, strict=True)
        ]
    return shown


def _pairs(groups: Groups, benchmarks: Sequence[str]) -> Iterator[tuple[Group, str, Subset, Subset]]:
    """Every pair of a group and benchmark: the group's own subsets, then controls of the source against each of them."""
    for group, subsets in groups.items():
        model, rq, source = group
        controls = groups.get((model, "", source), {}) if rq and source else {}
        for benchmark in benchmarks:
            own, others = (_on(benchmark, some) for some in (subsets, controls))
            pairs = [*combinations(own.items(), 2), *product(others.items(), own.items())]
            yield from ((group, benchmark, first, second) for first, second in pairs)


def _on(benchmark: str, subsets: Mapping[str, Sequence[Graded]]) -> dict[str, list[Graded]]:
    """The repeats of each subset that are graded on the benchmark; subsets without any are left out."""
    own = {name: [one for one in repeats if one.benchmark == benchmark] for name, repeats in subsets.items()}
    return {name: repeats for name, repeats in own.items() if repeats}


def _alike(groups: Groups, group: Group, benchmark: str, pair: Sequence[Graded]) -> Iterator[Sequence[Graded]]:
    """The repeats of other subsets whose runs vary as the pair's do, on the problems that it has.

    Where the pair has draws of the data they are the subsets of its question; where it has one draw, all such subsets of that
    student, whatever their question and source.
    """
    drawn = any(one.student.draw is not None for one in pair)
    tasks, own = common_tasks(pair), {one.student.name for one in pair}
    for (model, rq, source), subsets in groups.items():
        if model != group[0] or (drawn and (rq, source) != group[1:]):
            continue
        for repeats in _on(benchmark, subsets).values():
            if own & {one.student.name for one in repeats} or (not drawn and repeats[0].student.draw is not None):
                continue
            if all(task in one.solved for one in repeats for task in tasks):
                yield repeats


def _compared(
    group: Group, benchmark: str, first: Subset, second: Subset, groups: Groups, plan: StudyPlan | None
) -> _Tested:
    """Two subsets compared over repeats and problems: by draw where they share draws, in the plan's order where it has them."""
    contrast = _planned(group, benchmark, (first[0], second[0]), plan)
    if contrast and contrast.first == second[0]:
        first, second = second, first
    (one, repeats), (two, others) = first, second
    tasks = common_tasks([*repeats, *others])
    of = max(graded.of for graded in (*repeats, *others))
    compared = Comparison(*group, benchmark, one, two, len(tasks), of, (len(repeats), len(others)))
    if plan and contrast:
        under = all(graded.student.study_plan == plan.sha256 for graded in (*repeats, *others))
        compared = replace(compared, role=PRIMARY if under else EXPLORATORY, outside_plan=not under)
    if not tasks:
        return _Tested(compared, None)
    pool = list(_alike(groups, group, benchmark, [*repeats, *others]))
    if paired := _share_draws(repeats, others):
        pool = [more for more in pool if _share_draws(repeats, more)]
    rates = [pass_rates(graded, tasks) for graded in (repeats, others, *pool)]
    if paired:
        draws = len({graded.student.draw for graded in repeats})
        # sorted by draw and then by seed, so that the seeds of a draw stand together
        rates = [table.reshape(draws, -1, len(tasks)).mean(axis=1) for table in rates]
    found = difference(*rates[:2], paired=paired, others=rates[2:])
    compared = replace(
        compared,
        difference=100 * found.estimate,
        interval=_points(found.interval),
        run_effect=None if found.run_sd is None else 100 * found.run_sd,
        p=found.p,
        df=found.df,
        interval_90=_points(interval_at(found, TOST_LEVEL)),
    )
    return _Tested(compared, found)


def _planned(group: Group, benchmark: str, names: tuple[str, str], plan: StudyPlan | None) -> Contrast | None:
    """The plan's contrast of these two subsets, in whatever order; None where it has none for this student and benchmark."""
    if not plan or group[0] not in plan.students or benchmark not in plan.benchmarks:
        return None
    wanted = (*group[1:], set(names))
    return next((one for one in plan.contrasts if (one.rq, one.source, {one.first, one.second}) == wanted), None)


def _with_dunnett(tested: Sequence[_Tested]) -> list[_Tested]:
    """Simultaneous intervals where several primary contrasts of a question, source, student and benchmark share their first."""
    families: dict[tuple[str, ...], list[int]] = {}
    for at, one in enumerate(tested):
        if one.shown.role == PRIMARY and one.found:
            families.setdefault(one.shown.labels[:5], []).append(at)
    adjusted = list(tested)
    for members in (some for some in families.values() if len(some) > 1):
        found = [one.found for one in (tested[at] for at in members) if one.found]
        repeats = [tested[at].shown.repeats for at in members]
        for at, own in zip(members, dunnett(found, [k for _, k in repeats], repeats[0][0]), strict=True):
            points = own and Simultaneous(own.p, Interval(100 * own.interval.low, 100 * own.interval.high))
            adjusted[at] = replace(tested[at], shown=replace(tested[at].shown, simultaneous=points))
    return adjusted


def _verdict(pair: Comparison, found: Difference | None, plan: StudyPlan) -> str:
    """Different where p (Holm) is below 5%; else equivalent where TOST says so; else nothing is decided."""
    if pair.p_holm is not None and pair.p_holm < 1 - LEVEL:
        return DIFFERENT
    return EQUIVALENT if found and equivalent(found, plan.margin_points / 100) else UNDECIDED


def _points(interval: Interval | None) -> Interval | None:
    """An interval of fractions in percentage points."""
    return interval and Interval(100 * interval.low, 100 * interval.high)


def _share_draws(first: Sequence[Graded], second: Sequence[Graded]) -> bool:
    """Whether both subsets have the same draws of the data, more than one, and the same seeds of the training for each."""
    runs, others = ({(one.student.draw, one.student.seed) for one in repeats} for repeats in (first, second))
    draws, seeds = ({run[part] for run in runs} for part in (0, 1))
    return runs == others == set(product(draws, seeds)) and None not in draws and len(draws) > 1
