"""LiveCodeBench: its files in both forms, releases and dates, and damage that is named."""

import json
import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from benchmarks.contract import Problem, Selection
from benchmarks.livecodebench.benchmark import LiveCodeBench
from livecodebench_rows import DOUBLE, calls, fusion, packed, row, written
from sandbox.contract import Limits, Sandbox
from sandbox.judging.verdict import INFRA_ERROR
from seedkit.errors import InputError

LIMITS = Limits(6.0)
BENCHMARK = LiveCodeBench()


def test_dates_count_with_both_ends(tmp_path: Path) -> None:
    path = written(tmp_path / "problems.jsonl", *map(row, range(1, 6)))
    window = Selection(date_from=date(2024, 2, 1), date_to=date(2024, 4, 1))
    assert [problem.task_id for problem in LiveCodeBench(window).load(path)] == ["abc2_a", "abc3_a", "abc4_a"]
    assert len(LiveCodeBench(Selection(date_from=date(2024, 5, 1))).load(path)) == 1
    with pytest.raises(InputError, match="within the dates, got none"):
        LiveCodeBench(Selection(date_from=date(2025, 1, 1))).load(path)


def test_a_release_is_the_first_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 7):
        written(tmp_path / f"test{number if number > 1 else ''}.jsonl", row(number))
    assert len(BENCHMARK.load(tmp_path)) == 5
    assert "release_v5 has 880 problems, these files have 5" in capsys.readouterr().err
    assert len(LiveCodeBench(Selection(release="release_v6")).load(tmp_path)) == 6
    assert len(LiveCodeBench(Selection(release="release_v1")).load(tmp_path)) == 1
    with pytest.raises(InputError, match="expected one of release_v1, .*release_v6"):
        LiveCodeBench(Selection(release="v5")).load(tmp_path)
    with pytest.raises(InputError, match="expected a folder"):
        LiveCodeBench(Selection(release="release_v5")).load(tmp_path / "test.jsonl")
    (tmp_path / "test3.jsonl").unlink()
    with pytest.raises(InputError, match=r"of release_v5, got no test3\.jsonl"):
        BENCHMARK.load(tmp_path)
    written(tmp_path / "test3.jsonl", row(1))
    with pytest.raises(InputError, match=r"test3\.jsonl:1: expected every task_id once, got abc1_a again"):
        BENCHMARK.load(tmp_path)


def test_without_the_hub_it_says_what_to_do() -> None:
    with pytest.raises(InputError, match="neither in the hub's cache nor to be had"):
        BENCHMARK.load(None)


def test_what_is_no_problem_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    for text, message in (
        ("", "expected problems of LiveCodeBench"),
        ("{\n", ":1: expected one JSON object"),
        ("\n[]\n", ":2: expected an object"),
        ("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            BENCHMARK.load(path)
    with pytest.raises(InputError, match="cannot be read"):
        BENCHMARK.load(tmp_path / "missing.jsonl")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"question_id": None}, "expected the id of a problem"),
        ({"contest_date": "soon"}, "expected a date"),
        ({"platform": 3}, '"platform" must be a string'),
        ({"starter_code": None}, '"starter_code" must be a string'),
        ({"public_test_cases": "[]", "private_test_cases": "[]"}, "expected tests, .* got 0 tests"),
        ({"public_test_cases": "[1]"}, "expected objects"),
        ({"public_test_cases": "[{}]"}, "expected texts as input and output"),
        ({"public_test_cases": "[1"}, "expected JSON"),
        ({"public_test_cases": [1]}, "must be a string"),
        ({"private_test_cases": json.dumps([calls("1", "2")])}, "all of a program or all of a function"),
        ({"metadata": "[]"}, 'expected JSON in "metadata"'),
    ],
)
def test_a_damaged_row_is_refused(load: Callable[..., Problem], changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=rf"problems\.jsonl:1: .*{message}|problems\.jsonl:1: {message}"):
        load(**changed)


@pytest.mark.parametrize(
    ("given", "right", "said"),
    [("1\n[2]", "3", ""), ("x", "1", "test 2 of 2"), ("1", "", "test 2 of 2"), ('"\\ud800"', "NaN", "")],
)
def test_a_function_with_a_test_that_nothing_can_pass_is_reported(
    load: Callable[..., Problem], capsys: pytest.CaptureFixture[str], given: str, right: str, said: str
) -> None:
    starter = "class Solution:\n    def f(self, a):\n"
    load(
        starter_code=starter,
        public_test_cases=json.dumps([calls("1", "2"), calls(given, right)]),
        private_test_cases="[]",
    )
    captured = capsys.readouterr()
    assert ("is no JSON: no answer can pass" in captured.err + captured.out) is bool(said)
    assert said in captured.err + captured.out


def test_the_other_packed_form(tmp_path: Path) -> None:
    tests = {"inputs": ["1\n", "2\n"], "outputs": ["2\n", "4\n"], "fn_name": None}
    path = written(tmp_path / "packed.jsonl", fusion(packed(pickle.dumps({"input_output": json.dumps(tests)}))))
    (problem,) = BENCHMARK.load(path)
    assert problem.task_id == "7_A"
    assert problem.prompt == "### Question\nDouble.\n\n### Answer\n\n"
    assert problem.instruction.startswith("You are an expert.\n### Question")
    assert [test.output for test in problem.tests.read()] == ["2\n", "4\n"]
    with pytest.raises(InputError, match=r"packed\.jsonl:1: expected the date of a contest"):
        LiveCodeBench(Selection(date_to=date(2025, 1, 1))).load(path)
    written(path, fusion(packed(pickle.dumps({"input_output": json.dumps(tests | {"outputs": []})}))))
    with pytest.raises(InputError, match='expected as many "inputs" as "outputs"'):
        BENCHMARK.load(path)
    for changes, message in (
        ({"inputs": [], "outputs": []}, "got no test"),
        ({"fn_name": 5}, "got 5 for a function"),
        ({"fn_name": "None"}, "the name of a function to call, got 'None'"),
    ):
        written(path, fusion(packed(pickle.dumps({"input_output": json.dumps(tests | changes)}))))
        with pytest.raises(InputError, match=message):
            BENCHMARK.load(path)
    written(path, fusion("") | {"labels": "[]"})
    with pytest.raises(InputError, match="expected task_id, category and difficulty"):
        BENCHMARK.load(path)


def test_a_file_that_changed_meanwhile_gives_no_verdict(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    problem = load()
    written(problem.tests.path, row(2))
    verdict = BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS)
    assert verdict.name == INFRA_ERROR
    assert "expected the line that was there before" in verdict.stderr
    problem.tests.path.unlink()
    assert BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS).name == INFRA_ERROR
