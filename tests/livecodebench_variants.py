"""Answers to every problem of LiveCodeBench made from what its tests expect, each changed in one way or not at all.

What differs between two checkers is how they compare; so these programs know what is expected, and print it differently.
Nothing here is hostile: they may run outside of a sandbox.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOLUTIONS = Path(__file__).parent / "benchmarks" / "livecodebench" / "solutions.json"


@dataclass(frozen=True)
class Solved:
    """A right program, and parts of it to replace: each replacement by itself makes it wrong on some public test."""

    right: str
    wrong: tuple[tuple[str, str], ...]

    def spoilt(self) -> list[str]:
        assert all(self.right.count(part) for part, _ in self.wrong)
        return [self.right.replace(part, other) for part, other in self.wrong]


# by question id: answers written for these tests; the problems are elsewhere
SOLVED = {
    task_id: Solved("\n".join(one["right"]) + "\n", tuple((part, other) for part, other in one["wrong"]))
    for task_id, one in json.loads(SOLUTIONS.read_text()).items()
}


@dataclass(frozen=True)
class Variant:
    """`kind` says what was done to the answer that is expected."""

    task_id: str
    kind: str
    completion: str


@dataclass(frozen=True)
class RawProblem:
    """What the official harness takes, read from a row as released without the code under test."""

    task_id: str
    inputs: list[str]
    outputs: list[str]
    function: str | None


def raw_problems(rows: list[dict[str, Any]]) -> list[RawProblem]:
    found = []
    for row in rows:
        tests = json.loads(row["public_test_cases"])
        inputs, outputs = ([test[key] for test in tests] for key in ("input", "output"))
        found.append(RawProblem(row["question_id"], inputs, outputs, json.loads(row["metadata"]).get("func_name")))
    return found


def _numbers(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: re.sub(r"(?<![\w.])-?\d+(?![\w.])", lambda found: change(found[0]), text)


PRINTED: dict[str, Callable[[str], str]] = {
    "as expected": str,
    "a line end more": lambda text: text + "\n",
    "no line end": lambda text: text.rstrip("\n"),
    "blank lines around": lambda text: f"\n\n{text}\n\n",
    "blanks at the ends of lines": lambda text: text.replace("\n", " \n") + "  ",
    "blanks at the starts of lines": lambda text: "  " + text.replace("\n", "\n\t"),
    "two blanks between": lambda text: text.replace(" ", "  "),
    "a tab between": lambda text: text.replace(" ", "\t"),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "DOS line ends": lambda text: text.replace("\n", "\r\n") + "\r\n",
    "old Mac line ends": lambda text: text.rstrip("\n").replace("\n", "\r"),
    "form feeds for line ends": lambda text: text.rstrip("\n").replace("\n", "\f"),
    "a blank line between": lambda text: text.rstrip("\n").replace("\n", "\n\n"),
    "capitals": str.upper,
    "no capitals": str.lower,
    "other case": str.swapcase,
    "1.0": _numbers(lambda number: number + ".0"),
    "1e0": _numbers(lambda number: number + "e0"),
    "1.": _numbers(lambda number: number + "."),
    "+1": _numbers(lambda number: number if number[0] == "-" else f"+{number}"),
    "01": _numbers(lambda number: number if number[0] == "-" else f"0{number}"),
    "1_0": _numbers("_".join),
    "1,000": _numbers(lambda number: f"{int(number):,}"),
    "one more": _numbers(lambda number: str(int(number) + 1)),
    "a little more": _numbers(lambda number: number + ".000000001"),
    "half as many digits": lambda text: re.sub(r"(\.\d{4})\d+", r"\1", text),
    "0.50": lambda text: re.sub(r"(\.\d+)", r"\g<1>0", text),
    "full width": lambda text: text.translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
    "negative": _numbers(lambda number: "-" + number.lstrip("-")),
    "nan": _numbers(lambda _: "nan"),
    "a line more": lambda text: text.rstrip("\n") + "\n0\n",
    "a line less": lambda text: "\n".join(text.rstrip("\n").split("\n")[:-1]),
    "the last line twice": lambda text: text.rstrip("\n") + "\n" + text.rstrip("\n").split("\n")[-1],
    "lines the other way round": lambda text: "\n".join(text.rstrip("\n").split("\n")[::-1]),
    "words the other way round": lambda text: " ".join(text.split()[::-1]),
    "all in one line": lambda text: " ".join(text.split()),
    "a word in each line": lambda text: "\n".join(text.split()),
    "a word more": lambda text: text.rstrip("\n") + " 0",
    "nothing": lambda _: "",
    "as a list": lambda text: str(text.split()),
    "a full stop": lambda text: text.rstrip("\n") + ".",
    "'quoted'": lambda text: repr(text.rstrip("\n")),
}
RETURNED = {
    "as expected": "{0}",
    "a tuple": "tuple({0}) if type({0}) is list else {0}",
    "tuples inside": "[tuple(x) if type(x) is list else x for x in {0}] if type({0}) is list else ({0},)",
    "a float": "float({0}) if type({0}) is int else [float(x) if type(x) is int else x for x in {0}] if type({0}) is list else {0}",
    "a str": "str({0})",
    "a list of it": "[{0}]",
    "a tuple of it": "({0},)",
    "bool as int": "int({0}) if type({0}) is bool else [int(x) if type(x) is bool else x for x in {0}] if type({0}) is list else {0}",
    "int as bool": "bool({0})",
    "None": "None",
    "one more": "{0} + 1 if type({0}) is int else {0} + {0}[:1] if type({0}) in (list, str) else not {0}",
    "the other way round": "{0}[::-1] if type({0}) in (list, str) else -{0}",
    "sorted": "sorted({0}) if type({0}) in (list, str) else {0}",
    "a little more": "{0} + 1e-9 if type({0}) in (int, float) else {0}",
    "a Fraction": "__import__('fractions').Fraction({0}) if type({0}) is int else {0}",
    "a Decimal": "__import__('decimal').Decimal({0}) if type({0}) is int else {0}",
    "complex": "complex({0}) if type({0}) is int else {0}",
    "a deque": "deque({0}) if type({0}) is list else {0}",
    "a dict's values": "dict(enumerate({0})).values() if type({0}) is list else {0}",
    "a generator": "(x for x in {0}) if type({0}) is list else {0}",
    "a subclass": "type('Own', (type({0}),), {{}})({0}) if type({0}) is not bool else {0}",
    "bytes": "{0}.encode() if type({0}) is str else {0}",
    "an exception": "1 / 0",
    "sys.exit": "sys.exit(0)",
    "printed, not returned": "print({0})",
}
# programs of which the official verdict is one thing and ours another, and why ours is right
EXPLAINED = {
    "an object equal to all": "the official harness asks the candidate's object whether it is right",
    "sys.stdin.buffer": "the official harness replaces sys.stdin by something without a buffer",
    "a global statement": "the official harness makes the program the body of a function, which changes what is global",
    "memory in self": "the official harness uses one Solution for all tests, LeetCode a new one for each",
}


def variants(problems: list[RawProblem]) -> Iterator[Variant]:
    """For every problem its answer, unchanged or changed in one way, the changes taking turns; then answers written by hand."""
    printed, returned = list(PRINTED), list(RETURNED)
    programs = functions = 0
    for problem in problems:
        if problem.function is None:
            # changes that change nothing are no test: the next one that does, besides the unchanged answer
            for _ in range(2):
                for _ in printed:
                    kind = printed[programs % len(printed)]
                    programs += 1
                    if kind == "as expected" or [*map(PRINTED[kind], problem.outputs)] != problem.outputs:
                        break
                yield Variant(problem.task_id, kind, printing(problem, PRINTED[kind]))
        else:
            for _ in range(2):
                kind = returned[functions % len(returned)]
                functions += 1
                yield Variant(problem.task_id, kind, returning(problem, RETURNED[kind]))
    for task_id, solved in SOLVED.items():
        yield Variant(task_id, "right by hand", solved.right)
        for number, program in enumerate(solved.spoilt()):
            yield Variant(task_id, f"wrong by hand {number}", program)
    yield from special(problems)


def printing(problem: RawProblem, change: Callable[[str], str]) -> str:
    """A program that prints what is expected, changed."""
    table = {given: change(right) for given, right in zip(problem.inputs, problem.outputs, strict=True)}
    return f"import sys\nprint({table!r}[sys.stdin.read()], end='')\n"


def returning(problem: RawProblem, expression: str) -> str:
    """A method that returns an expression of what is expected."""
    keys = [json.dumps([json.loads(line) for line in given.split("\n")]) for given in problem.inputs]
    table = dict(zip(keys, problem.outputs, strict=True))
    return (
        f"TABLE = {table!r}\n\n\nclass Solution:\n    def {problem.function}(self, *given):\n"
        f"        value = json.loads(TABLE[json.dumps(list(given))])\n        return {expression.format('value')}\n"
    )


def special(problems: list[RawProblem]) -> Iterator[Variant]:
    """What is known to be judged differently, and endless programs."""
    program = next(problem for problem in problems if problem.task_id == "abc387_b")
    function = next(problem for problem in problems if problem.task_id == "3704")
    echo, back = printing(program, str), returning(function, "value")
    yield Variant("abc387_b", "sys.stdin.buffer", echo.replace("sys.stdin.read()", "sys.stdin.buffer.read().decode()"))
    yield Variant(
        "abc387_b", "a global statement", f"x = 0\ndef go():\n    global x\n    x += 1\n    return x\ngo()\n{echo}"
    )
    yield Variant(
        "abc387_b",
        "reading to the end",
        "x = ''\ntry:\n    while True:\n        x += input()\nexcept EOFError:\n    pass\n"
        + echo.replace("sys.stdin.read()", "x"),
    )
    yield Variant("abc387_b", "endless", "while True:\n    pass\n")
    equal = "type('Any', (), {'__eq__': lambda *_: True, '__bool__': lambda _: True})()"
    yield Variant("3704", "an object equal to all", back.replace("return value", f"return {equal}"))
    once = "if hasattr(self, 'used'): return None\n        self.used = 1\n        return value"
    yield Variant("3704", "memory in self", back.replace("return value", once))
    yield Variant("3704", "endless", back.replace("return value", "\n        while True: pass"))
    yield Variant(
        "3704", "a bare function", back.replace("class Solution:\n    def", "if True:\n    def").replace("self, ", "")
    )
    yield Variant("3704", "another class", back.replace("class Solution:", "class Other:"))
    yield Variant("3704", "a bracket open", back + "(\n")
    yield Variant("3704", "nothing", "")
    yield Variant("abc387_b", "a bracket open", echo + "(\n")
    yield Variant("abc387_b", "an exception at the end", echo + "raise ValueError\n")
    yield Variant("abc387_b", "exit at the end", echo + "exit(1)\n")
    yield Variant(
        "abc387_b", "main guard", "import sys\nif __name__ == '__main__':\n    " + echo.splitlines()[1] + "\n"
    )
