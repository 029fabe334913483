"""HumanEval+ and MBPP+ as released: both forms, the prompts of the base benchmarks, and damage named."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks import open_benchmark
from benchmarks.contract import Problem
from benchmarks.evalplus.benchmark import HumanEvalPlus, MbppPlus
from benchmarks.evalplus.expected import InputSet
from benchmarks.humaneval import HumanEval
from benchmarks.mbpp import SanitizedMbpp
from python_problems import ADD, MBPP_PLUS, PLUS, SANITIZED, write
from sandbox.judging.python_judge import Tests
from seedkit.errors import InputError

FILES = {"humaneval-plus": "HumanEvalPlus", "mbpp-plus": "MbppPlus"}
COUNTS = {"humaneval-plus": 164, "mbpp-plus": 378}
HELPER = "def assertion(out, exp, atol):\n    assert out == exp\n"
ORIGIN = {**ADD, "test": f"{HELPER}def check(candidate):\n    assertion(candidate(2, 3), 5, 0)\n"}
MBPP_ORIGIN = {**SANITIZED, "test": f"{HELPER}assertion(twice(4), 8, 0)"}


def packed(path: Path, *rows: object) -> Path:
    path.write_bytes(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
    return path


def inputs(problem: Problem) -> list[Any]:
    return [part.read() for part in (problem.tests.base, problem.tests.plus)]


def test_humaneval_plus_in_full(tmp_path: Path) -> None:
    path = write(tmp_path / "HumanEvalPlus-v0.1.10.jsonl", PLUS)
    (problem,) = HumanEvalPlus().load(path)
    assert HumanEvalPlus().load(tmp_path) == [problem]
    folder = tmp_path / "packed"
    folder.mkdir()
    assert HumanEvalPlus().load(packed(folder / "HumanEvalPlus.jsonl.gz", PLUS)) == HumanEvalPlus().load(folder)
    assert HumanEvalPlus().load(folder) == [problem]
    (base,) = HumanEval().load(write(tmp_path / "base.jsonl", {**ADD, "prompt": PLUS["prompt"]}))
    assert (problem.task_id, problem.prompt, problem.instruction) == (base.task_id, base.prompt, base.instruction)
    assert problem.reference == "    return a + b\n" and problem.wrong == "    return None\n"
    assert inputs(problem) == [[[1, 2]], [[0, 0], [10**30, float("-inf")], [-5, 10**30]]]
    assert (problem.tests.base.reference, problem.tests.names) == (PLUS["prompt"] + problem.reference, ("add",))


def test_mbpp_plus_in_full(tmp_path: Path) -> None:
    (problem,) = MbppPlus().load(write(tmp_path / "MbppPlus.jsonl", MBPP_PLUS))
    same = {**SANITIZED, "test_imports": ["import math"]}
    same["test_list"] = ["assert math.isclose(twice(2), 4)", "assert twice(0) == 0"]
    (base,) = SanitizedMbpp().load(write(tmp_path / "base.jsonl", same))
    assert (problem.task_id, problem.prompt, problem.instruction) == (base.task_id, base.prompt, base.instruction)
    assert inputs(problem) == [[[2]], [[3], [[1, 2]]]]
    assert problem.wrong == "def twice(x):\n    return None\n"
    (none,) = MbppPlus().load(write(tmp_path / "none.jsonl", {**MBPP_PLUS, "plus_input": {}}))
    assert inputs(none) == [[[2]], []]


def test_the_form_of_the_base_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = HumanEvalPlus().load(write(tmp_path / "HumanEvalPlus-OriginFmt.jsonl", ORIGIN))
    (own, *_) = HumanEval().load(None)
    assert problem.tests.base == own.tests  # those of the package, since the row has the plus tests in their place
    assert isinstance(problem.tests.plus, Tests) and problem.tests.plus.source == f"{ORIGIN['test']}\ncheck(add)"
    (two,) = MbppPlus().load(write(tmp_path / "MbppPlus-OriginFmt.jsonl", MBPP_ORIGIN))
    assert two.tests.base.source == "assert math.isclose(twice(2), 4)"
    assert two.tests.plus == Tests("", MBPP_ORIGIN["test"], ("twice",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"plus_input": 5}, ':2: expected a list of lists of arguments in "plus_input", got 5'),
        ({"base_input": [1]}, r':2: expected a list of lists of arguments in "base_input", got \[1\]'),
        ({"atol": "0"}, ":2: expected a number of at least 0 in \"atol\", got '0'"),
        ({"atol": -1}, ":2: expected a number of at least 0"),
        ({"atol": True}, ":2: expected a number of at least 0"),
        ({"entry_point": "a b"}, ":2: expected the name of a function"),
        ({"task_id": "x"}, ':2: expected a "task_id" like|:2: expected a number in "task_id"'),
        ({"canonical_solution": None}, ':2: "canonical_solution" must be a string, got NoneType'),
        ({"prompt": 1}, ':2: "prompt" must be a string, got int'),
    ],
)
@pytest.mark.parametrize("benchmark", [HumanEvalPlus(), MbppPlus()])
def test_damage(benchmark: HumanEvalPlus | MbppPlus, change: dict[str, Any], message: str, tmp_path: Path) -> None:
    row = PLUS if isinstance(benchmark, HumanEvalPlus) else MBPP_PLUS
    path = write(tmp_path / "problems.jsonl", row, {**row, "task_id": 3, **change})
    with pytest.raises(InputError, match=f"{path}{message}"):
        benchmark.load(path)


def test_more_damage(tmp_path: Path) -> None:
    for row, message in (
        ({key: value for key, value in PLUS.items() if key != "base_input"}, '"base_input" is missing'),
        ({key: value for key, value in PLUS.items() if key != "atol"}, '"atol" is missing'),
        (PLUS, "expected every task_id once, got HumanEval/0 again"),
        ([], "expected an object, got list"),
    ):
        with pytest.raises(InputError, match=f":2: {message}"):
            HumanEvalPlus().load(write(tmp_path / "h.jsonl", PLUS, row))
    for change, message in (
        ({"assertion": "assert"}, 'expected Python in "assertion"'),
        ({"canonical_solution": "def f("}, "expected Python in the code of Mbpp/12"),
        ({"assertion": "x = 1"}, "expected tests that call the code of Mbpp/12"),
    ):
        with pytest.raises(InputError, match=f":1: {message}"):
            MbppPlus().load(write(tmp_path / "m.jsonl", {**MBPP_PLUS, **change}))
    with pytest.raises(InputError, match=':1: expected a Python program in "test"'):
        MbppPlus().load(write(tmp_path / "o.jsonl", {**MBPP_ORIGIN, "test": "assert"}))


def test_files_that_are_none(tmp_path: Path) -> None:
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(gzip.compress(json.dumps(PLUS).encode())[:-20])
    for path, message in (
        (tmp_path / "none.jsonl", "no such file"),
        (write(tmp_path / "empty.jsonl"), "expected problems of HumanEval"),
        (torn, "cannot be read"),
        (tmp_path, "expected a folder with HumanEvalPlus.jsonl.gz or .jsonl"),
    ):
        with pytest.raises(InputError, match=message):
            HumanEvalPlus().load(path)
    (tmp_path / "line.jsonl").write_text(json.dumps(PLUS) + "\n{")
    with pytest.raises(InputError, match=r"line.jsonl:2: expected one JSON object"):
        HumanEvalPlus().load(tmp_path / "line.jsonl")


def test_what_runs_in_the_jail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The prompt stands before an answer to HumanEval+, and nothing before one to MBPP+."""
    ran: list[tuple[str, str | None]] = []
    monkeypatch.setattr(
        "benchmarks.evalplus.benchmark.judge", lambda program, *_, otherwise: ran.append((program, otherwise))
    )
    for benchmark, row in ((HumanEvalPlus(), PLUS), (MbppPlus(), MBPP_PLUS)):
        (problem,) = benchmark.load(write(tmp_path / "one.jsonl", row))
        benchmark.judge(problem, "answer", None, None)  # type: ignore[arg-type]
    assert ran == [(f"{PLUS['prompt']}answer", "answer"), ("answer", None)]


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore:invalid escape sequence:DeprecationWarning")
@pytest.mark.parametrize("name", FILES)
def test_real_releases(name: str, shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both forms have the same problems; their prompts are those of the base benchmark but for what EvalPlus corrected."""
    folder = shared_data / "benchmarks" / "evalplus"
    benchmark = open_benchmark(name)
    problems = {p.task_id: p for p in benchmark.load(folder)}
    origin = {p.task_id: p for p in benchmark.load(folder / f"{FILES[name]}-OriginFmt.jsonl.gz")}
    assert problems.keys() - origin.keys() == ({"Mbpp/255"} if name == "mbpp-plus" else set())
    assert origin.keys() <= problems.keys() and len(problems) == COUNTS[name]
    assert ("Mbpp/255 is left out: its test takes answers of 1 GB" in capsys.readouterr().err) == (name == "mbpp-plus")
    assert all(isinstance(p.tests.base, InputSet) and isinstance(p.tests.plus, InputSet) for p in problems.values())
    assert all(isinstance(p.tests.plus, Tests) and p.tests.base is not None for p in origin.values())
    assert all(p.tests.base.read() and p.tests.plus.read() is not None for p in problems.values())
    assert benchmark.answers_of is not None
    base = {p.task_id: p for p in open_benchmark(benchmark.answers_of).load(shared_data / "benchmarks")}
    other = [task for task, p in origin.items() if p.instruction != base[task].instruction]
    assert other == (
        ["HumanEval/115"] if name == "humaneval-plus" else []
    )  # there an import stood before the docstring
    assert all(problem.tests.names == base[task].tests.names for task, problem in problems.items())
