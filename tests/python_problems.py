"""Rows of HumanEval and MBPP that tests write to files, and a judge of their problems that needs no sandbox."""

import contextlib
import functools
import io
import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks import BENCHMARKS, contract
from benchmarks.contract import Problem
from benchmarks.humaneval import HumanEval
from benchmarks.python_syntax import is_python
from sandbox.judging.python_judge import Tests
from sandbox.judging.verdict import PASS, Verdict

COUNTS = {"humaneval": 164, "mbpp": 427, "mbpp-full": 974}


ADD: dict[str, Any] = {
    "task_id": "HumanEval/0",
    "prompt": 'from math import floor\n\ndef half(x):\n    return floor(x / 2)\n\ndef add(a, b):\n    """Add."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "test": "def check(candidate):\n    assert candidate(half(4), 3) == 5\n",
}


FULL: dict[str, Any] = {
    "task_id": 11,
    "text": "Write a function to add.",
    "code": "import sys\r\nclass Pair:\r\n\tdef __init__(self, a, b):\r\n\t\tself.a, self.b = a, b\r\ndef add(p):\r\n\treturn p.a + p.b",
    "test_setup_code": "one = Pair(1, 2)\r\none.a = 3",
    "test_list": [
        "assert add(one) == 5",
        "assert sum(add(p) for p in [Pair(1, 1)]) == 2",
        "assert sys.maxsize > add(one)",
    ],
    "challenge_test_list": [],
}


SANITIZED: dict[str, Any] = {
    "source_file": "x",
    "task_id": 12,
    "prompt": "Write a function to double.",
    "code": "def twice(x):\n    return 2 * x",
    "test_imports": ["import math"],
    "test_list": ["assert math.isclose(twice(2), 4)"],
}


def solved(row: dict[str, Any], number: int) -> dict[str, Any]:
    """Another task of the same kind, recognisable by its number."""
    text = json.dumps(row).replace("add", f"add{number}").replace("twice", f"twice{number}")
    return {**json.loads(text), "task_id": number}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@functools.cache
def real(name: str, data: Path) -> list[contract.Problem]:
    """The problems of the real file, read once."""
    return BENCHMARKS[name]().load(data / "benchmarks")


def why(benchmark: contract.Benchmark, problem: contract.Problem, completion: str) -> str | None:
    """What is wrong with a completion, as the judge finds it but in this process; None if it passes."""
    before = problem.prompt if isinstance(benchmark, HumanEval) else f"{problem.tests.prelude}\n"
    candidate: dict[str, Any] = {"__name__": "candidate"}
    tests: dict[str, Any] = {"__name__": "tests"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(before + completion if is_python(before + completion) else completion, candidate)
        exec(problem.tests.prelude, tests)
        tests |= {name: candidate[name] for name in problem.tests.names}
        try:
            exec(problem.tests.source, tests)
        except (AssertionError, TypeError, AttributeError) as error:
            return type(error).__name__
    return None


def check_references(name: str, data: Path) -> None:
    """Of the real file: every reference passes, every wrong completion fails."""
    benchmark = BENCHMARKS[name]()
    problems = real(name, data)
    assert len(problems) == len({problem.task_id for problem in problems}) == COUNTS[name]
    for problem in problems:
        assert benchmark.task_id(problem.task_id) == problem.task_id
        if problem.task_id == "Mbpp/123":  # 2 s
            continue
        assert why(benchmark, problem, problem.reference) is None, problem.task_id
        assert why(benchmark, problem, problem.wrong), problem.task_id


def check_answers(name: str, data: Path) -> None:
    """Of the real file: a reference in an answer is extracted whole."""
    benchmark = BENCHMARKS[name]()
    for problem in real(name, data):
        body = isinstance(benchmark, HumanEval)
        program = f"{problem.prompt}{problem.reference}" if body else problem.reference
        end = "\ndef" if body else "[DONE]"
        assert (
            benchmark.extract(problem, f"{problem.reference}{end} more", instruct=False)
            == problem.reference.partition("\nprint")[0]
        )
        answer = f"So:\n\n```python\n{program}\n```\n\nIt works. For example:\n```\n1\n```"
        assert benchmark.extract(problem, answer, instruct=True) == f"{program}\n", problem.task_id


def programs_judged(module: str, problems: list[Problem], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The list that every program goes into which benchmarks.MODULE would run in a jail, against one of the problems' tests."""
    ran: list[str] = []

    def judge(program: str, tests: Tests, *_: object, otherwise: str) -> Verdict:
        assert any(tests is problem.tests for problem in problems)
        ran.append(otherwise if is_python(otherwise) and not is_python(program) else program)
        return Verdict(PASS, 0.0)

    monkeypatch.setattr(f"benchmarks.{module}.judge_python", judge)
    return ran


PLUS: dict[str, Any] = {
    "task_id": "HumanEval/0",
    "prompt": 'def add(a, b):\n    """Add."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "base_input": [[1, 2]],
    "plus_input": [[0, 0], [10**30, float("-inf")], [-5, 10**30]],
    "atol": 0,
    "contract": "",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
}


MBPP_PLUS: dict[str, Any] = {
    "task_id": "Mbpp/12",
    "prompt": '"""\nWrite a function to double.\nassert math.isclose(twice(2), 4)\n"""\n',
    "entry_point": "twice",
    "canonical_solution": "\ndef twice(x):\n    return 2 * x\n",
    "base_input": [[2]],
    "plus_input": [[3], [[1, 2]]],
    "atol": 0,
    "contract": "",
    "assertion": "\nimport math\nassert math.isclose(twice(2), 4)\nassert twice(0) == 0\n",
}
