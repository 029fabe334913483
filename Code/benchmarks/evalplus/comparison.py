"""When is an answer right? The rules of the evalplus package, release 0.3.1 (evaluate.py and eval/), in our own words.

A candidate's answer to an input is compared with that of the reference. What differs from a plain comparison is a table of
tasks below; MBPP's are known by the name of the function, as in the package.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

HUMANEVAL, MBPP = "humaneval", "mbpp"
RTOL, FLOAT_ATOL = 1e-7, 1e-6  # numpy's assert_allclose; of answers that are floats where a problem names no tolerance
# a list of a set's members in any order
AS_SETS = {
    "similar_elements",  # Mbpp/2
    "find_char_long",  # Mbpp/7
    "common_in_nested_lists",  # Mbpp/111
    "extract_singly",  # Mbpp/140
    "larg_nnum",  # Mbpp/232
    "intersection_array",  # Mbpp/249
    "find_dissimilar",  # Mbpp/579
    "Diff",  # Mbpp/769
}
# anything that is not None means yes, such as a match object: what is expected is whether the reference's answer is not None
NOT_NONE = {"check_str", "text_match_three", "text_starta_endb"}


def slant_surface(base_edge: float, height: float) -> int:
    """The surface of a square pyramid whose `height` is that of its apex above the base, rounded (Mbpp/581)."""
    return round(base_edge**2 + 2 * base_edge * math.sqrt((base_edge / 2) ** 2 + height**2))


def digit_distance(one: object, other: object) -> int:
    """The sum of the differences of the digits of two numbers, the shorter filled with zeros on the left (Mbpp/558)."""
    digits = [str(one), str(other)]
    width = max(map(len, digits))
    return sum(abs(int(a) - int(b)) for a, b in zip(*(text.zfill(width) for text in digits), strict=True))


def polynomial(coefficients: Sequence[float], x: float) -> float:
    """c[0] + c[1] x + c[2] x^2 + ... (HumanEval/32)."""
    return sum(c * math.pow(x, power) for power, c in enumerate(coefficients))


# besides what the reference answers, that is right too: (the inputs, the answer, the tolerance)
ALSO_RIGHT: dict[str, Callable[[Sequence[Any], Any, float], bool]] = {
    "are_equivalent": lambda _inputs, _found, _atol: True,  # Mbpp/164: any answer
    "sum_div": lambda _inputs, found, _atol: bool(found == 0),  # Mbpp/295
    "surface_Area": lambda inputs, found, atol: abs(found - slant_surface(*inputs)) <= atol,  # Mbpp/581
    "digit_distance_nums": lambda inputs, found, _atol: bool(found == digit_distance(*inputs)),  # Mbpp/558
}


def expected_of(data_set: str, name: str, answer: Any) -> Any:
    """What is expected where the reference gave this answer."""
    return answer is not None if data_set == MBPP and name in NOT_NONE else answer


class Oracle:
    """Compares the answers to the inputs of one part, base or plus, in order.

    `atol` is the problem's absolute tolerance. From the first float on that is expected, it is FLOAT_ATOL if it was 0, for
    what comes after too, as in the package.
    """

    def __init__(self, data_set: str, name: str, atol: float) -> None:
        self._data_set, self._name, self._atol = data_set, name, atol

    def check(self, inputs: Sequence[Any], found: Any, expected: Any) -> None:
        """Raises AssertionError where `found` is wrong, or whatever comparing it raises: that is a failure too."""
        if self._data_set == HUMANEVAL and self._name == "find_zero":  # HumanEval/32: any zero of the polynomial
            assert abs(polynomial(inputs[0], found)) <= self._atol, "no zero of the polynomial"
            return
        exact = self._exact(inputs, found, expected)
        if self._atol == 0 and are_floats(expected):
            self._atol = FLOAT_ATOL
        if exact or self._atol == 0:
            assert exact, "another answer"
            return
        import numpy

        assert type(found) is type(expected), "an answer of another type"
        if isinstance(expected, list | tuple):
            assert len(found) == len(expected), "an answer of another length"
        assert numpy.allclose(found, expected, rtol=RTOL, atol=self._atol), "another answer"

    def _exact(self, inputs: Sequence[Any], found: Any, expected: Any) -> bool:
        if self._data_set == MBPP and self._name in AS_SETS:
            return set(found) == set(expected)
        if self._data_set == MBPP and self._name in NOT_NONE:
            return bool(found == expected if isinstance(found, bool) else expected == (found is not None))
        if found == expected:  # an array has no truth: that raises, and is a failure
            return True
        if self._data_set == MBPP and self._name in ALSO_RIGHT:
            return ALSO_RIGHT[self._name](inputs, found, self._atol)
        return False


def are_floats(value: Any) -> bool:
    """Whether it is a float, or a list or tuple of nothing but floats that is not empty, or an array of them."""
    if isinstance(value, float):
        return True
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, float) for item in value)
    return str(getattr(value, "dtype", "")) in ("float32", "float64")
