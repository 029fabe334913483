"""What a benchmark is: problems, how a model is asked, what of its answer counts, and how a completion is judged."""

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
    reference: str  # a completion that passes
    wrong: str  # one that must fail: the reference with `return None` for a body
    tests: Any  # what the benchmark's `judge` needs: Tests, where calls into the candidate's Python are all it takes
    tags: Mapping[str, str] = field(default_factory=dict)  # what pass@1 is told by besides, e.g. difficulty: easy


@dataclass(frozen=True, slots=True)
class Selection:
    """Which problems of LiveCodeBench, and how they are tested; None is all. No other benchmark has releases and dates."""

    release: str | None = None
    date_from: date | None = None  # of the contest, both ends included
    date_to: date | None = None
    all_tests: bool = False  # go on after the first test that fails


ALL = Selection()
# where the tests run: apart from the candidate, who never sees what is expected; or in its own process, which stops
# accidents but no adversary
OUTSIDE, INSIDE = "outside the jail", "in the candidate's process"


class Benchmark(Protocol):
    """`source` is a file or folder as released, or None for what a package or the hub has."""

    name: str
    stop: tuple[str, ...]  # a base model's completion ends before the first of these
    max_new_tokens: int
    judged: str  # OUTSIDE or INSIDE: where verdicts are made
    toolchain: str | None  # None: Python alone

    def load(self, source: Path | None) -> list[Problem]:
        """The problems in the data set's order. InputError where there are none to be had."""

    def own_problems(self) -> list[Problem]:
        """Problems of our own, with references, for a data set without: what shows that grading works on this machine."""

    def task_id(self, value: object) -> str | None:
        """The task id as this benchmark spells it, from what a samples file has; None if it is no task id."""

    def extract(self, problem: Problem, raw: str, *, instruct: bool) -> str:
        """The completion in a model's raw answer: cut at the stop sequences (base), or the code out of its fences."""

    def most_seconds(self, problem: Problem, limits: Limits) -> float:
        """How long `judge` may take for one completion, all of its tests and builds together."""

    def judge(self, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
        """Run one completion in a jail of its own and say what came of it."""
