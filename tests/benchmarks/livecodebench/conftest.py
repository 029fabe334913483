"""Fixtures for the tests of LiveCodeBench."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.contract import Problem, Selection
from benchmarks.livecodebench.benchmark import LiveCodeBench
from livecodebench_rows import row, written


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Problem]:
    """Load the problem of one row, with some fields changed."""

    def loaded(selection: Selection = Selection(), **changed: Any) -> Problem:  # noqa: B008  # it is frozen
        (problem,) = LiveCodeBench(selection).load(written(tmp_path / "problems.jsonl", row(**changed)))
        return problem

    return loaded


@pytest.fixture(scope="module")
def real(shared_data: Path) -> dict[str, Problem]:
    path = shared_data / "benchmarks" / "livecodebench_342_public_tests.jsonl"
    return {problem.task_id: problem for problem in LiveCodeBench().load(path)}
