"""Subsets compared: what a plan makes primary, one family over the whole study, verdicts, and controls."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from evaluation.metrics.comparison import difference, holm
from evaluation.study.comparisons import DIFFERENT, EQUIVALENT, EXPLORATORY, PRIMARY, UNDECIDED, Comparison, comparisons
from evaluation.study.csv_files import comparisons_csv
from evaluation.study.planned import plan_notes
from evaluation.study.report import markdown
from evaluation.study.table import Graded, table_rows
from study_cases import ALG, HIGHER, LOWER, MIDDLE, PLAN_HASH, graded, planned, student

N = 200
T3_T1 = ("RQ1", "EVOL", "T1_LOWER", "T3_HIGHER")
SEEDS = (42, 43, 44)


def runs(
    stem: str, rates: Sequence[float], *, plan: str | None = PLAN_HASH, benchmark: str = "humaneval", n: int = N
) -> list[Graded]:
    """A student for each seed that solves this share of the problems, the easiest ones first."""
    return [
        graded(
            student(stem, seed=seed, plan=plan),
            [int(problem < rate * n) for problem in range(n)],
            benchmark=benchmark,
            of=n,
        )
        for seed, rate in zip(SEEDS, rates, strict=False)
    ]


def of(pairs: Sequence[Comparison], first: str, second: str) -> Comparison:
    (found,) = [pair for pair in pairs if (pair.first, pair.second) == (first, second)]
    return found


LOW, SAME, MUCH = (0.40, 0.41, 0.42), (0.41, 0.42, 0.40), (0.70, 0.71, 0.72)


@pytest.mark.parametrize(
    ("rates", "margin", "verdict"), [(MUCH, 5, DIFFERENT), (SAME, 5, EQUIVALENT), (SAME, 1, UNDECIDED)]
)
def test_a_primary_contrast_has_one_of_three_verdicts(rates: Sequence[float], margin: float, verdict: str) -> None:
    results = [*runs(LOWER, LOW), *runs(HIGHER, rates)]
    plan = planned(T3_T1, margin=margin)
    (pair,) = comparisons(results, ["humaneval"], plan)
    assert (pair.role, pair.verdict, pair.family) == (PRIMARY, verdict, 1)
    assert pair.interval and pair.interval_90 and pair.interval.low < pair.interval_90.low
    text = markdown(table_rows(results, ["humaneval"]), [pair], ["humaneval"], {}, [], margin=margin)
    shown = f"equivalent within {margin} points" if verdict == EQUIVALENT else verdict
    assert f"| T1_LOWER | T3_HIGHER | {shown} |" in text
    assert "no difference" not in text.replace("does not say that there is no difference", "")
    assert "## Primary contrasts" in text and "## Exploratory" not in text


def test_the_family_is_the_whole_plan_and_what_is_missing_counts() -> None:
    """Four contrasts on two benchmarks: eight tests, of which the table has three."""
    contrasts = [T3_T1, *(("RQ2", "EVOL", "ALG_50_PRAC_50", f"ALG_{n}_PRAC_{100 - n}") for n in (0, 20, 100))]
    plan = planned(*contrasts, benchmarks=("humaneval", "mbpp"))
    results = [*runs(LOWER, LOW), *runs(HIGHER, (0.47, 0.48, 0.46)), *runs(MIDDLE, LOW)]
    results += [*runs(LOWER, LOW, benchmark="mbpp"), *runs(HIGHER, SAME, benchmark="mbpp")]
    results += [replace(one, student=replace(one.student, draw=1)) for one in runs(ALG.format(50, 50, 1), LOW)]
    results += [replace(one, student=replace(one.student, draw=1)) for one in runs(ALG.format(0, 100, 1), MUCH)]
    found = comparisons(results, ["humaneval", "mbpp"], plan)
    primary = [pair for pair in found if pair.role == PRIMARY]
    assert [(pair.benchmark, pair.first, pair.second) for pair in primary] == [
        ("humaneval", "T1_LOWER", "T3_HIGHER"),
        ("mbpp", "T1_LOWER", "T3_HIGHER"),
        ("humaneval", "ALG_50_PRAC_50", "ALG_0_PRAC_100"),  # the plan's order
    ]
    assert {pair.family for pair in primary} == {8}
    p = [pair.p for pair in primary if pair.p is not None]
    assert [pair.p_holm for pair in primary] == holm([*p, *[1.0] * 5])[:3]
    # the exploratory pairs are a family of their own
    exploratory = [pair for pair in found if pair.role == EXPLORATORY]
    assert [(pair.first, pair.second, pair.family, pair.verdict) for pair in exploratory] == [
        ("T1_LOWER", "T2_MIDDLE", 2, None),
        ("T2_MIDDLE", "T3_HIGHER", 2, None),
    ]
    first, *notes = plan_notes(plan, found, results)
    assert "4 primary contrasts on 2 benchmarks with 1 students, 8 tests, of which 3 are in this table." in first
    assert any("Planned and not in the table: " in note and "RQ2 EVOL mbpp ALG_50_PRAC_50" in note for note in notes)


def test_without_a_plan_everything_is_exploratory() -> None:
    results = [*runs(LOWER, LOW), *runs(HIGHER, MUCH)]
    (pair,) = comparisons(results, ["humaneval"])
    assert (pair.role, pair.verdict, pair.family, pair.p_holm) == (EXPLORATORY, None, 1, pair.p)
    (note,) = plan_notes(None, [pair], results)
    assert note.startswith("No plan (--plan): every comparison is exploratory.")
    text = markdown([], [pair], ["humaneval"], {}, [note])
    assert "## Exploratory comparisons" in text and "Primary" not in text


@pytest.mark.parametrize("other", [None, "cd" * 32])
def test_a_student_of_another_plan_makes_its_contrasts_exploratory(other: str | None) -> None:
    results = [*runs(LOWER, LOW), *runs(HIGHER, MUCH)[:2], *runs(HIGHER, MUCH, plan=other)[2:]]
    results += [*runs("RQ3_DIVERSITY_T1_LOWER", LOW), *runs("RQ3_DIVERSITY_T3_HIGHER", MUCH)]
    plan = planned(T3_T1, ("RQ3", *T3_T1[1:]))
    one, two = comparisons(results, ["humaneval"], plan)
    assert (one.role, one.verdict, one.family, one.outside_plan) == (EXPLORATORY, None, 1, True)
    assert (two.role, two.verdict, two.family) == (PRIMARY, DIFFERENT, 2)  # the other one still counts
    notes = list(plan_notes(plan, [one, two], results))
    expected = "Planned, but exploratory because not all students were trained under this very plan: tiny-full RQ1 EVOL"
    assert any(note.startswith(expected) for note in notes)


def test_seeds_that_are_missing_are_named() -> None:
    results = [*runs(LOWER, LOW), *runs(HIGHER, MUCH)[:2]]
    plan = planned(T3_T1)
    pairs = comparisons(results, ["humaneval"], plan)
    *_, note = plan_notes(plan, pairs, results)
    assert note == (
        "Planned with the seeds 42 43 44, of which some are not in the table: tiny-full RQ1 EVOL T3_HIGHER without 44."
    )
    assert pairs[0].role == PRIMARY


def test_mixes_against_one_baseline_have_simultaneous_intervals() -> None:
    rng = np.random.default_rng(0)
    results = []
    for share in (0, 20, 50):
        for draw in (1, 2, 3):
            passes = [int(value) for value in rng.random(N) < 0.4 + share / 1000]
            results.append(graded(student(ALG.format(share, 100 - share, draw), plan=PLAN_HASH), passes, of=N))
    contrasts = [("RQ2", "EVOL", "ALG_50_PRAC_50", f"ALG_{n}_PRAC_{100 - n}") for n in (0, 20)]
    found = comparisons(results, ["humaneval"], planned(*contrasts, seeds=(42,)))
    for pair in found[1:]:
        assert pair.role == PRIMARY and pair.simultaneous and pair.interval and pair.p is not None
        assert pair.simultaneous.interval.low < pair.interval.low
        assert pair.p < pair.simultaneous.p <= 2 * pair.p
    assert (found[0].role, found[0].simultaneous) == (EXPLORATORY, None)
    lines = list(csv.DictReader(io.StringIO(b"".join(comparisons_csv(found)).decode())))
    assert list(lines[0])[:6] == ["student", "rq", "source", "benchmark", "first", "second"]
    new = ["role", "family_size", "low_90", "high_90", "verdict", "p_dunnett", "low_dunnett", "high_dunnett"]
    assert list(lines[0])[-9:] == [*new, "difference_without_leaked"]
    assert [line["role"] for line in lines] == [EXPLORATORY, PRIMARY, PRIMARY]
    assert lines[0]["p_dunnett"] == lines[0]["verdict"] == "" and float(lines[1]["p_dunnett"]) > float(lines[1]["p"])
    text = markdown([], found, ["humaneval"], {}, [], margin=5)
    assert "Dunnett's interval" in text
    # with a single contrast there is nothing to be simultaneous with
    (alone, *_) = [pair for pair in comparisons(results, ["humaneval"], planned(contrasts[0])) if pair.role == PRIMARY]
    assert alone.simultaneous is None


def test_controls_are_compared_with_the_subsets_of_each_question() -> None:
    results = [*runs(LOWER, LOW), *runs(HIGHER, MUCH), *runs("RQ3_DIVERSITY_T1_LOWER", LOW), *runs("EVOL", SAME)]
    plan = planned(("RQ1", "EVOL", "EVOL", "T3_HIGHER"), controls=("EVOL",))
    found = comparisons(results, ["humaneval"], plan)
    assert [(pair.rq, pair.first, pair.second, pair.role) for pair in found] == [
        ("RQ1", "T1_LOWER", "T3_HIGHER", EXPLORATORY),
        ("RQ1", "EVOL", "T1_LOWER", EXPLORATORY),
        ("RQ1", "EVOL", "T3_HIGHER", PRIMARY),
        ("RQ3", "EVOL", "T1_LOWER", EXPLORATORY),
    ]
    rows = table_rows(results, ["humaneval"])
    assert [(row.rq, row.subset) for row in rows][-1] == ("", "EVOL")
    lines = markdown(rows, found, ["humaneval"], {}, []).splitlines()
    assert [" ".join(line.split()[:12]) for line in lines if "(control) |" in line] == [
        f"| tiny-full | {rq} | EVOL | EVOL (control) | 3 |" for rq in ("RQ1", "RQ3")
    ]
    other = [*runs(LOWER, LOW), *runs("EVOL", SAME)]
    assert "(control)" not in markdown(table_rows(other[:3], ["humaneval"]), [], ["humaneval"], {}, [])


def test_how_runs_vary_is_learnt_from_all_subsets_alike() -> None:
    """T1 and T3 have two runs each that happen to be equal; those of T2 and of RQ3 say that runs vary."""
    some = [*runs(LOWER, (0.4, 0.4)), *runs(HIGHER, (0.45, 0.45))]
    more = [*runs(MIDDLE, (0.3, 0.5)), *runs("RQ3_DIVERSITY_T1_LOWER", (0.35, 0.45))]
    mixes = [graded(student(ALG.format(50, 50, n)), [int(p < n * 40) for p in range(N)], of=N) for n in (1, 2, 3)]
    (alone,) = comparisons(some, ["humaneval"])
    together = of(comparisons([*some, *more], ["humaneval"]), "T1_LOWER", "T3_HIGHER")
    assert alone.run_effect == 0 and together.run_effect and together.run_effect > 5
    # not from subsets with draws, nor from runs on other problems, nor from another student
    others = [replace(one, student=replace(one.student, model="other")) for one in more]
    fewer = [replace(one, solved=dict(list(one.solved.items())[:5])) for one in more]
    for unlike in (mixes, others, fewer):
        pair = next(
            one
            for one in comparisons([*some, *unlike], ["humaneval"])
            if one.second == "T3_HIGHER" and one.model != "other"
        )
        assert (pair.p, pair.run_effect) == (alone.p, 0) or pair.first == "T2_MIDDLE"
    tables = [[[int(problem < rate * N) for problem in range(N)] for rate in rates] for rates in ((0.4, 0.4), (0.45, 0.45), (0.3, 0.5), (0.35, 0.45))]  # fmt: skip
    assert together.p == pytest.approx(difference(*tables[:2], others=tables[2:]).p)
