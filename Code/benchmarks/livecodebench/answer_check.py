"""Is an answer right by LiveCodeBench's own rules: what a program printed, or what a function returned?"""

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

    This is the authors' comparison. Both texts are stripped and must have the same number of lines. Two lines are the same
    if they are equal once stripped, or if both are the same numbers separated by blanks. Numbers are compared exactly, as
    Decimals: 1, 1.0 and 1e0 are the same number, 0.3333 and 0.33333 are not.

    What was printed is not trusted. No more lines and numbers are made of it than are expected, so that the time and the
    memory grow with the lengths of the two texts alone.
    """
    got, wanted = printed.strip(), expected.strip()
    lines, right_lines = got.count("\n") + 1, wanted.count("\n") + 1
    if lines != right_lines:
        return f"expected {right_lines} lines, got {lines}: expected {_short(expected)}, got {_short(printed)}"
    for number, pair in enumerate(zip(got.split("\n"), wanted.split("\n"), strict=True), 1):
        line, right = (text.strip() for text in pair)
        if line != right and not _same_numbers(line, right):
            return f"line {number}: expected {_short(right)}, got {_short(line)}"
    return None


def _same_numbers(line: str, right: str) -> bool:
    expected = right.split()
    words = line.split(maxsplit=len(expected))  # one more than expected at most, and that is all the rest
    if len(words) != len(expected):
        return False
    try:
        return [Decimal(word) for word in words] == [Decimal(word) for word in expected]
    except InvalidOperation:  # a word is no number; or sNaN, which cannot be compared
        return False


def _short(value: object) -> str:
    if type(value) is str and len(value) > 2 * SHOWN:
        value = value[:SHOWN] + value[-SHOWN:]  # the middle is left out anyway
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...{text[-SHOWN // 2 :]}"


@dataclass(slots=True)
class Calls:
    """The tests of a function, run one after the other up to the first whose answer is wrong."""

    tests: Sequence[Test]
    at: int = 0  # the test under way, counted from 0
    why: str = ""  # what is wrong with its answer

    def check(self, answer_to: Callable[[str], Any]) -> None:
        """Compare the answers as the authors do: all must be equal, floats too; only an outermost tuple counts as a list.

        Args:
            answer_to: takes a test's input, a JSON value in each line, and returns what the function returns for it.

        Raises:
            AssertionError: an answer is wrong; `at` and `why` say which and how.
        """
        for at, test in enumerate(self.tests):
            self.at = at
            got = answer_to(test.input)
            got = list(got) if type(got) is tuple else got
            expected = json.loads(test.output)
            if not got == expected:
                # the repr of anything but plain data would call into the jail once more
                self.why = f"expected {_short(expected)}, got {_short(got) if _plain(got) else 'something else'}"
                raise AssertionError


def _plain(value: object) -> bool:
    return (
        value is None
        or type(value) in (bool, int, float, str)
        or (type(value) is list and all(map(_plain, value[:SHOWN])))
    )


# the Python judge runs tests that are given as text; this is where that text finds the Calls to check
under_way: ContextVar[Calls] = ContextVar("under_way")
