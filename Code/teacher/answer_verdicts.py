"""What becomes of an answer that is run: one verdict each, and the results of a record's tests."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

import orjson
from inference.engines import LENGTH
from sandbox import make
from sandbox.bubblewrap import Bubblewrap
from sandbox.contract import Limits, Sandbox
from sandbox.judging import verdict as judged
from sandbox.judging.native_judge import build_and_run
from sandbox.judging.stdin_judge import run_program

from teacher.answer_code import PYTHON, AnswerCode, code_of, parsing_program, unchecked_because
from teacher.tests_of_records import TEST_S, TestProgram, harness

TRUNCATED, NO_CODE, SYNTAX_ERROR = "truncated", "no_code", "syntax_error"
PARSES, RUNS, RAISES, TIMES_OUT = "parses", "runs", "raises", "times_out"
UNCHECKED, INFRA_ERROR = "unchecked", "infra_error"
VERDICTS = (TRUNCATED, NO_CODE, SYNTAX_ERROR, UNCHECKED, PARSES, RUNS, RAISES, TIMES_OUT, INFRA_ERROR)
# what the sandbox says of a Python program that does not come to its end
_OF_FAILURE = {
    judged.SYNTAX: SYNTAX_ERROR,
    judged.TIMEOUT: TIMES_OUT,
    judged.INFRA_ERROR: INFRA_ERROR,
    judged.FAIL: RAISES,
    judged.MEMORY: RAISES,
    judged.BLOCKED: RAISES,
}
# and of a parser's run
_OF_PARSER = {judged.PASS: PARSES, judged.SYNTAX: SYNTAX_ERROR, judged.INFRA_ERROR: INFRA_ERROR}
_ADDRESS = re.compile(r"\b0x[0-9a-f]+")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class AnswerToRun:
    """What a worker is given: an answer, and the tests of its record where there are some."""

    text: str
    finish_reason: str
    tests: TestProgram | None = None


@dataclass(frozen=True, slots=True)
class AnswerVerdict:
    """What became of an answer."""

    verdict: str  # one of VERDICTS
    language: str | None  # as AnswerCode says; None without code
    error: str = ""  # one line on why it is not RUNS or PARSES
    passed: tuple[bool, ...] | None = None  # of each test; None where none were run


@dataclass(frozen=True, slots=True)
class RunSettings:
    """In which sandbox, and for how long."""

    sandbox: str
    seconds: float
    memory: int  # bytes


class AnswerRunner:
    """Judges answers, in a worker process, one at a time; each program has a jail of its own."""

    def __init__(self, settings: RunSettings, slot: int) -> None:
        self._settings, self._slot = settings, slot
        self._limits = Limits(settings.seconds, settings.memory)
        self._python = make(settings.sandbox, slot)
        self._toolchains: Sandbox | None = None  # made when it is needed

    def __call__(self, answer: AnswerToRun) -> AnswerVerdict:
        """The verdict on an answer, and the results of the tests.

        One whose tokens ran out is TRUNCATED whatever its code does. Tests are run against all Python that parses; other
        answers of a record with tests pass none of them, but for INFRA_ERROR, which says nothing.
        """
        wanted = answer.tests.names if answer.tests else ()
        found = code_of(answer.text, wanted)
        if answer.finish_reason == LENGTH:
            result = AnswerVerdict(TRUNCATED, found.language if found else None, "its tokens ran out")
        elif found is None:
            result = AnswerVerdict(NO_CODE, None, "no code in it")
        elif found.language == PYTHON:
            result = self._run(code_of(answer.text) or found)
        else:
            result = self._parse(found)
        if answer.tests is None or result.verdict == INFRA_ERROR:
            return result
        passed: tuple[bool, ...] | None = (False,) * answer.tests.count
        if found is not None and found.parses:
            passed = self._tested(found, answer.tests)
        if passed is None:
            return AnswerVerdict(INFRA_ERROR, result.language, "the sandbox failed while the tests ran")
        return AnswerVerdict(result.verdict, result.language, result.error, passed)

    def _run(self, found: AnswerCode) -> AnswerVerdict:
        if not found.parses:
            return AnswerVerdict(SYNTAX_ERROR, PYTHON, "it is not Python")
        ran = run_program(found.code, "", self._python, self._limits)
        if ran.failure is None:
            return AnswerVerdict(RUNS, PYTHON)
        said = ran.stderr.strip().rpartition("\n")[2]
        prefix = "" if ran.failure in (judged.FAIL, judged.SYNTAX) else f"{ran.failure}{': ' if said else ''}"
        return AnswerVerdict(_OF_FAILURE[ran.failure], PYTHON, _one_line(prefix + said))

    def _parse(self, found: AnswerCode) -> AnswerVerdict:
        why = unchecked_because(found.language)
        if why is None and self._settings.sandbox != Bubblewrap.name:
            why = f"compilers write files, which the sandbox {self._settings.sandbox} does not let them do"
        if why is not None:
            return AnswerVerdict(UNCHECKED, found.language, _one_line(why))
        self._toolchains = self._toolchains or make(self._settings.sandbox, self._slot, toolchains=True)
        program = parsing_program(found, secrets.token_hex(16), 3 * self._settings.seconds)
        verdict = build_and_run(program, self._toolchains, self._limits)
        name = _OF_PARSER.get(verdict.name, UNCHECKED)
        lines = verdict.stderr.splitlines()
        return AnswerVerdict(name, found.language, "" if name == PARSES else _one_line(" ".join(lines[:2])))

    def _tested(self, found: AnswerCode, tests: TestProgram) -> tuple[bool, ...] | None:
        """The result of each test; None where the sandbox failed."""
        mark = secrets.token_hex(16)
        limits = Limits(self._settings.seconds + TEST_S * tests.count, self._settings.memory)
        ran = run_program(harness(found.code, tests, mark), "", self._python, limits)
        if ran.failure == judged.INFRA_ERROR:
            return None
        results = _results(ran.stdout.rpartition(mark)[2]) if mark in ran.stdout else None
        return results if results is not None and len(results) == tests.count else (False,) * tests.count


def _results(said: str) -> tuple[bool, ...] | None:
    try:
        found: Any = orjson.loads(said)
    except orjson.JSONDecodeError:
        return None
    whole = isinstance(found, list) and all(type(value) is bool for value in found)
    return tuple(found) if whole else None


def _one_line(text: str) -> str:
    """A line for a result, which has to be the same in every run: without the addresses of objects."""
    return _ADDRESS.sub("0x...", " ".join(text.split()))[:_SHOWN]
