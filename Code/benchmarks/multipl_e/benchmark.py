"""MultiPL-E: HumanEval and MBPP translated into other languages (arXiv 2208.08227; data set nuprl/MultiPL-E).

A program is prompt, completion, a new line and the tests, as the authors join them; a completion that defines the function
itself, or closes the one that the prompt opened, takes the place of the prompt too. Where the likeliest reading does not build,
the others are tried (Case.readings). Python, JavaScript, TypeScript and Bash are judged from outside the jail, the others in
the candidate's process.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.native_judge import BUILD_SECONDS
from sandbox.judging.verdict import Verdict
from seedkit.errors import InputError

from benchmarks.contract import Problem
from benchmarks.dataset_rows import Row, once
from benchmarks.multipl_e.case import Case
from benchmarks.multipl_e.dataset import multipl_e_rows
from benchmarks.multipl_e.languages.base import Language, control_row
from benchmarks.multipl_e.languages.registry import LANGUAGES, missing

_MOST_BUILDS, _MOST_READINGS = 3, 7  # of any language, and of any completion


class MultiplE:
    """One language of one of the two sets: `language` is a name of LANGUAGES, `origin` is humaneval or mbpp."""

    language: str
    origin: str
    name: str
    max_new_tokens = 1024
    min_seconds: float
    judged: str
    toolchain: str | None
    answers_of: str | None = None
    stop: tuple[str, ...]

    @property
    def _language(self) -> Language:
        return LANGUAGES[self.language]

    def load(self, source: Path | None) -> list[Problem]:
        """From a file or folder as released or as on the hub, or the hub. The toolchain is not asked for here.

        `stop` becomes what all rows have in common; each problem's completion ends at its own row's.
        """
        problems: dict[str, Problem] = {}
        for row in multipl_e_rows(source, self.origin, self.language):
            problem = self._language.problem(row, self.origin)
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
        fields, reference = control_row(self._language, self.origin)
        row = Row(self._language.control, fields)
        return [replace(self._language.problem(row, self.origin), reference=reference)]

    def task_id(self, value: object) -> str | None:
        """HumanEval_23_strlen and mbpp_3_is_not_prime are their own; in Python, HumanEval/23, "Python/23", "23" or 23."""
        return self._language.task_id(value, self.origin)

    def extract(self, problem: Problem, raw: str, *, instruct: bool) -> str:
        """What stands before the row's stop tokens; from a chat answer the function without what the prompt has of it."""
        return self._language.extract(problem, raw, instruct=instruct)

    def most_seconds(self, problem: Problem, limits: Limits) -> float:
        """With the builds of every reading of a completion."""
        return limits.seconds + _MOST_BUILDS * _MOST_READINGS * BUILD_SECONDS

    def judge(self, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
        """SandboxError where the toolchain is missing: ask registry.missing before."""
        if why := _missing(self.language):
            raise SandboxError(why)
        return self._language.judge(problem, completion, sandbox, limits)


@cache
def _missing(language: str) -> str | None:
    return missing(language)


def _benchmark(origin: str, language: Language) -> type[MultiplE]:
    name = language.name
    return type(
        f"MultiplE_{origin}_{name}",
        (MultiplE,),
        {
            "language": name,
            "origin": origin,
            "judged": language.judged,
            "stop": language.stop,
            "min_seconds": language.min_seconds,
            "name": f"multipl-e-{name}" if origin == "humaneval" else f"multipl-e-{origin}-{name}",
            "toolchain": name if language.toolchain else None,
            "__doc__": f"{language.title}, {origin}.",
        },
    )


MULTIPL_E: dict[str, type[MultiplE]] = {
    one.name: one
    for origin in ("humaneval", "mbpp")
    for language in LANGUAGES.values()
    for one in [_benchmark(origin, language)]
}
