"""What a benchmark is: its problems, how a model is asked, which part of an answer counts, and how that is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from sandbox.contract import Limits, Sandbox
from sandbox.judging.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. A `completion` is what follows `prompt` (HumanEval) or a whole program (MBPP)."""

    task_id: str
    prompt: str  # to the letter what the authors give a base model
    instruction: str  # the same task for a model that was fine-tuned on instructions
    reference: str  # a completion that passes; "" where the data set has none
    wrong: str  # one that must fail: the reference with `return None` for a body
    tests: Any  # what the benchmark's `judge` needs: Tests, where calls into the candidate's Python are all it takes
    tags: Mapping[str, str] = field(default_factory=dict)  # groups that also get a pass@1 each, as difficulty: easy


@dataclass(frozen=True, slots=True)
class ProblemTexts:
    """The texts of a problem to the letter as released, without what judging takes (benchmarks/problem_texts.py)."""

    benchmark: str  # one of problem_texts.RELEASED
    name: str
    prompt: str
    solution: str = ""  # "" where the data set has none
    group: str = ""  # the problems that share boilerplate: a language of MultiPL-E; "": the whole benchmark
    code_prompt: bool = False  # the prompt is code to go on from, whose names may be changed


@dataclass(frozen=True, slots=True)
class Selection:
    """Which problems of LiveCodeBench, and how they are tested. No other benchmark has releases and dates."""

    release: str | None = None  # None: the default one; of the dates: no limit
    date_from: date | None = None  # of the contest, both ends included
    date_to: date | None = None
    all_tests: bool = False  # go on after the first test that fails


ALL = Selection()
# Where the tests run. Outside the jail, the candidate never sees what is expected. In its own process it could look for it:
# such tests stop accidents but no adversary.
OUTSIDE, INSIDE = "outside the jail", "in the candidate's process"


class Benchmark(Protocol):
    """The plug-in point: a benchmark is a class with these members and a line in benchmarks.BENCHMARKS."""

    name: str
    stop: tuple[str, ...]  # a base model's completion ends before the first of these
    max_new_tokens: int
    judged: str  # OUTSIDE or INSIDE: where verdicts are made
    toolchain: str | None  # the language that must be installed; None: Python alone
    answers_of: str | None  # the benchmark whose prompts are the same, so that answers to those are answers to this one
    min_seconds: float  # the least time limit of a run, where the user names none: that of the authors' own harness

    def load(self, source: Path | None) -> list[Problem]:
        """Read the problems.

        Args:
            source: a file or folder as released; None: the file of an installed package, or the hub's.

        Returns:
            The problems, in the data set's order (MBPP: by number).

        Raises:
            InputError: there is no such data, or it is not what it must be.
            RunError: the hub refuses.
        """

    def own_problems(self) -> list[Problem]:
        """Small problems of this project, with references, for a data set that has none.

        They show that a right program passes on this machine. Empty where the data set has references.
        """

    def task_id(self, value: object) -> str | None:
        """Read a task id.

        Args:
            value: what a samples file has under "task_id", of whatever type.

        Returns:
            The id as `Problem.task_id` spells it; None if the value is no id of this benchmark.
        """

    def extract(self, problem: Problem, raw: str, *, instruct: bool) -> str:
        """Find the completion in a model's answer.

        Args:
            problem: what the model was asked.
            raw: its answer, to the letter.
            instruct: whether it was asked with `Problem.instruction`; if not, with `Problem.prompt`.

        Returns:
            The answer cut at the stop sequences (base), or the code out of its fences (instruct).
        """

    def most_seconds(self, problem: Problem, limits: Limits) -> float:
        """The longest that `judge` may take for one completion, all of its tests and builds together."""

    def judge(self, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
        """Run one completion against the problem's tests, in a jail of its own.

        Args:
            problem: one that `load` or `own_problems` returned.
            completion: what `extract` returned, or a line of a samples file has.
            sandbox: where it runs.
            limits: what it may use; the time is that of one test where tests run one by one (LiveCodeBench).

        Returns:
            The verdict; INFRA_ERROR where the machine or the data failed, which says nothing about the completion.

        Raises:
            SandboxError: the toolchain of the problem's language is missing.
        """
