"""When an answer is right: the rules of EvalPlus, one by one."""

import collections
import math
from typing import Any

import numpy as np
import pytest
from benchmarks.evalplus.comparison import HUMANEVAL, MBPP, Oracle, digit_distance, expected_of, slant_surface


def right(data_set: str, name: str, found: Any, expected: Any, *, inputs: Any = (), atol: float = 0) -> bool:
    try:
        Oracle(data_set, name, atol).check(inputs, found, expected)
    except (AssertionError, TypeError, ValueError):  # the judge takes any exception for a failure
        return False
    return True


@pytest.mark.parametrize(
    ("found", "expected", "atol", "verdict"),
    [
        (1, 1, 0, True),
        (1, 2, 0, False),
        (1.0, 1, 0, True),  # equal, whatever the type
        (True, 1, 0, True),
        ([1], (1,), 0, False),
        (None, None, 0, True),
        (10**30, 10**30, 0, True),
        (10**30 + 1, 10**30, 0, False),
        (math.inf, math.inf, 0, True),
        (math.nan, math.nan, 0, False),
        (1.0 + 9e-7, 1.0, 0, True),  # floats have a tolerance of 1e-6
        (1.0 + 2e-6, 1.0, 0, False),
        (1 + 1e-6, 1, 0, False),  # where an integer is expected, none
        (1e10 * (1 + 5e-8), 1e10, 0, True),  # relative 1e-7
        (1e10 * (1 + 2e-7), 1e10, 0, False),
        ([1.0 + 9e-7, 2.0], [1.0, 2.0], 0, True),
        ([1.0 + 9e-7, 2], [1.0, 2], 0, False),  # not all are floats
        ((1.0 + 9e-7,), [1.0], 0, False),  # another type
        ([1.0 + 9e-7], [1.0, 1.0], 0, False),  # another length, which would be broadcast
        (1.3, 1.0, 0.5, True),
        (1.6, 1.0, 0.5, False),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0]), 0, False),  # an array has no truth
        (1, 1.0 + 1e-7, 0, False),  # within the tolerance, but of another type
        ("a", "a", 0, True),
        (None, 1.0, 0, False),
    ],
)
def test_plain_answers(found: Any, expected: Any, atol: float, verdict: bool) -> None:
    assert right(HUMANEVAL, "f", found, expected, atol=atol) is right(MBPP, "f", found, expected, atol=atol) is verdict


def test_the_tolerance_of_floats_holds_from_the_first_float_on() -> None:
    found, expected = {"a": 1.0 + 5e-7}, {"a": 1.0}
    assert not right(HUMANEVAL, "f", found, expected)
    oracle = Oracle(HUMANEVAL, "f", 0)
    oracle.check((), 1.0, 1.0)
    with pytest.raises(TypeError):  # numpy does not compare dicts: the same failure
        oracle.check((), found, expected)
    oracle.check((), [1, 1 + 5e-7], [1, 1])  # lists of integers have it from now on


def test_any_zero_of_the_polynomial_is_right() -> None:
    for zero, verdict in ((1.0, True), (-1.0, True), (1.0 + 1e-6, True), (0.5, False), ("x", False)):
        assert right(HUMANEVAL, "find_zero", zero, 1.0, inputs=([-1, 0, 1],), atol=1e-4) is verdict
    assert not right(MBPP, "find_zero", -1.0, 1.0, inputs=([-1, 0, 1],), atol=1e-4)


@pytest.mark.parametrize("name", ["similar_elements", "find_char_long", "Diff"])
def test_lists_of_members_in_any_order(name: str) -> None:
    for found, verdict in (([2, 1, 1], True), ((1, 2), True), ([1], False), ([[1]], False), (None, False)):
        assert right(MBPP, name, found, [1, 2]) is verdict
    assert not right(HUMANEVAL, name, [2, 1], [1, 2])


def test_anything_but_none_is_yes() -> None:
    assert [expected_of(MBPP, "check_str", answer) for answer in (object(), None, False)] == [True, False, True]
    assert expected_of(HUMANEVAL, "check_str", None) is None
    for found, expected, verdict in (
        ("a match", True, True),
        (None, True, False),
        (None, False, True),
        (0, False, False),
        (True, True, True),
        (False, True, False),
    ):
        assert right(MBPP, "check_str", found, expected) is verdict


def test_second_right_answers() -> None:
    assert right(MBPP, "are_equivalent", "anything", True) and not right(HUMANEVAL, "are_equivalent", "anything", True)
    assert right(MBPP, "sum_div", 0, 7) and not right(MBPP, "sum_div", 1, 7)
    assert slant_surface(3, 4) == round(9 + 2 * 3 * math.hypot(1.5, 4)) == 35
    assert right(MBPP, "surface_Area", 35, 33, inputs=(3, 4)) and not right(MBPP, "surface_Area", 34, 33, inputs=(3, 4))
    assert digit_distance(123, 56) == 1 + 3 + 3
    assert right(MBPP, "digit_distance_nums", 7, 6, inputs=(123, 56))
    assert not right(MBPP, "digit_distance_nums", 5, 6, inputs=(123, 56))


def test_a_counter_is_a_dict() -> None:
    assert right(MBPP, "f", {"a": 1}, collections.Counter("a"))
