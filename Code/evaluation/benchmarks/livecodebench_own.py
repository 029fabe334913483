"""Two small problems of our own, with solutions: the data set has none, and grading must show that it works."""

from evaluation.benchmarks.contract import Problem
from evaluation.benchmarks.livecodebench_files import GivenTests, Test


def own_problems(seconds: float) -> list[Problem]:
    """A program that reads standard input, and a method; `seconds` is the time limit of a test."""
    lines = (Test("3\n1 2 3\n", "6\n1.5\n", False), Test("1\n-4", "-4\n-1\n", False))
    program = (
        "n = int(input())\nnumbers = [*map(int, sys.stdin.readline().split())]\nprint(sum(numbers))\nprint({mean})\n"
    )
    calls = (Test('["b", "a"]\n1', '["a", "b", "a"]', True), Test("[]\n0", "[]", True))
    method = (
        "class Solution:\n    def line_up(self, words: List[str], again: int) -> List[str]:\n        return {line}\n"
    )
    return [
        Problem(
            "own_program", "", "", program.format(mean="sum(numbers) / 4"), program.format(mean="sum(numbers) // 4"),
            GivenTests(None, lines, seconds),
        ),
        Problem(
            "own_method", "", "", method.format(line="(*sorted(words), *nsmallest(again, words))"), method.format(line="words"),
            GivenTests("line_up", calls, seconds),
        ),
    ]  # fmt: skip
