"""What a language of MultiPL-E is: how it looks, what it takes to run, how a completion is judged, and a control problem."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.contract import Limits, Sandbox
from sandbox.judging.native_judge import Native, build_and_run
from sandbox.judging.verdict import Verdict
from seedkit.errors import InputError

from benchmarks.contract import INSIDE, Problem
from benchmarks.dataset_rows import Row
from benchmarks.extraction import cut
from benchmarks.multipl_e.case import Call, Case, LanguageSyntax, defined_name
from benchmarks.multipl_e.extraction import completion_in
from benchmarks.multipl_e.languages.toolchain import Toolchain

INSTRUCTION = """\
Complete this {title} function. Answer with the whole function and what it needs besides, in one ```{fence} block.

```{fence}
{prompt}
```
"""
_TASK = {"humaneval": re.compile(r"HumanEval_\d+_\w+"), "mbpp": re.compile(r"mbpp_\d+_\w+")}
_CONTROLS = Path(__file__).parent / "controls"
_CONTROL_TASK = {"humaneval": "HumanEval_0_next_number", "mbpp": "mbpp_0_next_number"}
# a mark in a control problem's file, a comment of its language; the new line before it is the mark's
_MARK = re.compile(r"\n[^\w\n]+ === (?:reference|tests|end) ===\n")

Judge = Callable[[Problem, str, Sandbox, Limits], Verdict]  # runs one completion in a jail of its own
# the authors' limit of a run: `timeout_seconds` of evaluation/src/safe_subprocess/__init__.py in nuprl/MultiPL-E
AUTHORS_SECONDS = 15.0
NONCE_FILE = "nonce"  # which tests that are compiled read and remove before anything of the candidate runs
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")  # what is short starts and ends sooner with these
TO_THE_JVM = tuple(f"-J{flag}" for flag in JVM)  # the same, through a command that runs in one
# (case, completion, nonce, token) -> the program for each reading of the completion, the likeliest first; `nonce` is what
# the tests print at last, `token` are letters for names that no candidate can know
Programs = Callable[[Case, str, str, str], list[Native]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language(LanguageSyntax):
    """One language: how it looks (LanguageSyntax), what it takes to run, and how its completions are judged."""

    wrong: str  # a completion that ends the program early and quietly, which must fail
    control: str  # a file in controls/: a small problem with a reference
    toolchain: Toolchain | None  # None: Python alone
    judge: Judge
    judged: str = INSIDE  # or OUTSIDE, as in benchmarks.contract
    min_seconds: float = AUTHORS_SECONDS  # of a run, where the user names no limit
    aliases: tuple[str, ...] = ()  # what rows call it besides its name
    calls: Callable[[str], tuple[Call, ...]] | None = None  # the tests as data; ValueError where they have another form

    def task_id(self, value: object, origin: str) -> str | None:
        """HumanEval_23_strlen of humaneval and mbpp_3_is_not_prime of mbpp; None of anything else."""
        return value if isinstance(value, str) and _TASK[origin].fullmatch(value) else None

    def problem(self, row: Row, origin: str) -> Problem:
        """A row of the data set. InputError where it has not the form that this language's rows have."""
        said = row.text("language")
        if said not in (self.name, *self.aliases):
            raise InputError(f"{row.where}: expected a problem in {self.title}, got one in {said!r:.20}")
        prompt, tests = row.text("prompt"), row.text("tests")
        task_id = self.task_id(row.value("name"), origin)
        if task_id is None:
            raise InputError(f'{row.where}: expected a "name" of {origin}, got {row.value("name")!r:.60}')
        name = defined_name(self, prompt)
        if name is None:
            raise InputError(f"{row.where}: expected a prompt that ends in a function of {self.title}, got none")
        if self.closes and not tests.lstrip("\n").startswith(self.closes):
            raise InputError(f"{row.where}: expected tests that begin with {self.closes!r}, got {tests[:20]!r}")
        stop = tuple(row.texts("stop_tokens"))
        try:
            calls = self.calls(tests) if self.calls else ()
        except ValueError as error:
            raise InputError(f'{row.where}: "tests": {error}') from None
        case = Case(self.name, name, prompt, tests, stop, calls, syntax=self)
        return Problem(task_id, prompt, self.instruction(prompt), "", self.wrong, self.tests(case))

    def instruction(self, prompt: str) -> str:
        """What a model is asked that was fine-tuned on instructions."""
        return INSTRUCTION.format(title=self.title, fence=self.fences[0], prompt=prompt.strip())

    def tests(self, case: Case) -> Any:
        """What becomes Problem.tests, where `extract` and `judge` find it."""
        return case

    def extract(self, problem: Problem, raw: str, *, instruct: bool) -> str:
        """The completion in a base model's answer, which ends at a stop token, or in a chat model's."""
        return completion_in(problem.tests, raw) if instruct else cut(raw, problem.tests.stop)


def judge_programs(programs: Programs, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    """A Judge, once `programs` is given: build candidate and tests in a jail and run them there.

    The verdict is made in the candidate's process.
    """
    nonce, token = secrets.token_hex(16), secrets.token_hex(8)
    return build_and_run(programs(problem.tests, completion, nonce, token), sandbox, limits)


def control_row(language: Language, origin: str) -> tuple[dict[str, object], str]:
    """(the control problem as a row of the data set, a completion that passes).

    The data set has no references. This problem shows, before anything is graded, that a right program passes on this
    machine and a wrong one fails.
    """
    prompt, reference, tests, _ = _MARK.split((_CONTROLS / language.control).read_text(encoding="utf-8"))
    row: dict[str, object] = {
        "name": _CONTROL_TASK[origin],
        "language": language.name,
        "prompt": prompt,
        "tests": tests,
        "stop_tokens": [*language.stop],
    }
    return row, reference
