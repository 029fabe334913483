"""The tables of a study as CSV and markdown: fractions and percent, empty cells, and what is said beside the figures."""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace

from evaluation.study.comparisons import Comparison, comparisons
from evaluation.study.csv_files import study_csv
from evaluation.study.report import markdown
from evaluation.study.table import SubsetRow, table_rows
from study_cases import ALG, BENCHMARKS, HIGHER, LOWER, MIDDLE, graded, student, two_subsets


def read(lines: Iterable[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(lines).decode())))


def test_all_zero_is_said_and_divides_nothing() -> None:
    results = [graded(student(stem), [0, 0, 0, 0]) for stem in (LOWER, MIDDLE, HIGHER)]
    results.append(graded(student(LOWER), [1, 0], benchmark="mbpp", of=2))
    rows, pairs = table_rows(results, BENCHMARKS), comparisons(results, BENCHMARKS)
    assert [(pair.difference, pair.p, pair.p_holm) for pair in pairs] == [(0.0, None, None)] * 3
    text = markdown(rows, pairs, BENCHMARKS, {"humaneval": "HumanEval"}, [])
    assert "no student solved any problem of HumanEval; its pass@1 tells nothing about the subsets." in text
    assert "problem of mbpp" not in text
    assert "-0.0" not in text and "nan" not in text
    assert (read(study_csv(rows, BENCHMARKS))[1]["humaneval_pass@1"], pairs[0].interval) == ("0", pairs[1].interval)


def test_the_csv_has_fractions_and_leaves_empty_what_is_not_there() -> None:
    results = [*two_subsets(), graded(student(LOWER), [1, 0, 0], benchmark="mbpp", of=3, final=False)]
    rows = table_rows(results, BENCHMARKS)
    lines = read(study_csv(rows, BENCHMARKS))
    assert list(lines[0])[:16] == [
        "student",
        "rq",
        "source",
        "subset",
        "average",
        "average_low",
        "average_high",
        "humaneval_repeats",
        "humaneval_pass@1",
        "humaneval_sd",
        "humaneval_low",
        "humaneval_high",
        "humaneval_problems",
        "humaneval_of",
        "humaneval_final",
        "humaneval_isolated",
    ]
    lower, mixed, _ = lines
    assert [lower[f"humaneval_{what}"] for what in ("repeats", "pass@1", "sd", "low", "of", "final")] == [""] * 6
    assert (lower["mbpp_pass@1"], lower["mbpp_sd"], lower["mbpp_final"]) == ("0.333333", "", "no")
    assert (mixed["rq"], mixed["humaneval_pass@1"], mixed["humaneval_sd"]) == ("RQ2", "0.75", "0.25")
    text = markdown(rows, [], BENCHMARKS, {}, ["Left out: x."])
    assert "| 33.3, not final |" in text and "Not final: some samples could not be judged" in text
    assert "Left out: x." in text
    assert "| 75.0 | 25.0 |" in text


def test_nothing_graded_is_an_empty_table() -> None:
    rows: list[SubsetRow] = table_rows([], BENCHMARKS)
    pairs: list[Comparison] = comparisons([], BENCHMARKS)
    assert (rows, pairs) == ([], [])
    assert len(b"".join(study_csv(rows, BENCHMARKS)).splitlines()) == 1


def test_the_base_tests_stand_beside_and_count_nowhere() -> None:
    """Two repeats on HumanEval+: 1/2 and 0 on all tests, 1 and 1/2 on the base tests alone."""
    who = [student(ALG.format(80, 20, repeat)) for repeat in (1, 2)]
    results = [
        replace(graded(one, passes, benchmark="humaneval-plus", of=2), base=base)
        for one, passes, base in zip(
            who, ([1, 0], [0, 0]), ({"t/0": (1, 1), "t/1": (1, 1)}, {"t/0": (1, 1), "t/1": (0, 1)}), strict=True
        )
    ]
    results += [graded(one, [1, 1], benchmark="mbpp", of=2) for one in who]
    benchmarks = ["humaneval-plus", "mbpp"]
    rows = table_rows(results, benchmarks)
    (line,) = read(study_csv(rows, benchmarks))
    assert (line["humaneval-plus_pass@1"], line["humaneval-plus_base_pass@1"]) == ("0.25", "0.75")
    assert line["average"] == "0.625" and "mbpp_base_pass@1" not in line
    assert list(line)[16:18] == ["humaneval-plus_base_pass@1", "mbpp_repeats"]
    text = markdown(rows, [], benchmarks, {}, [])
    assert "| humaneval-plus interval | humaneval-plus base | mbpp repeats |" in text
    assert "| 75.0 | 2 | 100.0 |" in text and "base: pass@1 on the tests of the base benchmark alone." in text
    without = markdown(table_rows(results[2:], ["mbpp"]), [], ["mbpp"], {}, [])
    assert "base" not in without
    # a repeat that was graded without base tests leaves no figure of the others alone
    mixed = table_rows([replace(results[0], base=None), *results[1:]], benchmarks)
    assert mixed[0].scores["humaneval-plus"].base_mean is None


def test_comparisons_are_on_all_tests() -> None:
    one, two = student(LOWER), student(MIDDLE)
    base = {f"t/{number}": (1, 1) for number in range(4)}
    results = [replace(graded(one, [1, 0, 0, 0], benchmark="mbpp-plus"), base=base)]
    results.append(replace(graded(two, [1, 1, 1, 0], benchmark="mbpp-plus"), base=base))
    (pair,) = comparisons(results, ["mbpp-plus"])
    assert pair.difference == 50.0


def test_what_students_were_trained_on_is_said_where_it_differs() -> None:
    """By more than a tenth, and of records that are cut by more than one in a hundred of all."""

    def text(**of_the_higher: int) -> str:
        results = []
        for stem, changed in ((LOWER, {}), (HIGHER, of_the_higher)):
            trained = {"records": 1000, "tokens": 9000, "steps": 50, "truncated_records": 1, **changed}
            results.append(replace(graded(replace(student(stem), trained=trained), [1, 0])))
        return markdown(table_rows(results, ["humaneval"]), [], ["humaneval"], {}, [])

    assert "| tiny-full | RQ1 | EVOL | T1_LOWER | 1,000 | 9,000 |  |  | 50 | 1 |" in text()
    for alike in ({}, {"tokens": 9800, "steps": 54}, {"truncated_records": 11}, {"records": 1090}):
        assert "trained on different" not in text(**alike), alike
    assert (
        "tiny-full RQ1 EVOL: trained on different numbers of tokens of a pass (9,000 of T1_LOWER to 40,000 of T3_HIGHER), records cut "
        "at the cutoff (1 of T1_LOWER to 12 of T3_HIGHER). Differences between these subsets may come of that."
    ) in text(tokens=40_000, truncated_records=12)
