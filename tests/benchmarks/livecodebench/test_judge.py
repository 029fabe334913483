"""LiveCodeBench: completions that are judged, test by test."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from benchmarks.contract import Problem, Selection
from benchmarks.livecodebench.benchmark import LiveCodeBench
from livecodebench_rows import DOUBLE, METHOD
from sandbox.contract import Limits, Sandbox
from sandbox.judging.verdict import FAIL, INFRA_ERROR, PASS, SYNTAX, TIMEOUT, Verdict

LIMITS = Limits(6.0)
BENCHMARK = LiveCodeBench()


def test_a_verdict_says_what_is_wrong(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    problem = load()
    assert BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS).name == PASS
    verdict = BENCHMARK.judge(problem, "print(min(9, 2 * int(input())))", sandbox, LIMITS)
    assert (verdict.name, verdict.stderr) == (FAIL, "test 3 of 3: line 1: expected '10', got '9'")
    verdict = BENCHMARK.judge(problem, "print(2)\nprint(3)", sandbox, LIMITS)
    assert verdict.stderr == r"test 1 of 3: expected 1 lines, got 2: expected '2\n', got '2\n3\n'"
    assert BENCHMARK.judge(problem, "print(", sandbox, LIMITS).name == SYNTAX
    assert BENCHMARK.judge(problem, problem.wrong, sandbox, LIMITS).name == FAIL
    verdict = BENCHMARK.judge(problem, "print(1 / 0)", sandbox, LIMITS)
    assert verdict.name == FAIL
    assert "ZeroDivisionError" in verdict.stderr


def test_a_method_is_judged(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    problem = load(**METHOD)
    right = "class Solution:\n    def double(self, n):\n        return 2 * n\n"
    assert BENCHMARK.judge(problem, right, sandbox, LIMITS).name == PASS
    assert BENCHMARK.judge(problem, "def double(n): return n * 2", sandbox, LIMITS).name == PASS
    verdict = BENCHMARK.judge(problem, right.replace("2 * n", "min(9, 2 * n)"), sandbox, LIMITS)
    assert (verdict.name, verdict.stderr) == (FAIL, "test 3 of 3: expected 10, got 9")
    assert BENCHMARK.judge(problem, problem.wrong, sandbox, LIMITS).stderr == "test 1 of 3: expected 2, got None"
    verdict = BENCHMARK.judge(problem, right.replace("2 * n", "1 / 0"), sandbox, LIMITS)
    assert verdict.stderr.startswith("test 1 of 3: ZeroDivisionError\nTraceback")


def test_all_tests_are_run_where_that_is_asked(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    everything = Selection(all_tests=True)
    verdict = BENCHMARK.judge(load(everything), "print(8)", sandbox, LIMITS)
    assert (verdict.name, verdict.stderr) == (
        FAIL,
        "2 of 3 tests failed; test 1 of 3: line 1: expected '2', got '8'",
    )
    program = "class Solution:\n    def double(self, n):\n        return 8"
    verdict = BENCHMARK.judge(load(everything, **METHOD), program, sandbox, LIMITS)
    assert (verdict.name, verdict.stderr) == (FAIL, "2 of 3 tests failed; test 1 of 3: expected 2, got 8")


def test_the_time_is_that_of_one_test(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    """Three tests of 0.2 s are within 0.5 s each, though not together."""
    for changed, program in (
        ({}, f"import time\ntime.sleep(0.2)\n{DOUBLE}"),
        (METHOD, "import time\ndef double(n):\n    time.sleep(0.2)\n    return 2 * n"),
    ):
        problem = load(**changed)
        assert problem.tests.seconds == 6
        assert LiveCodeBench().most_seconds(problem, Limits(7)) == 28
        short = replace(problem, tests=replace(problem.tests, seconds=0.5))
        verdict = BENCHMARK.judge(short, program, sandbox, Limits(0.1))
        assert verdict.name == PASS
        assert verdict.seconds >= 0.6
    verdict = BENCHMARK.judge(short, "def double(n):\n    while n > 1: pass\n    return 2 * n", sandbox, Limits(0.1))
    assert (verdict.name, verdict.stderr) == (TIMEOUT, "test 2 of 3: timeout")


def test_a_fault_of_the_machine_is_no_failure(
    load: Callable[..., Problem], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = iter([Verdict(PASS, 1.0), Verdict(INFRA_ERROR, 0.0, "gone")])
    monkeypatch.setattr("benchmarks.livecodebench.judge._run", lambda *_: next(verdicts))
    problem = load(Selection(all_tests=True))
    assert BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS).name == INFRA_ERROR
    verdicts = iter([Verdict(FAIL, 1.0, "wrong"), Verdict(INFRA_ERROR, 0.0, "gone")])
    assert BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS).name == FAIL


def test_the_authors_imports_are_there(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    program = (
        f"assert sys.getrecursionlimit() == 50000 and gcd(4, 6) == 2 and Counter and heappush and re.sub\n{DOUBLE}"
    )
    assert BENCHMARK.judge(load(), program + "str(10**40000)", sandbox, LIMITS).name == PASS
