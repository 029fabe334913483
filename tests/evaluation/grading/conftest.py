"""The problems that the tests of grading share."""

from pathlib import Path

import pytest
from grading_cases import PROBLEMS, write


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    return write(tmp_path / "problems.jsonl", PROBLEMS)
