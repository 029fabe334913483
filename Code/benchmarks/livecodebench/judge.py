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
# what the authors' harness runs before every program; the last line it runs for itself, and programs have its effect
PREAMBLE = (
    "".join(f"from {name} import *\n" for name in (*_MODULES, "builtins", "typing"))
    + f"import {', '.join(_MODULES)}\n"
    + "sys.setrecursionlimit(50000)\n"
    + "sys.set_int_max_str_digits(50000)\n"
)
# a function's arguments go in as text and are made in there: they may be long, and their changes are nobody's business
ENTRY = "answer_to_lines_of_json"
CALL = f"def {ENTRY}(lines, loads=json.loads): return {{called}}(*[loads(line) for line in lines.split('\\n')])\n"
CALLS = Tests(
    prelude="from benchmarks.livecodebench.answer_check import under_way",
    source=f"under_way.get().check({ENTRY})",
    names=(ENTRY,),
)


def judge(stored: StoredTests | GivenTests, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    """Test by test, each in a jail of its own, as far as the first that fails; `limits` are those of a test.

    A function is called for all tests in one jail first, which tells as much where all take no longer than one may.
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
        outcome = call(calls)
        if outcome.name != TIMEOUT:
            return _told(outcome, calls.at, len(tests))
    return _one_by_one(tests, stored.all_tests, lambda test: call(Calls([test])))


def _one_by_one(tests: Sequence[Test], all_tests: bool, run: Callable[[Test], Verdict]) -> Verdict:
    """What came of the first test that did not pass, or that all passed; with the seconds of all that ran."""
    seconds, failed = 0.0, 0
    first: Verdict | None = None
    for number, test in enumerate(tests):
        outcome = run(test)
        seconds += outcome.seconds
        if outcome.name != PASS:
            failed += 1
            first = first or _told(outcome, number, len(tests))
            if not all_tests or outcome.name == INFRA_ERROR:
                break
    if first is None:
        return Verdict(PASS, seconds)
    count = f"{failed} of {len(tests)} tests failed; " if all_tests else ""
    return replace(first, seconds=seconds, stderr=count + first.stderr)


def _told(outcome: Verdict, at: int, count: int) -> Verdict:
    if outcome.name == PASS:
        return outcome
    return replace(outcome, stderr=f"test {at + 1} of {count}: {outcome.stderr or outcome.name}")


def _run(program: str, sandbox: Sandbox, limits: Limits, test: Test) -> Verdict:
    ran = run_program(program, test.input, sandbox, limits)
    if ran.verdict is not None:
        return Verdict(ran.verdict, ran.seconds, ran.stderr)
    why = difference(ran.stdout, test.output)
    return Verdict(PASS, ran.seconds) if why is None else Verdict(FAIL, ran.seconds, f"{why}\n{ran.stderr}".strip())


def _call(program: str, sandbox: Sandbox, limits: Limits, calls: Calls) -> Verdict:
    token = under_way.set(calls)
    try:
        outcome = judge_python(program, CALLS, sandbox, limits)
    finally:
        under_way.reset(token)
    if outcome.name == PASS:
        return outcome
    # the line of the judge's own that failed tells nobody anything
    return replace(
        outcome,
        stderr=outcome.stderr.replace(f"AssertionError in {CALLS.source}", calls.why or "wrong", 1).replace(
            f" in {CALLS.source}", "", 1
        ),
    )
