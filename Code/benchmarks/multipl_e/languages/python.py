"""Python, of which the other languages' problems are translations: in MultiPL-E's rows, or in HumanEval's own.

The tests run outside the jail, as those of HumanEval do.
"""

import re
from dataclasses import dataclass

from sandbox.contract import Limits, Sandbox
from sandbox.judging.python_judge import Tests, judge_python
from sandbox.judging.verdict import Verdict
from seedkit.errors import InputError

from benchmarks.contract import OUTSIDE, Problem
from benchmarks.dataset_rows import Row
from benchmarks.extraction import cut
from benchmarks.humaneval import HumanEval
from benchmarks.multipl_e.case import Case, defined_name
from benchmarks.multipl_e.languages.base import Language
from benchmarks.python_syntax import is_python

_REFERENCE = "canonical_solution"  # HumanEval's own rows have it, those of MultiPL-E do not
_HUMANEVAL_TASK = re.compile(r"(?:(?:HumanEval|Python)/)?(\d{1,4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Python(Language):
    def task_id(self, value: object, origin: str) -> str | None:
        """HumanEval/23 of that, "Python/23", "23" or 23; else as in the other languages."""
        if origin == "humaneval" and isinstance(value, str | int) and value is not True:
            if match := _HUMANEVAL_TASK.fullmatch(str(value)):
                return f"HumanEval/{int(match[1])}"
        return Language.task_id(self, value, origin)

    def problem(self, row: Row, origin: str) -> Problem:
        if _REFERENCE not in row.fields:
            return Language.problem(self, row, origin)
        prompt, tests = row.text("prompt"), row.text("test")
        task_id, name = self.task_id(row.value("task_id"), origin), defined_name(self, prompt)
        if task_id is None or name is None:
            raise InputError(f'{row.where}: expected a "task_id" like Python/7, got {row.value("task_id")!r:.60}')
        for key, code in (("prompt", prompt), ("test", tests)):
            if not is_python(code):
                raise InputError(f'{row.where}: expected a Python program in "{key}", got something else')
        made = Tests(prelude=prompt, source=tests, names=(name,))
        return Problem(task_id, prompt, self.instruction(prompt), row.text(_REFERENCE), self.wrong, made)

    def tests(self, case: Case) -> Tests:
        return Tests(prelude=case.prompt + "    pass\n", source=case.tests, names=(case.name,))

    def extract(self, problem: Problem, raw: str, *, instruct: bool) -> str:
        return HumanEval().extract(problem, raw, instruct=True) if instruct else cut(raw, self.stop)


def _judge(problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    body = completion.removeprefix(problem.prompt)
    return judge_python(problem.prompt + body, problem.tests, sandbox, limits, otherwise=body)


PYTHON = _Python(
    name="py",
    title="Python",
    fences=("python", "py"),
    stop=("\ndef", "\n#", "\nif", "\nclass"),
    defines=r"(?:async )?def {name}\b",
    wrong="    return None\n",
    control="next_number.py.txt",  # no module of this project
    toolchain=None,
    judge=_judge,
    judged=OUTSIDE,
    aliases=("python",),
)
