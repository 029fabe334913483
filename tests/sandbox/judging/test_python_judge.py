"""Judging Python from outside the jail: which verdict a program gets."""

import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from sandbox.contract import Limits, Sandbox
from sandbox.in_jail.codec import digest
from sandbox.judging.calls_ahead import CallsAhead
from sandbox.judging.python_judge import Tests, judge_python
from sandbox.judging.remote_objects import Remote, Session
from sandbox.judging.verdict import Verdict


def judged(sandbox: Sandbox, program: str, source: str, *names: str, seconds: float = 5, **more: Any) -> Verdict:
    tests = Tests("", source, names or ("f",))
    return judge_python(program, tests, sandbox, Limits(seconds, **more))


@pytest.mark.parametrize(
    ("program", "source", "verdict"),
    [
        ("def f(x): return x * 2", "assert f(21) == 42", "pass"),
        ("def f(x): return x * 2", "assert f(21) == 43", "fail"),
        ("def g(x): return x", "assert f(21) == 42", "fail"),
        ("def f(x) return x", "assert f(21) == 42", "syntax"),
        ("return 1", "assert f(21) == 42", "syntax"),
        ("x = '\0'", "f()", "syntax"),
        ("1 / 0", "f()", "fail"),
        ("def f(): raise SystemExit(0)", "f()", "fail"),
        ("import os; os._exit(0)", "f()", "fail"),
        ("def f(): return [0] * (1 << 28)", "f()", "memory"),
        ("def f(): return f()", "f()", "fail"),
        ("def f(): open('/x', 'w')", "f()", "blocked"),
        ("import os\ndef f(): os.fork()", "f()", "blocked"),
        ("import socket\ndef f(): socket.socket()", "f()", "blocked"),
        ("def f():\n    while True: pass", "f()", "timeout"),
        ("import time\ndef f(): time.sleep(60)", "try:\n    f()\nexcept BaseException:\n    pass", "timeout"),
        ("def f(): raise ValueError", "try:\n    f()\nexcept ValueError:\n    pass", "pass"),
        ("import os\ndef f(): os._exit(0)", "try:\n    f()\nexcept Exception:\n    pass", "fail"),
        ("def f(x): x.sort(); return None", "x = [2, 1]; f(x); assert x == [1, 2]", "pass"),
        ("def f(x): x['a'] = [1]", "x = {}; f(x); assert x == {'a': [1]}", "pass"),
        ("def f(n): return (i for i in range(n))", "assert list(f(3)) == [0, 1, 2] and f(3) != [0, 1, 2]", "pass"),
        ("def f(): return map(str, [1])", "assert next(f()) == '1'", "pass"),
        ("import numpy\ndef f(): return numpy.int64(3)", "assert f() == 3", "pass"),
        ("import re\ndef f(): return re.match('a', 'a')", "assert f() and f().group() == 'a'", "pass"),
        ("def f(): return lambda x: x + 1", "assert f()(1) == 2", "pass"),
        (
            "class N:\n    def __init__(s, v): s.v = v\ndef f(n): return n.v + n.left.v",
            "a = N(1); a.left = N(2); assert f(a) == 3 and a.left.v == 2",
            "pass",
        ),
        ("class N:\n    def __eq__(s, o): return True\ndef f(): return N()", "assert f() == 1 or 1 == f()", "fail"),
        (
            "class N:\n    def __getattr__(s, n): return lambda *a: 1\ndef f(): return N()",
            "assert abs(f() - 1) < 2",
            "fail",
        ),
        ("def f(): return range(10 ** 12)", "tuple(f())", "fail"),
        ("def f(): return {i * (2 ** 61 - 1) for i in range(5000)}", "f()", "fail"),
    ],
)
def test_verdicts(sandbox: Sandbox, program: str, source: str, verdict: str) -> None:
    seconds = 0.7 if verdict == "timeout" else 5
    found = judged(sandbox, program, source, "f", "N", seconds=seconds)
    assert found.name == verdict, found
    assert found.seconds < 6


def test_the_other_program_runs_where_only_that_is_python(sandbox: Sandbox) -> None:
    tests = Tests("", "assert f() == 1", ("f",))
    for program, verdict in (("  bad\n bad", "pass"), ("def f(): return 2", "fail")):
        found = judge_python(program, tests, sandbox, Limits(5), otherwise="def f(): return 1")
        assert found.name == verdict


def test_what_a_result_says_is_short_and_text(sandbox: Sandbox) -> None:
    printing = judged(sandbox, "def f():\n    while True: print('x' * 1000)", "f()", output=1 << 20)
    assert printing.name == "fail" and "printed" in printing.stderr and len(printing.stderr) <= 2000
    said = judged(sandbox, "def f(): raise ValueError('\\ud800 here')", "assert f() == 1").stderr
    assert "ValueError in assert f() == 1" in said and "<candidate>" in said and said.encode()


def test_sets_have_the_same_order_every_time(sandbox: Sandbox) -> None:
    program = "def f(): raise ValueError(list({'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}))"
    assert len({judged(sandbox, program, "f()").stderr for _ in range(3)}) == 1


def test_an_answer_of_a_megabyte_comes_through_and_more_does_not(sandbox: Sandbox) -> None:
    program = "def f(n): return 'x' * n"
    assert judged(sandbox, program, "assert len(f(1_000_000)) == 1_000_000").name == "pass"
    assert judged(sandbox, program, "assert len(f(5_000_000)) == 5_000_000").name == "fail"
    assert judged(sandbox, "def f(x): return len(x)", "assert f([1] * 300_000) == 300_000").name == "pass"


P = 2**61 - 1  # sys.hash_info.modulus


@pytest.mark.parametrize(
    "program",
    [
        f"def f(): return dict(enumerate(i * {P} for i in range(120_000))).values()",
        f"import collections\ndef f(): return collections.deque(i * {P} for i in range(60_000))",
        f"def f(): return {{i: tuple({P} if i >> bit & 1 else 0 for bit in range(15)) for i in range(20_000)}}.values()",
        f"def f(): return [[{P} if i >> bit & 1 else 0 for bit in range(15)] for i in range(20_000)]",
        f"def f(): return range(0, {P} * 200_000, {P})",
    ],
)
def test_answers_whose_hashes_are_equal_stall_no_judge(sandbox: Sandbox, program: str) -> None:
    began = time.monotonic()
    found = judged(
        sandbox, program, "assert set(map(lambda x: tuple(x) if type(x) is list else x, f())) == {1}", seconds=3
    )
    assert found.name in ("fail", "timeout"), found
    assert time.monotonic() - began < 6


def further(sandbox: Sandbox, program: str, first: str, second: str) -> Verdict:
    tests = [Tests("", source, ("f",)) for source in (first, second)]
    return judge_python(program, tests[0], sandbox, Limits(1.0), further=tests[1])


@pytest.mark.parametrize(
    ("program", "verdict", "base"),
    [
        ("def f(x): return x", "pass", "pass"),
        ("def f(x): return 1", "fail", "pass"),
        ("def f(x): return 2", "fail", "fail"),
        ("def f(x):\n    while x == 2: pass\n    return x", "timeout", "pass"),
        ("def f(x):\n    while True: pass", "timeout", "timeout"),
        ("def f(x) return x", "syntax", "syntax"),
        ("import time\ndef f(x): time.sleep(0.7); return x", "pass", "pass"),  # each part has its time
        ("n = 0\ndef f(x):\n    global n\n    n += 1\n    return n", "pass", "pass"),  # the same program goes on
    ],
)
def test_tests_that_follow_others_in_the_same_jail(sandbox: Sandbox, program: str, verdict: str, base: str) -> None:
    found = further(sandbox, program, "assert f(1) == 1", "assert f(2) == 2")
    assert (found.name, found.base) == (verdict, base), found


def test_without_further_tests_there_is_no_verdict_on_the_base(sandbox: Sandbox) -> None:
    assert judged(sandbox, "def f(): return 1", "assert f() == 1").base is None


@dataclass
class Ahead:
    """Checks that make all calls ahead, and keep what came of each."""

    calls: list[tuple[list[Any], bool]]
    found: list[Any] = field(default_factory=list)

    def run(self, session: Session) -> None:
        calls = CallsAhead(Remote(session, ["N", "f"]), self.calls)
        for arguments, stays in self.calls:
            try:
                answer = calls.answer()
                self.found.append((answer, calls.held() if stays else None, arguments))
            except ValueError as error:
                self.found.append(str(error))

    def failed(self, error: Exception) -> str:
        return repr(error)


def test_calls_ahead_are_answered_in_order(sandbox: Sandbox) -> None:
    """With what stays in the jail among them, arguments that are changed, and exceptions, which end none but their call."""
    program = "def f(x):\n    if x == [3]: raise ValueError\n    x.append(0)\n    return [len(x)]"
    checks = Ahead([([[1]], False), ([[1, 2]], True), ([[3]], False), ([[]], True), ([[5]], False)])
    assert judge_python(program, checks, sandbox, Limits(5)).name == "pass"
    assert checks.found == [
        ([2], None, [[1, 0]]),
        (digest([3]), [3], [[1, 2]]),  # what a call that stays there does to its arguments is not seen
        "raised by the candidate",
        (digest([1]), [1], [[]]),
        ([2], None, [[5, 0]]),
    ]


def test_calls_ahead_of_any_size(sandbox: Sandbox) -> None:
    sizes = [0, 70_000, 1, 30_000, 30_000, 300_000, *[5] * 3000]
    checks = Ahead([(["x" * size], False) for size in sizes])
    assert judge_python("def f(x): return len(x)", checks, sandbox, Limits(5)).name == "pass"
    assert [answer for answer, _, _ in checks.found] == sizes
    checks = Ahead([(["x"], False)] * 3000)
    found = judge_python("import os\ndef f(x): os._exit(0)", checks, sandbox, Limits(5))
    assert (found.name, checks.found) == ("fail", [])
