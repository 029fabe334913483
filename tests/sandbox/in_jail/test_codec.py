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


P = 2**61 - 1  # sys.hash_info.modulus: numbers that lie a multiple of it apart have one hash
NUMBERS = [number * P for number in range(300)]
# different tuples of one hash each, without many different numbers of one hash
TUPLES = [tuple(P if number >> bit & 1 else 0 for bit in range(9)) for number in range(300)]


@pytest.mark.parametrize("clashing", [NUMBERS, TUPLES], ids=["numbers", "tuples"])
@pytest.mark.parametrize(
    "held",
    [
        list,
        tuple,
        set,
        frozenset,
        collections.deque,
        dict.fromkeys,
        lambda values: dict.fromkeys(values).keys(),
        lambda values: dict(enumerate(values)),
        lambda values: dict(enumerate(values)).values(),
        lambda values: dict.fromkeys(values).items(),
        lambda values: [[value] for value in values],
        lambda values: [list(value) if isinstance(value, tuple) else value for value in values],
        lambda values: {"a": [{"b": collections.deque(part)} for part in (values[:99], values[99:])]},
        lambda values: [{value} for value in values],
        lambda values: [{number: [value]} for number, value in enumerate(values)],
    ],
)
def test_values_of_one_hash_are_refused_in_whatever_holds_them(clashing: list[Any], held: Any) -> None:
    def refuse(value: object, rest: object = None) -> Any:
        raise TypeError

    data = json.loads(json.dumps(codec.encode(held(clashing), refuse)))
    with pytest.raises(ValueError, match="same hash"):
        codec.decode(data, refuse, codec.Hashes())
    assert codec.decode(data, refuse) is not None  # what the judge itself sends is trusted


def test_pairs_of_one_hash_and_ranges_of_it_are_refused() -> None:
    def refuse(tag: str, rest: object) -> Any:
        raise TypeError

    pairs = [["t", ["i", hex(number * P)], 1] for number in range(300)]
    for data in (["m", *pairs], ["d", *[pair[1:] for pair in pairs]], ["r", 0, ["i", hex(300 * P)], ["i", hex(P)]]):
        with pytest.raises(ValueError, match="same hash|too many numbers"):
            codec.decode(data, refuse, codec.Hashes())


def test_values_that_come_often_are_no_clash() -> None:
    def refuse(value: object, rest: object = None) -> Any:
        raise TypeError

    for value in ([-1] + [-2] * 500, [-2, -1] * 500, [[-1, -2]] * 300 + [(-2, -1)] * 300, [float("nan")] * 300):
        data = json.loads(json.dumps(codec.encode(value, refuse)))
        assert repr(codec.decode(data, refuse, codec.Hashes())) == repr(value)  # -1 and -2 have one hash


def test_values_of_the_same_hash_are_equal() -> None:
    values = [[1], [1.0], [True], (1,), "[1]", "(1,)", [], "", ["1"], [[1]], [float("inf")], [2**70], ["\ud800"]]
    hashes = [codec.digest(value) for value in values]
    assert len(set(hashes)) == len(values) and all(len(one) == 32 for one in hashes)
    assert codec.digest([1, [2, "a"]]) == codec.digest([1, [2, "a"]])
    # of other types what is shown does not tell whether values are equal
    assert {codec.digest(value) for value in (1, {1}, {1: 2}, None, b"", type("L", (list,), {})())} == {""}
