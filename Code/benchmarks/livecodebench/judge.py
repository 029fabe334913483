"""Running a completion of LiveCodeBench against its tests, which stay outside the jail."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sandbox.contract import Limits, Sandbox
from sandbox.judging.python_judge import Tests, judge_python
from sandbox.judging.stdin_judge import run_program
from sandbox.judging.verdict import FAIL, INFRA_ERROR, PASS, TIMEOUT, Verdict
from seedkit.errors import InputError

from benchmarks.livecodebench.answer_check import Calls, difference, under_way
from benchmarks.livecodebench.dataset import GivenTests, StoredTests, Test

_MODULES = (
    "string",
    "re",
    "datetime",
    "collections",
    "heapq",
    "bisect",
    "copy",
    "math",
    "random",
    "statistics",
    "itertools",
    "functools",
    "operator",
    "io",
    "sys",
    "json",
)
# what the authors' harness runs before every program; the last line it runs once, in the process that runs the programs
PREAMBLE = (
    "".join(f"from {name} import *\n" for name in (*_MODULES, "builtins", "typing"))
    + f"import {', '.join(_MODULES)}\n"
    + "sys.setrecursionlimit(50000)\n"
    + "sys.set_int_max_str_digits(50000)\n"
)
# a function's arguments go in as text and are made in the jail: they may be long, and what the function does to them is
# not looked at
ENTRY = "answer_to_lines_of_json"
CALL = f"def {ENTRY}(lines, loads=json.loads): return {{called}}(*[loads(line) for line in lines.split('\\n')])\n"
CALLS = Tests(
    prelude=f"from {Calls.__module__} import under_way",
    source=f"under_way.get().check({ENTRY})",
    names=(ENTRY,),
)


def judge(stored: StoredTests | GivenTests, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    """Run the tests one by one, each in a jail of its own, up to the first that fails; `limits` are those of one test.

    A function is first called for all tests in one jail; if that takes longer than one test may, they are run one by one.
    """
    limits = replace(limits, seconds=max(stored.seconds, limits.seconds))
    try:
        tests = stored.read()
    except InputError as error:
        return Verdict(INFRA_ERROR, 0.0, str(error))
    if stored.function is None:
        return _one_by_one(tests, stored.all_tests, partial(_run, f"{PREAMBLE}\n{completion}", sandbox, limits))
    called = f"Solution().{stored.function}" if "class Solution" in completion else stored.function
    call = partial(_call, f"{PREAMBLE}{CALL.format(called=called)}\n{completion}", sandbox, limits)
    if not stored.all_tests:
        calls = Calls(tests)
        verdict = call(calls)
        if verdict.name != TIMEOUT:
            return _with_test_number(verdict, calls.at, len(tests))
    return _one_by_one(tests, stored.all_tests, lambda test: call(Calls([test])))


def _one_by_one(tests: Sequence[Test], all_tests: bool, run: Callable[[Test], Verdict]) -> Verdict:
    """The verdict on the first test that did not pass, else PASS; with the seconds of all tests that ran."""
    seconds, failed = 0.0, 0
    first: Verdict | None = None
    for number, test in enumerate(tests):
        verdict = run(test)
        seconds += verdict.seconds
        if verdict.name != PASS:
            failed += 1
            first = first or _with_test_number(verdict, number, len(tests))
            if not all_tests or verdict.name == INFRA_ERROR:
                break
    if first is None:
        return Verdict(PASS, seconds)
    count = f"{failed} of {len(tests)} tests failed; " if all_tests else ""
    return replace(first, seconds=seconds, stderr=count + first.stderr)


def _with_test_number(verdict: Verdict, at: int, count: int) -> Verdict:
    """A verdict that is no PASS says which of the tests it is on; `at` counts from 0."""
    if verdict.name == PASS:
        return verdict
    return replace(verdict, stderr=f"test {at + 1} of {count}: {verdict.stderr or verdict.name}")


def _run(program: str, sandbox: Sandbox, limits: Limits, test: Test) -> Verdict:
    """A program that reads standard input, on one test."""
    ran = run_program(program, test.input, sandbox, limits)
    if ran.failure is not None:
        return Verdict(ran.failure, ran.seconds, ran.stderr)
    why = difference(ran.stdout, test.output)
    return Verdict(PASS, ran.seconds) if why is None else Verdict(FAIL, ran.seconds, f"{why}\n{ran.stderr}".strip())


def _call(program: str, sandbox: Sandbox, limits: Limits, calls: Calls) -> Verdict:
    """A function, called for one test after the other in one jail."""
    token = under_way.set(calls)
    try:
        verdict = judge_python(program, CALLS, sandbox, limits)
    finally:
        under_way.reset(token)
    if verdict.name == PASS:
        return verdict
    # the line that failed is the judge's own: say instead what is wrong with the answer
    explained = verdict.stderr.replace(f"AssertionError in {CALLS.source}", calls.why or "wrong", 1)
    return replace(verdict, stderr=explained.replace(f" in {CALLS.source}", "", 1))
