"""MultiPL-E as a benchmark: its names and task ids, and verdicts on right and wrong completions in every language."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from benchmarks import BENCHMARKS
from benchmarks.contract import INSIDE, OUTSIDE
from benchmarks.multipl_e.benchmark import MultiplE
from benchmarks.multipl_e.languages.base import control_row
from benchmarks.multipl_e.languages.registry import LANGUAGES
from multipl_e_support import ANSWERS, benchmark, completion, judged, needs, own, written
from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.verdict import FAIL, PASS, SYNTAX

FAST = ("js", "sh", "cpp", "pl")
FEW = {"js": (42, 53, 60), "sh": (28, 42, 53), "cpp": (53,), "pl": (42, 53)}


def test_names_and_where_they_are_judged() -> None:
    for language in LANGUAGES:
        for name, origin in ((f"multipl-e-{language}", "humaneval"), (f"multipl-e-mbpp-{language}", "mbpp")):
            one = BENCHMARKS[name]()
            assert isinstance(one, MultiplE)
            assert (one.name, one.origin) == (name, origin)
            assert one.toolchain == (None if language == "py" else language)
            assert one.judged == (OUTSIDE if language in ("py", "js", "ts", "sh") else INSIDE)


def test_the_time_limit_is_the_authors_own() -> None:
    """evaluation/src/safe_subprocess/__init__.py of nuprl/MultiPL-E, and those of eval_*.py that name another one."""
    others = {"go": 30, "jl": 5, "swift": 5}
    for language in LANGUAGES:
        for name in (f"multipl-e-{language}", f"multipl-e-mbpp-{language}"):
            assert BENCHMARKS[name]().min_seconds == others.get(language, 15), name


def test_task_ids() -> None:
    assert benchmark("cpp").task_id("HumanEval_23_strlen") == "HumanEval_23_strlen"
    assert BENCHMARKS["multipl-e-mbpp-cpp"]().task_id("mbpp_3_is_not_prime") == "mbpp_3_is_not_prime"
    assert [benchmark("py").task_id(value) for value in ("Python/7", "HumanEval/7", "7", 7)] == ["HumanEval/7"] * 4
    for value in ("HumanEval/7", "mbpp_3_x", 7, None, "", "HumanEval_x"):
        assert benchmark("cpp").task_id(value) is None


def own_problem_is_judged(language: str, sandbox: Sandbox) -> None:
    needs(language)
    problem = own(language)
    assert judged(language, problem, problem.reference, sandbox).name == PASS
    assert judged(language, problem, problem.prompt + problem.reference, sandbox).name == PASS
    assert judged(language, problem, problem.wrong, sandbox).name == FAIL
    broken = judged(language, problem, '  ((( {{ "\n', sandbox)
    assert broken.name in (SYNTAX, FAIL), broken
    assert broken.stderr or language == "sh"


@pytest.mark.parametrize("language", ["py", "js", "sh", "pl"])
def test_own_problem(language: str, sandbox: Sandbox) -> None:
    own_problem_is_judged(language, sandbox)


@pytest.mark.heavy
@pytest.mark.parametrize("language", [name for name in LANGUAGES if name not in ("py", "js", "sh", "pl")])
def test_own_problem_in(language: str, sandbox: Sandbox) -> None:
    own_problem_is_judged(language, sandbox)


def right_and_wrong(language: str, numbers: Iterable[int], folder: Path, sandbox: Sandbox) -> int:
    needs(language)
    problems = {int(re.findall(r"\d+", one.task_id)[0]): one for one in benchmark(language).load(folder)}
    found = [
        (number, right, judged(language, problems[number], completion(language, number, right=right), sandbox))
        for number in numbers
        for right in (True, False)
    ]
    assert [(*one, verdict.stderr) for *one, verdict in found if verdict.name != (PASS if one[1] else FAIL)] == []
    return len(found)


@pytest.mark.parametrize("language", FAST)
def test_right_and_wrong_answers(shared_data: Path, language: str, sandbox: Sandbox) -> None:
    right_and_wrong(language, FEW[language], shared_data / "benchmarks" / "multipl_e", sandbox)


@pytest.mark.heavy
@pytest.mark.parametrize("language", [*ANSWERS])
def test_right_and_wrong_answers_to_ten_problems(shared_data: Path, language: str, sandbox: Sandbox) -> None:
    count = right_and_wrong(language, ANSWERS[language], shared_data / "benchmarks" / "multipl_e", sandbox)
    assert count == (4 if language in ("py", "d", "rkt") else 20)


def test_a_missing_toolchain_is_not_run(tmp_path: Path, bare: Path) -> None:
    row, _ = control_row(LANGUAGES["cpp"], "humaneval")
    (problem,) = benchmark("cpp").load(written(tmp_path / "humaneval-cpp.jsonl", row))  # loading takes no compiler

    class Never:
        def start(self, *_: object) -> None:
            raise AssertionError

    with pytest.raises(SandboxError, match="no g\\+\\+; install"):
        benchmark("cpp").judge(problem, problem.wrong, Never(), Limits(10))  # type: ignore[arg-type]
