"""Fixtures for the tests of decontamination."""

from pathlib import Path

import pytest
from benchmarks.contract import ProblemTexts
from seed_problems import LAMP, OTHER, RIDGE, benchmark_file
from seeds.problem_texts import read_problems


@pytest.fixture
def items(tmp_path: Path) -> list[ProblemTexts]:
    return read_problems([benchmark_file(tmp_path / "items.jsonl", RIDGE, LAMP, OTHER)])
