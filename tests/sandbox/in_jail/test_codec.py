"""Values on their way out of a jail and into it: plain data comes through as it is, and nothing else does."""

import collections
import datetime
import decimal
import fractions
import json
import marshal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox.in_jail import codec

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
