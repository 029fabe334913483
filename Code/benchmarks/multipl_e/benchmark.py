"""MultiPL-E: HumanEval and MBPP translated into other languages (arXiv 2208.08227; data set nuprl/MultiPL-E).

A program is prompt, completion, a new line and the tests, as the authors join them; a completion that defines the function
itself takes the place of the prompt too. Where the likelier of the two does not build, the other is tried. Python, JavaScript, TypeScript and Bash are judged from outside the jail, the
others in the candidate's process.
"""

import re
import secrets
from dataclasses import replace
from functools import cache
from pathlib import Path

from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.native_judge import BUILD_SECONDS, build_and_run
from sandbox.judging.python_judge import Tests, judge_python
from sandbox.judging.verdict import Verdict
from seedkit.errors import InputError

from benchmarks.contract import Problem
from benchmarks.dataset_rows import Row, once
from benchmarks.extraction import cut
from benchmarks.humaneval import HumanEval
from benchmarks.multipl_e.case import Case, defined_name
from benchmarks.multipl_e.dataset import multipl_e_rows
from benchmarks.multipl_e.extraction import completion_in
from benchmarks.multipl_e.languages import toolchain
from benchmarks.multipl_e.languages.base import ALIASES, LANGUAGES
from benchmarks.multipl_e.languages.bash import judge_sh
from benchmarks.multipl_e.languages.javascript import judge_js
from benchmarks.multipl_e.languages.javascript_values import Call, js_calls, sh_calls
from benchmarks.multipl_e.languages.own import own_row
from benchmarks.multipl_e.languages.single_file import PROGRAMS
from benchmarks.python_syntax import is_python

INSTRUCTION = """\
Complete this {title} function. Answer with the whole function and what it needs besides, in one ```{fence} block.

```{fence}
{prompt}
```
"""
_HUMANEVAL_X = "canonical_solution"  # rows of Python that are no translation have it
_TASK = {"humaneval": re.compile(r"HumanEval_\d+_\w+"), "mbpp": re.compile(r"mbpp_\d+_\w+")}
_PYTHON_TASK = re.compile(r"(?:(?:HumanEval|Python)/)?(\d{1,4})", re.IGNORECASE)


class MultiplE:
    """One language of one of the two sets: `language` is a name of LANGUAGES, `origin` is humaneval or mbpp."""

    language: str
    origin: str
    name: str
    max_new_tokens = 1024
    judged: str
    toolchain: str | None
    stop: tuple[str, ...]

    def load(self, source: Path | None) -> list[Problem]:
        """From a file or folder as released or as on the hub, or the hub. The toolchain is not asked for here.

        `stop` becomes what all rows have in common; each problem's completion ends at its own row's.
        """
        problems: dict[str, Problem] = {}
        for row in multipl_e_rows(source, self.origin, self.language):
            problem = self._problem(row)
            once(row.where, problem.task_id, problems)
            problems[problem.task_id] = problem
        if not problems:
            raise InputError(f"{source or 'the hub'}: expected problems of {self.name}, got none")
        stops = [one.tests.stop for one in problems.values() if isinstance(one.tests, Case)]
        if stops:
            self.stop = tuple(word for word in stops[0] if all(word in stop for stop in stops))
        return list(problems.values())

    def own_problems(self) -> list[Problem]:
        """One, with a reference."""
        fields, reference = own_row(self.language, self.origin)
        return [replace(self._problem(Row("multipl_e_own.py", fields)), reference=reference)]

    def _problem(self, row: Row) -> Problem:
        if self.language == "py" and _HUMANEVAL_X in row.fields:
            return self._python_problem(row)
        language = LANGUAGES[self.language]
        found = row.text("language")
        if ALIASES.get(found, found) != self.language:
            raise InputError(f"{row.where}: expected a problem in {language.title}, got one in {found!r:.20}")
        prompt, tests = row.text("prompt"), row.text("tests")
        task_id = self.task_id(row.value("name"))
        if task_id is None:
            raise InputError(f'{row.where}: expected a "name" of {self.origin}, got {row.value("name")!r:.60}')
        name = defined_name(self.language, prompt)
        if name is None:
            raise InputError(f"{row.where}: expected a prompt that ends in a function of {language.title}, got none")
        if language.closes and not tests.lstrip("\n").startswith(language.closes):
            raise InputError(f"{row.where}: expected tests that begin with {language.closes!r}, got {tests[:20]!r}")
        case = Case(self.language, name, prompt, tests, tuple(row.texts("stop_tokens")), self._calls(row, tests))
        return Problem(task_id, prompt, self._instruction(prompt), "", language.wrong, self._tests(case))

    def _calls(self, row: Row, tests: str) -> tuple[Call, ...]:
        readers = {"js": js_calls, "ts": js_calls, "sh": sh_calls}
        if self.language not in readers:
            return ()
        try:
            return readers[self.language](tests)
        except ValueError as error:
            raise InputError(f'{row.where}: "tests": {error}') from None

    def _tests(self, case: Case) -> "Case | Tests":
        if self.language != "py":
            return case
        return Tests(prelude=case.prompt + "    pass\n", source=case.tests, names=(case.name,))

    def _python_problem(self, row: Row) -> Problem:
        prompt, tests = row.text("prompt"), row.text("test")
        task_id, name = self.task_id(row.value("task_id")), defined_name("py", prompt)
        if task_id is None or name is None:
            raise InputError(f'{row.where}: expected a "task_id" like Python/7, got {row.value("task_id")!r:.60}')
        for key, code in (("prompt", prompt), ("test", tests)):
            if not is_python(code):
                raise InputError(f'{row.where}: expected a Python program in "{key}", got something else')
        return Problem(
            task_id,
            prompt,
            self._instruction(prompt),
            row.text(_HUMANEVAL_X),
            LANGUAGES["py"].wrong,
            Tests(prelude=prompt, source=tests, names=(name,)),
        )

    def _instruction(self, prompt: str) -> str:
        language = LANGUAGES[self.language]
        return INSTRUCTION.format(title=language.title, fence=language.fences[0], prompt=prompt.strip())

    def task_id(self, value: object) -> str | None:
        """HumanEval_23_strlen and mbpp_3_is_not_prime are their own; in Python, HumanEval/23, "Python/23", "23" or 23."""
        if self.language == "py" and self.origin == "humaneval":
            match = _PYTHON_TASK.fullmatch(str(value)) if isinstance(value, str | int) and value is not True else None
            if match:
                return f"HumanEval/{int(match[1])}"
        return value if isinstance(value, str) and _TASK[self.origin].fullmatch(value) else None

    def extract(self, problem: Problem, raw: str, *, instruct: bool) -> str:
        """What stands before the row's stop tokens; from a chat answer the function without what the prompt has of it."""
        if isinstance(problem.tests, Tests):
            return HumanEval().extract(problem, raw, instruct=True) if instruct else cut(raw, self.stop)
        return completion_in(problem.tests, raw) if instruct else cut(raw, problem.tests.stop)

    def most_seconds(self, problem: Problem, limits: Limits) -> float:
        """With the builds: a language has at most three, and a completion three readings."""
        return limits.seconds + 3 * 3 * BUILD_SECONDS

    def judge(self, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
        """SandboxError where the toolchain is missing: ask toolchains.missing before."""
        completion = completion.removeprefix(problem.prompt)  # some tools hand out both
        if isinstance(problem.tests, Tests):
            return judge_python(problem.prompt + completion, problem.tests, sandbox, limits, otherwise=completion)
        if why := _missing(self.language):
            raise SandboxError(why)
        if self.language in ("js", "ts"):
            return judge_js(problem.tests, completion, sandbox, limits)
        if self.language == "sh":
            return judge_sh(problem.tests, completion, sandbox, limits)
        programs = PROGRAMS[self.language](problem.tests, completion, secrets.token_hex(16), secrets.token_hex(8))
        return build_and_run(programs, sandbox, limits)


@cache
def _missing(language: str) -> str | None:
    return toolchain.missing(language)


def _benchmark(origin: str, language: str) -> type[MultiplE]:
    spoken = LANGUAGES[language]
    return type(
        f"MultiplE_{origin}_{language}",
        (MultiplE,),
        {
            "language": language,
            "origin": origin,
            "judged": spoken.judged,
            "stop": spoken.stop,
            "name": f"multipl-e-{language}" if origin == "humaneval" else f"multipl-e-{origin}-{language}",
            "toolchain": None if language == "py" else language,
            "__doc__": f"{spoken.title}, {origin}.",
        },
    )


MULTIPL_E: dict[str, type[MultiplE]] = {
    one.name: one
    for origin in ("humaneval", "mbpp")
    for language in LANGUAGES
    for one in [_benchmark(origin, language)]
}
