"""The figures of a study on results made by hand, against numbers worked out by hand."""

import csv
import io
import math
import random
from collections.abc import Iterable

import numpy as np
import pytest
from evaluation.metrics.comparison import holm
from evaluation.study.comparisons import comparisons
from evaluation.study.csv_files import comparisons_csv
from evaluation.study.report import markdown
from evaluation.study.table import table_rows
from scipy.stats import t
from study_cases import ALG, BENCHMARKS, HIGHER, LOWER, MIDDLE, graded, student, two_subsets


def read(lines: Iterable[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(lines).decode())))


def test_two_subsets_of_three_repeats() -> None:
    results = two_subsets()
    random.Random(1).shuffle(results)
    first, second = table_rows(results, BENCHMARKS)
    assert (first.rq, first.source, first.subset, second.subset) == ("RQ2", "EVOL", "ALG_20_PRAC_80", "ALG_80_PRAC_20")
    low, high = first.scores["humaneval"], second.scores["humaneval"]
    assert (low.repeats, low.problems, low.of, low.final) == (3, 4, 4, True)
    assert (low.mean, low.sd) == pytest.approx((0.75, 0.25))
    assert (high.mean, high.sd) == pytest.approx((0.5, 0.25))
    assert low.interval and high.interval
    # 0.3446 to 0.9448 over problems alone: 1, 1, 2/3, 1/3 vary as 5.28 problems of one sample do, 4 x 0.2337 / 0.1771, with
    # z^2 / 2 = 1.92 zeros and ones besides; that the repeats are 1, 3/4, 1/2 leaves 2.50 of them
    assert (low.interval.low, low.interval.high) == pytest.approx((0.1827, 0.9758), abs=1e-4)
    assert high.interval.low < 0.5 < high.interval.high
    assert first.scores.keys() == {"humaneval"}
    (pair,) = comparisons(results, BENCHMARKS)
    assert (pair.first, pair.second, pair.benchmark) == ("ALG_20_PRAC_80", "ALG_80_PRAC_20", "humaneval")
    assert pair.difference == pytest.approx(-25.0)
    assert pair.repeats == (3, 3) and pair.df and pair.p == pair.p_holm
    # by problem 0, -1/3, -1/3, -1/3, less than two of +-1/3 alone: P = 2/9 / 5 / 4; by draw -1/2, -1/2, 1/4: S / 3 = 1/16
    problems, draws = 1 / 90, 1 / 16
    rates = np.array([[[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0]], [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0]]])
    apart = rates[1] - rates[0]
    rest = apart - apart.mean(axis=1, keepdims=True) - apart.mean(axis=0) + apart.mean()
    error = float((rest**2).sum()) / (2 * 3 * 4 * 3)
    variance = problems + draws - error
    df = variance**2 / (problems**2 / 3 + draws**2 / 2 + error**2 / 6)
    assert pair.df == pytest.approx(df)
    assert pair.p == pytest.approx(2 * t.sf(0.25 / variance**0.5, df))


def test_repeats_are_draws_times_seeds() -> None:
    results = [
        graded(student(ALG.format(50, 50, repeat), seed=seed), [1, 0]) for repeat in (1, 2, 3) for seed in (42, 43)
    ]
    (row,) = table_rows(results, ["humaneval"])
    assert (row.scores["humaneval"].repeats, row.scores["humaneval"].sd) == (6, 0.0)
    assert comparisons(results, ["humaneval"]) == []


def test_seeds_of_a_draw_are_one_run_of_the_pair() -> None:
    """Three draws with two seeds each, in both subsets: as three runs of twice the samples."""
    passes = [[(1, 1, 0, 0), (1, 0, 0, 1)], [(1, 0, 0, 0), (0, 0, 0, 0)], [(1, 1, 1, 0), (1, 1, 1, 1)]]
    apart, together = [], []
    for share in (80, 20):
        for draw, runs in enumerate(passes, 1):
            own = [run if share == 80 else (1, *run[1:]) for run in runs]
            who = ALG.format(share, 100 - share, draw)
            apart += [graded(student(who, seed=seed), run) for seed, run in zip((42, 43), own, strict=True)]
            together.append(graded(student(who), [(sum(both), 2) for both in zip(*own, strict=True)]))
    (pair,), (same,) = comparisons(apart, ["humaneval"]), comparisons(together, ["humaneval"])
    assert (pair.repeats, same.repeats) == ((6, 6), (3, 3))
    assert (pair.difference, pair.p, pair.df) == pytest.approx((same.difference, same.p, same.df))
    # a run that is missing leaves no pairs: all runs count, each by itself
    (unpaired,) = comparisons(apart[:-1], ["humaneval"])
    assert unpaired.repeats == (5, 6) and unpaired.df != pytest.approx(pair.df)


def test_unequal_repeats_of_equal_subsets_are_not_told_apart() -> None:
    """By majority the second subset solved 12 problems of 40 that the first did not, for two repeats of three made it easy."""
    runs = [[1 if (problem + repeat) % 2 else 0 for problem in range(40)] for repeat in range(3)]
    results = [graded(student(LOWER, seed=seed), run, of=40) for seed, run in enumerate(runs[:2])]
    results += [graded(student(HIGHER, seed=seed), run, of=40) for seed, run in enumerate(runs)]
    (pair,) = comparisons(results, ["humaneval"])
    assert pair.repeats == (2, 3) and pair.p is not None and pair.p > 0.5


def test_holm_over_the_pairs_of_a_question() -> None:
    results = [
        graded(student(stem, seed=seed), [1] * (solved + seed) + [0] * (10 - solved - seed), of=10)
        for stem, solved in ((LOWER, 0), (MIDDLE, 5), (HIGHER, 8))
        for seed in (0, 1)
    ]
    found = comparisons(results, ["humaneval"])
    assert [(pair.first, pair.second) for pair in found] == [
        ("T1_LOWER", "T2_MIDDLE"),
        ("T1_LOWER", "T3_HIGHER"),
        ("T2_MIDDLE", "T3_HIGHER"),
    ]
    assert [pair.difference for pair in found] == pytest.approx([50, 80, 30])
    p = [pair.p for pair in found if pair.p is not None]
    assert p[1] < p[0] < p[2] < 1 and [pair.p_holm for pair in found] == holm(p)


def test_a_family_is_one_question_source_student_and_benchmark() -> None:
    seeds = {
        seed: [
            graded(student(stem, source=source, model=model, seed=seed), passes, benchmark=benchmark)
            for stem in (LOWER, HIGHER, "RQ3_DIVERSITY_T1_LOWER", "RQ3_DIVERSITY_T3_HIGHER")
            for source in ("EVOL", "OSS")
            for model in ("a-full", "b-full")
            for benchmark in BENCHMARKS
        ]
        for seed, passes in ((42, [1, 0, 1, 0]), (43, [1, 1, 0, 0]))
    }
    found = comparisons(seeds[42], BENCHMARKS)
    assert len(found) == 16
    assert {(pair.first, pair.second) for pair in found} == {("T1_LOWER", "T3_HIGHER")}
    assert len(table_rows(seeds[42], BENCHMARKS)) == 16
    text = markdown([], comparisons(seeds[42] + seeds[43], BENCHMARKS), BENCHMARKS, {}, [])
    assert "16 families of pairs" in text and "somewhere in this table would be 56%." in text
    assert "families of pairs" not in markdown([], found, BENCHMARKS, {}, [])  # one repeat each: nothing is tested


def test_unequal_sets_are_compared_over_what_both_have() -> None:
    """T1 has the problems 0 to 3 of 10, T3 2 to 5: both have 2 and 3, where T1 solves one and T3 two."""
    results = [
        graded(student(LOWER), [1, 0, 0, 1], of=10),
        graded(student(HIGHER), [1, 1, 0, 0], of=10, first=2),
        graded(student(MIDDLE), [1], of=10, first=9),
    ]
    rows = table_rows(results, ["humaneval"])
    assert [row.scores["humaneval"].mean for row in rows] == [0.5, 1.0, 0.5]
    found = {(pair.first, pair.second): pair for pair in comparisons(results, ["humaneval"])}
    pair = found["T1_LOWER", "T3_HIGHER"]
    assert (pair.problems, pair.of, pair.difference, pair.p, pair.p_holm) == (2, 10, 50.0, None, None)
    none = found["T1_LOWER", "T2_MIDDLE"]
    assert (none.problems, none.difference, none.interval, none.p, none.p_holm) == (0, None, None, None, None)
    text = markdown(rows, list(found.values()), ["humaneval"], {}, [])
    assert "| 50.0 over 4 of 10 problems |" in text
    assert "| 2 of 10 |" in text
    line = next(line for line in read(comparisons_csv(found.values())) if line["second"] == "T2_MIDDLE")
    assert (line["difference_points"], line["low"], line["p"], line["p_holm"], line["problems"]) == (
        "",
        "",
        "",
        "",
        "0",
    )


def test_repeats_with_unequal_sets_count_what_all_have() -> None:
    results = [
        graded(student(ALG.format(50, 50, 1)), [1, 1, 0, 0]),
        graded(student(ALG.format(50, 50, 2)), [0, 1]),
    ]
    (row,) = table_rows(results, ["humaneval"])
    score = row.scores["humaneval"]
    assert (score.problems, score.mean, score.sd) == pytest.approx((2, 0.75, math.sqrt(0.125)))
    (empty,) = table_rows([*results, graded(student(ALG.format(50, 50, 3)), [1], first=3)], ["humaneval"])
    nothing = empty.scores["humaneval"]
    assert (nothing.repeats, nothing.problems, nothing.mean, nothing.sd, nothing.interval) == (3, 0, None, None, None)
    text = markdown([empty], [], ["humaneval"], {}, [])
    assert "|  over 0 of 4 problems |" in text
    assert "All zero" not in text


def test_several_samples_a_problem() -> None:
    """c / n by problem: 3/4, 1/4, 0, and 4/4, 2/4, 1/4."""
    results = [
        graded(student(LOWER), [(3, 4), (1, 4), (0, 4)], of=3),
        graded(student(HIGHER), [(4, 4), (2, 4), (1, 4)], of=3),
    ]
    low, high = (row.scores["humaneval"] for row in table_rows(results, ["humaneval"]))
    assert (low.mean, high.mean) == pytest.approx((1 / 3, 7 / 12))
    assert low.sd is None
    (pair,) = comparisons(results, ["humaneval"])
    assert pair.difference == pytest.approx(25.0)
    assert (pair.repeats, pair.interval, pair.p) == ((1, 1), None, None)
    text = markdown([], [pair], ["humaneval"], {}, [])
    assert "| +25.0 |  |  |  | 1 and 1 | 3 |" in text and "two subsets and their seeds cannot be told apart" in text


def test_one_problem_one_sample() -> None:
    (row,) = table_rows([graded(student(LOWER), [1], of=164)], ["humaneval"])
    score = row.scores["humaneval"]
    assert (score.mean, score.sd, score.problems) == (1.0, None, 1)
    assert score.interval and (score.interval.low, score.interval.high) == pytest.approx((0.2065, 1.0), abs=1e-4)


def test_rows_stand_in_the_order_of_the_study() -> None:
    stems = [
        "OTHER",
        "RQ4_BREADTH_CODE_100",
        *(ALG.format(share, 100 - share, 1) for share in (100, 80, 50, 20, 0)),
        HIGHER,
        LOWER,
        "RQ4_BREADTH_CODE_97_MATH_3_random_sample_1",
        "RQ4_BREADTH_CODE_97_GENERAL_3_random_sample_1",
    ]
    rows = table_rows([graded(student(stem), [1]) for stem in stems], ["humaneval"])
    assert [row.subset for row in rows] == [
        "T1_LOWER",
        "T3_HIGHER",
        "ALG_0_PRAC_100",
        "ALG_20_PRAC_80",
        "ALG_50_PRAC_50",
        "ALG_80_PRAC_20",
        "ALG_100_PRAC_0",
        "CODE_97_GENERAL_3",
        "CODE_97_MATH_3",
        "CODE_100",
        "OTHER",
    ]


def test_the_average_counts_languages_as_one_and_needs_every_benchmark() -> None:
    names = ["humaneval", "multipl-e-js", "multipl-e-cpp"]
    values = [[1, 1, 0, 0], [1, 0], [0, 0]]
    results = [graded(student(LOWER), one, benchmark=name) for name, one in zip(names, values, strict=True)]
    results += [graded(student(HIGHER), [1], benchmark="humaneval")]
    low, high = table_rows(results, names)
    assert low.average == (0.5 + (0.5 + 0) / 2) / 2
    assert low.average_interval and low.average_interval.low < 0.375 < low.average_interval.high
    assert (high.average, high.average_interval) == (None, None)
    (alone,) = table_rows(results[-1:], ["humaneval"])
    assert alone.average == 1.0 and alone.average_interval == alone.scores["humaneval"].interval
    text = markdown([low, high], [], names, {}, [], ["multipl-e-jl"])
    header, _, first, second = [line for line in text.splitlines() if line.startswith("|")]
    assert header.endswith("| multipl-e-jl |") and first.endswith("| not run |") and "| 37.5 | " in first
    assert second.endswith("| not run |")
