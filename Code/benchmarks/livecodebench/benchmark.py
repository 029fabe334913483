"""LiveCodeBench, code generation: problems of LeetCode, AtCoder and Codeforces contests by date (arXiv 2403.07974)."""

import re
from dataclasses import replace
from keyword import iskeyword
from pathlib import Path

import orjson
from sandbox.contract import Limits, Sandbox
from sandbox.judging.verdict import Verdict
from seedkit.cli import say
from seedkit.errors import InputError

from benchmarks.contract import ALL, OUTSIDE, Problem, Selection
from benchmarks.dataset_rows import Row, once
from benchmarks.extraction import cut
from benchmarks.livecodebench.dataset import (
    RELEASE,
    RELEASES,
    GivenTests,
    StoredTests,
    Test,
    digest,
    files,
    lines,
    no_json,
    tests_in,
)
from benchmarks.livecodebench.errata import erratum
from benchmarks.livecodebench.judge import judge
from benchmarks.livecodebench.prompts import (
    Question,
    base_prompt,
    instruction,
    method_of,
    question_in,
    solved_examples,
)

SECONDS = 6.0  # the authors' limit for one test
_TASK_ID = re.compile(r"(?:(?:leetcode|atcoder|codeforces|livecodebench)/)?(\w+)", re.IGNORECASE)


class LiveCodeBench:
    """A completion is a whole program: one that reads standard input, or one that defines a method of Solution.

    There are no reference solutions: `Problem.reference` is empty, except in `own_problems`. An answer is right if the
    authors' comparison says so, even where several answers would be right; such problems carry a tag "errata".
    """

    name = "livecodebench"
    stop: tuple[str, ...] = ("###",)
    max_new_tokens = 2000
    min_seconds = SECONDS
    judged = OUTSIDE
    toolchain: str | None = None
    answers_of: str | None = None

    def __init__(self, selection: Selection = ALL) -> None:
        self._selection = selection

    def load(self, source: Path | None) -> list[Problem]:
        """From the hub, a folder with the authors' files, or one file; the problems that the selection asks for.

        Every test is unpacked and checked once, and read again when it is run.
        """
        selection, examples = self._selection, solved_examples(source)
        if examples is None:
            say(
                f"{self.name}: func.json and stdin.json, the authors' solved examples, are neither beside the data nor in an"
                " installed livecodebench package: prompts for base models go without one"
            )
        problems: dict[str, Problem] = {}
        paths = files(source, selection.release)
        count = 0
        for path in paths:
            for where, offset, line in lines(path):
                count += 1
                row = _row(where, line)
                question = question_in(row)
                if not _within(where, question, selection):
                    continue
                problem = self._problem(where, question, examples or ("", ""))
                once(where, problem.task_id, problems)
                tests, function = tests_in(row)
                function = function or (method_of(question.starter) if tests[0].functional else None)
                if tests[0].functional and (not function or not function.isidentifier() or iskeyword(function)):
                    raise InputError(f"{where}: expected the name of a function to call, got {function!r:.60}")
                if tests[0].functional and (number := no_json(tests)):
                    say(f"{where}: test {number} of {len(tests)} is no JSON: no answer can pass {problem.task_id}")
                stored = StoredTests(
                    digest(line), function, SECONDS, len(tests), selection.all_tests, where, path, offset, len(line)
                )
                problems[problem.task_id] = replace(problem, tests=stored, wrong=_wrong(function))
        if not problems:
            raise InputError(f"{source or 'the hub'}: expected problems of LiveCodeBench within the dates, got none")
        release = selection.release or RELEASE
        if len(paths) > 1 and count != RELEASES[release]:
            say(f"{self.name}: {release} has {RELEASES[release]:,} problems, these files have {count:,}")
        return list(problems.values())

    def _problem(self, where: str, question: Question, examples: tuple[str, str]) -> Problem:
        """The problem without its tests."""
        task_id = self.task_id(question.id)
        if task_id is None:
            raise InputError(f"{where}: expected the id of a problem like abc387_b, got {question.id!r:.60}")
        tags = {}
        for key, value in (("platform", question.platform), ("difficulty", question.difficulty)):
            if not isinstance(value, str):
                raise InputError(f'{where}: "{key}" must be a string, got {type(value).__name__}')
            tags[key] = value
        if question.date:
            tags["date"] = question.date.isoformat()
        if why := erratum(task_id, question.title):
            tags["errata"] = why
        prompt = base_prompt(question, examples)
        return Problem(task_id, prompt, instruction(question), reference="", wrong="", tests=None, tags=tags)

    def own_problems(self) -> list[Problem]:
        return _own_problems(SECONDS)

    def task_id(self, value: object) -> str | None:
        """The question id (abc387_b, 1873_A, "3708" or 3708), alone or behind its platform and a slash."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        match = _TASK_ID.fullmatch(value) if isinstance(value, str) else None
        return match[1] if match else None

    def extract(self, problem: Problem, raw: str, *, instruct: bool) -> str:
        """As the authors do: what stands between the last two fences, or nothing if there are not two.

        Of a base model's answer, all up to the stop sequence.
        """
        if not instruct:
            return cut(raw, self.stop).strip()
        answer = raw.split("\n")
        fences = [number for number, line in enumerate(answer) if "```" in line]
        return "\n".join(answer[fences[-2] + 1 : fences[-1]]) if len(fences) > 1 else ""

    def most_seconds(self, problem: Problem, limits: Limits) -> float:
        """Every test has its own time, and those of a function run together first."""
        stored: StoredTests | GivenTests = problem.tests
        return (stored.count + 1) * max(stored.seconds, limits.seconds)

    def judge(self, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
        """Run one test after the other, up to the first that fails; `limits` are those of one test."""
        return judge(problem.tests, completion, sandbox, limits)


def _row(where: str, line: bytes) -> Row:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{where}: expected one JSON object, got malformed JSON: {error.msg}") from None
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected an object, got {type(value).__name__}")
    return Row(where, value)


def _within(where: str, question: Question, selection: Selection) -> bool:
    if selection.date_from is None and selection.date_to is None:
        return True
    if question.date is None:
        raise InputError(f"{where}: expected the date of a contest to select by, got a problem without one")
    early = selection.date_from is not None and question.date < selection.date_from
    return not early and (selection.date_to is None or question.date <= selection.date_to)


def _wrong(function: str | None) -> str:
    return "pass\n" if function is None else f"class Solution:\n    def {function}(self, *_):\n        return None\n"


def _own_problems(seconds: float) -> list[Problem]:
    """Two small problems with solutions: a program that reads standard input, and a method.

    `seconds` is the time limit of a test.
    """
    lines = (Test("3\n1 2 3\n", "6\n1.5\n", False), Test("1\n-4", "-4\n-1\n", False))
    program = "n = int(input())\nnumbers = [*map(int, sys.stdin.readline().split())]\nprint(sum(numbers))\nprint({})\n"
    calls = (Test('["b", "a"]\n1', '["a", "b", "a"]', True), Test("[]\n0", "[]", True))
    method = "class Solution:\n    def line_up(self, words: List[str], again: int) -> List[str]:\n        return {}\n"
    problems = {  # name -> program, what fills its gap rightly and wrongly, tests
        "own_program": (program, "sum(numbers) / 4", "sum(numbers) // 4", GivenTests(None, lines, seconds)),
        "own_method": (
            method,
            "(*sorted(words), *nsmallest(again, words))",
            "words",
            GivenTests("line_up", calls, seconds),
        ),
    }
    return [
        Problem(name, "", "", text.format(right), text.format(wrong), tests)
        for name, (text, right, wrong, tests) in problems.items()
    ]
