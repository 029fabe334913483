"""Arguments out of the release's JSON: what its lists stand for, by the number of an MBPP+ task."""

import json
from typing import Any

import pytest
from benchmarks.evalplus.inputs import read_inputs


@pytest.mark.parametrize(
    ("number", "call", "arguments"),
    [
        (3, [[1], "a"], [[1], "a"]),
        (2, [[1, 2], [3]], [(1, 2), (3,)]),
        (63, [[[1, 2], [3]]], [[(1, 2), (3,)]]),
        (259, [[[1, 2]], [[3]]], [((1, 2),), ((3,),)]),
        (75, [[[1, 2], [3]], 6], [[(1, 2), (3,)], 6]),
        (106, [[1], [2]], [[1], (2,)]),
        (115, [[[1, 1], [], {}]], [[{1}, {}, {}]]),
        (124, ["1.5", "2+1j"], [1.5, 2 + 1j]),
        (250, [[1, [2]], 3], [(1, [2]), 3]),
        (252, ["1j"], [1j]),
        (278, [[1, [2, [3]]]], [(1, (2, [3]))]),
        (307, [[1], 2, 3], [(1,), 2, 3]),
        (580, [[1, [2, [3, "a"]]]], [(1, (2, (3, "a")))]),
        (722, [{"a": [1, 2]}, 5, 6], [{"a": (1, 2)}, 5, 6]),
    ],
)
def test_what_lists_stand_for(number: int, call: list[Any], arguments: list[Any]) -> None:
    found = read_inputs(json.dumps([call, call]), number)
    assert found == [arguments, arguments]
    assert list(map(repr, found[0])) == list(map(repr, arguments))  # 1 is not True, a tuple not a list


def test_humaneval_has_lists_alone() -> None:
    assert read_inputs("[[[1, 2], [3]]]", None) == [[[1, 2], [3]]]


def test_numbers_are_exact() -> None:
    ((big, endless, nothing),) = read_inputs(f"[[{10**40}, -Infinity, NaN]]", None)
    assert (big, endless, nothing != nothing) == (10**40, float("-inf"), True)
