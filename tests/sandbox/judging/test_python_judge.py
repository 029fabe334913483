"""The judge: what goes into a jail and comes out of it, and which verdict that makes."""

import collections
import datetime
import decimal
import fractions
import json
import marshal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox import SANDBOXES, make
from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.in_jail import codec
from sandbox.judging.python_judge import Tests, judge_python
from sandbox.judging.verdict import Verdict

PLAIN = [
    None,
    True,
    0,
    -1,
    2**53,
    -(2**200),
    1.5,
    -0.0,
    float("inf"),
    2j,
    "",
    "\ud800",
    "a\0b",
    b"\xff",
    bytearray(b"x"),
    [],
    [1, [2]],
    (),
    (1,),
    {},
    {"a": [1]},
    {1: 2, None: (3,)},
    set(),
    {1, 2},
    frozenset({3}),
    range(3),
    range(5, 0, -2),
    {1: 2}.keys(),
    {1: 2}.items(),
    collections.deque([1, 2], 3),
    decimal.Decimal("1.50"),
    fractions.Fraction(1, 3),
    datetime.date(2024, 2, 29),
    datetime.datetime(2024, 2, 29, 1, 2, 3, 4),
    datetime.timedelta(1, 2, 3),
    int,
    ...,
]


def through(value: object) -> Any:
    """Out of a jail and in again."""

    def handle(value: object) -> Any:
        raise TypeError(type(value).__name__)

    def resolve(tag: str, rest: list[Any]) -> Any:
        raise ValueError(tag)

    data = codec.encode(value, handle)
    assert marshal.loads(marshal.dumps(data)) == data  # noqa: S302  # our own
    return codec.decode(json.loads(json.dumps(data)), resolve)


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: f"{type(value).__name__}-{str(value)[:20]!r}")
def test_plain_values_come_through(value: object) -> None:
    found = through(value)
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
)


@given(values)
def test_any_nested_value_comes_through(value: object) -> None:
    assert repr(through(value)) == repr(value)


def test_subclasses_come_as_the_plain_type_below_them() -> None:
    class Always(int):
        __hash__ = int.__hash__

        def __eq__(self, other: object) -> bool:
            return True

    assert type(through(Always(3))) is int
    assert type(through(collections.defaultdict(int, {1: 2}))) is dict
    Point = collections.namedtuple("Point", "x y")
    assert type(through(Point(1, 2))) is tuple


def test_numpy_comes_as_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    assert through(numpy.float64(1.5)) == 1.5 and type(through(numpy.int64(3))) is int
    assert (through(numpy.arange(6).reshape(2, 3)) == numpy.arange(6).reshape(2, 3)).all()


@pytest.mark.parametrize(
    "data",
    [
        [],
        ["?"],
        [[1]],
        {},
        ["l", ["o"]],
        ["r", 0, 10**9, 1],
        ["D", "1e999999"],
        ["F", 1, 0],
        ["i", "x"],
        ["s", ["l"]],
        ["a", [["l", "x"]]],
        ["a", ["l", ["o", 0]]],
        ["d", 1],
        ["T", "object"],
        ["b", 3],
        ["F", ["i", hex(3**9999)], 7],
    ],
)
def test_what_is_no_value_is_refused(data: Any) -> None:
    def resolve(tag: str, rest: list[Any]) -> Any:
        raise ValueError(tag)

    with pytest.raises((ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError)):
        codec.decode(data, resolve)


@pytest.fixture(scope="module", params=[*SANDBOXES])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    try:
        yield make(request.param)
    except SandboxError as error:
        pytest.skip(str(error))


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
    flood = judged(sandbox, "def f():\n    while True: print('x' * 1000)", "f()", output=1 << 20)
    assert flood.name == "fail" and "printed" in flood.stderr and len(flood.stderr) <= 2000
    told = judged(sandbox, "def f(): raise ValueError('\\ud800 here')", "assert f() == 1").stderr
    assert "ValueError in assert f() == 1" in told and "<candidate>" in told and told.encode()


def test_sets_have_the_same_order_every_time(sandbox: Sandbox) -> None:
    program = "def f(): raise ValueError(list({'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}))"
    assert len({judged(sandbox, program, "f()").stderr for _ in range(3)}) == 1


def test_an_answer_of_a_megabyte_comes_through_and_more_does_not(sandbox: Sandbox) -> None:
    program = "def f(n): return 'x' * n"
    assert judged(sandbox, program, "assert len(f(1_000_000)) == 1_000_000").name == "pass"
    assert judged(sandbox, program, "assert len(f(5_000_000)) == 5_000_000").name == "fail"
    assert judged(sandbox, "def f(x): return len(x)", "assert f([1] * 300_000) == 300_000").name == "pass"
