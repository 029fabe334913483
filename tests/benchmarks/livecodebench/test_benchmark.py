"""LiveCodeBench: its task ids, what counts of an answer, and real problems with answers written by hand."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from benchmarks.contract import Problem, Selection
from benchmarks.livecodebench.benchmark import LiveCodeBench
from benchmarks.livecodebench.prompts import method_of
from livecodebench_variants import PRINTED, RETURNED, SOLVED, printing, raw_problems, returning
from sandbox.contract import Limits, Sandbox
from sandbox.judging.verdict import FAIL, PASS
from support import rows

LIMITS = Limits(6.0)
BENCHMARK = LiveCodeBench()


def test_task_ids() -> None:
    for value in ("abc387_b", "atcoder/abc387_b"):
        assert BENCHMARK.task_id(value) == "abc387_b"
    assert BENCHMARK.task_id(3708) == BENCHMARK.task_id("leetcode/3708") == "3708"
    for nonsense in (None, True, "", "a b", "x/y", 1.5):
        assert BENCHMARK.task_id(nonsense) is None


def test_what_counts_of_an_answer(load: Callable[..., Problem]) -> None:
    problem = load()
    assert BENCHMARK.extract(problem, "First\n```python\na\n```\nthen\n```\nb\nc\n```\nDone", instruct=True) == "b\nc"
    assert BENCHMARK.extract(problem, "```python\nnever closed", instruct=True) == ""
    assert BENCHMARK.extract(problem, "print(1)\n", instruct=True) == ""
    assert BENCHMARK.extract(problem, "\nprint(1)\n\n### Question\nMore", instruct=False) == "print(1)"


def test_problems_of_its_own_show_that_grading_works(sandbox: Sandbox) -> None:
    assert [problem.tests.function for problem in BENCHMARK.own_problems()] == [None, "line_up"]
    for problem in BENCHMARK.own_problems():
        assert problem.tests.count == 2
        assert BENCHMARK.judge(problem, problem.reference, sandbox, LIMITS).name == PASS
        assert BENCHMARK.judge(problem, problem.wrong, sandbox, LIMITS).name == FAIL


def test_the_342_problems_load(real: dict[str, Problem], shared_data: Path) -> None:
    path = shared_data / "benchmarks" / "livecodebench_342_public_tests.jsonl"
    assert len(real) == 342
    assert sum(problem.tests.count for problem in real.values()) == 589 + 315
    named = {one["question_id"]: json.loads(one["metadata"]).get("func_name") for one in rows(path)}
    assert {task_id: problem.tests.function for task_id, problem in real.items()} == named
    starters = {one["question_id"]: method_of(one["starter_code"]) for one in rows(path)}
    assert starters == named  # what the starter code says alone
    assert sum("errata" in problem.tags for problem in real.values()) == 13
    january = LiveCodeBench(Selection(date_from=date(2025, 1, 1), date_to=date(2025, 1, 31))).load(path)
    assert 0 < len(january) < 342
    assert {problem.tags["date"][:7] for problem in january} == {"2025-01"}


def test_the_packed_problems_load_and_grade(shared_data: Path, sandbox: Sandbox) -> None:
    found = {p.task_id: p for p in BENCHMARK.load(shared_data / "benchmarks" / "livecodebench_3_packed_tests.jsonl")}
    assert {task_id: problem.tests.count for task_id, problem in found.items()} == {
        "1873_A": 5,
        "2727": 14,
        "abc301_a": 15,
    }
    answers = {
        "1873_A": ("for _ in range(int(input())):\n    print('NO' if input() in ('bca', 'cab') else 'YES')\n", "'cab'"),
        "2727": (
            "class Solution:\n    def countSeniors(self, d):\n        return sum(int(x[11:13]) > 60 for x in d)\n",
            "60",
        ),
        "abc301_a": (
            "n, s = int(input()), input()\nt = s.count('T')\nprint('T' if 2 * t > n or 2 * t == n and s[-1] == 'A' else 'A')\n",
            "2 * t == n",
        ),
    }
    for task_id, (right, part) in answers.items():
        assert BENCHMARK.judge(found[task_id], right, sandbox, LIMITS).name == PASS
        assert BENCHMARK.judge(found[task_id], right.replace(part, "0"), sandbox, LIMITS).name == FAIL
        assert BENCHMARK.judge(found[task_id], found[task_id].wrong, sandbox, LIMITS).name == FAIL


@pytest.mark.parametrize("task_id", [*SOLVED][::3])
def test_answers_written_by_hand(real: dict[str, Problem], sandbox: Sandbox, task_id: str) -> None:
    check_by_hand(real, sandbox, task_id, most=1)


@pytest.mark.heavy
@pytest.mark.parametrize("task_id", SOLVED)
def test_all_answers_written_by_hand(real: dict[str, Problem], sandbox: Sandbox, task_id: str) -> None:
    check_by_hand(real, sandbox, task_id, most=9)


def check_by_hand(real: dict[str, Problem], sandbox: Sandbox, task_id: str, most: int) -> None:
    verdict = BENCHMARK.judge(real[task_id], SOLVED[task_id].right, sandbox, LIMITS)
    assert verdict.name == PASS, verdict
    for program in SOLVED[task_id].spoilt()[:most]:
        assert BENCHMARK.judge(real[task_id], program, sandbox, LIMITS).name == FAIL, program


@pytest.mark.heavy
def test_problems_take_their_answer_and_no_other(real: dict[str, Problem], shared_data: Path, sandbox: Sandbox) -> None:
    problems = raw_problems(rows(shared_data / "benchmarks" / "livecodebench_342_public_tests.jsonl"))
    for number, problem in enumerate(problems[::2]):
        if problem.function is None:
            right, wrong = printing(problem, str), printing(problem, PRINTED["a line more"])
        else:
            right, wrong = (returning(problem, RETURNED[kind]) for kind in ("a tuple", "a list of it"))
        assert BENCHMARK.judge(real[problem.task_id], right, sandbox, LIMITS).name == PASS, problem.task_id
        for program in (wrong, real[problem.task_id].wrong)[number % 2 :: 2]:
            assert BENCHMARK.judge(real[problem.task_id], program, sandbox, LIMITS).name == FAIL, problem.task_id
