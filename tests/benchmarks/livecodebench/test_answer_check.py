"""LiveCodeBench: how answers are compared."""

import sys
import tracemalloc

import pytest
from benchmarks.livecodebench.answer_check import Calls, difference
from benchmarks.livecodebench.dataset import Test


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("1 2\n", "1 2", True),
        ("1  2", "1 2", True),
        ("1 2.0", "1 2", True),
        ("1e1", "10", True),
        ("1\n2", "1 2", False),
        ("YES", "Yes", False),
        ("0.3333333", "0.33333333", False),
        ("nan", "nan", True),
        ("nan ", "NaN", False),
        ("snan", "1", False),
        ("", "\n", True),
        ("1\r\n2\r\n", "1\n2\n", True),
        ("1\n\n2", "1\n2", False),
        ("a  b", "a b", False),
        ("123456789012345678901234567890", "123456789012345678901234567891", False),
        ("1e999999999", "1", False),
    ],
)
def test_printed_answers_are_compared_as_the_authors_do(printed: str, expected: str, same: bool) -> None:
    assert (difference(printed, expected) is None) == same


@pytest.mark.parametrize("printed", ["1 ", "12\n", "1\x0b", "\U0001f600 ", "1\x85", "\n1", "7", "\x01"])
@pytest.mark.parametrize("expected", ["1 1", "1\n2", "1 2 3 x", "7", ""])
def test_a_flood_is_compared_in_as_much_memory_as_it_takes_itself(printed: str, expected: str) -> None:
    flood = printed * (1_500_000 // len(printed))
    tracemalloc.start()
    try:
        assert len(difference(flood, expected) or "") < 400
        assert tracemalloc.get_traced_memory()[1] < 3 * sys.getsizeof(flood) + 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("returned", "expected", "why"),
    [
        ((1, 2), "[1, 2]", ""),
        ([(1, 2)], "[[1, 2]]", "expected [[1, 2]], got something else"),
        (0.1 + 0.2, "0.3", "expected 0.3, got 0.30000000000000004"),
        (True, "1", ""),
        (None, "0", "expected 0, got None"),
        (list(range(99)), "[]", "expected [], got [0, 1, 2"),
    ],
)
def test_returned_answers_are_compared_as_the_authors_do(returned: object, expected: str, why: str) -> None:
    calls = Calls([Test("1", "1", True), Test("2", expected, True)])
    if not why:
        calls.check(lambda given: 1 if given == "1" else returned)
    else:
        with pytest.raises(AssertionError):
            calls.check(lambda given: 1 if given == "1" else returned)
    assert calls.at == 1
    assert calls.why.startswith(why)
    assert len(calls.why) < 150
