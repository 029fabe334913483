"""Fixtures for the tests of HumanEval+ and MBPP+: a cache of their own, a sandbox, and problems from rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.contract import Problem
from benchmarks.evalplus.benchmark import HumanEvalPlus
from benchmarks.evalplus.expected import expected
from python_problems import PLUS, write


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which expected values are kept during this test, empty at first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    expected.cache_clear()
    return tmp_path / "cache" / "instructiondata" / "evalplus"


@pytest.fixture
def load(tmp_path: Path, cache: Path) -> Callable[..., Problem]:
    """Load the problem of one row of HumanEval+, with some fields changed."""

    def loaded(**changed: Any) -> Problem:
        (problem,) = HumanEvalPlus().load(write(tmp_path / "problems.jsonl", {**PLUS, **changed}))
        return problem

    return loaded
