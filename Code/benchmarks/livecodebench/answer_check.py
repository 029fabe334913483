"""When an answer is right by LiveCodeBench's own rules: what a program printed, and what a function returned."""

import json
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from benchmarks.livecodebench.dataset import Test

SHOWN = 100  # characters of an answer that go into a result


def difference(printed: str, expected: str) -> str | None:
    """Where what was printed differs from what is expected; None if it is right.

    As the authors compare: both stripped, as many lines, each line stripped and the same, or the same numbers between its
    blanks. Numbers are compared as Decimals, exactly: 1, 1.0 and 1e0 are one number, 0.3333 and 1/3 are not.
    """
    got, wanted = _stripped_lines(printed), _stripped_lines(expected)
    if len(got) != len(wanted):
        return f"expected {len(wanted)} lines, got {len(got)}: expected {_short(expected)}, got {_short(printed)}"
    for number, (line, right) in enumerate(zip(got, wanted, strict=True), 1):
        if line != right and not _same_numbers(line, right):
            return f"line {number}: expected {_short(right)}, got {_short(line)}"
    return None


def _stripped_lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().split("\n")]


def _same_numbers(line: str, right: str) -> bool:
    try:
        return [Decimal(part) for part in line.split()] == [Decimal(part) for part in right.split()]
    except InvalidOperation:  # no number; or sNaN, which cannot be compared
        return False


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...{text[-SHOWN // 2 :]}"


@dataclass(slots=True)
class Calls:
    """The tests of a function, one after the other, as far as the first whose answer is wrong.

    `at` is the test under way, counted from 0; `why` says what is wrong with its answer.
    """

    tests: Sequence[Test]
    at: int = 0
    why: str = ""

    def check(self, answer_to: Callable[[str], Any]) -> None:
        """AssertionError at the first wrong answer; `answer_to` takes a test's input, a JSON value in each line.

        As the authors compare: equal, a tuple being as good as a list, on the outside alone. Floats must be equal too.
        """
        for at, test in enumerate(self.tests):
            self.at = at
            got = answer_to(test.input)
            got = list(got) if type(got) is tuple else got
            expected = json.loads(test.output)
            if not got == expected:
                # no repr of what is not plain data: that would call into the jail once more
                self.why = f"expected {_short(expected)}, got {_short(got) if _plain(got) else 'something else'}"
                raise AssertionError


def _plain(value: object) -> bool:
    return (
        value is None
        or type(value) in (bool, int, float, str)
        or (type(value) is list and all(map(_plain, value[:SHOWN])))
    )


# what the judge of Python runs is a text, which finds the tests here
under_way: ContextVar[Calls] = ContextVar("under_way")
