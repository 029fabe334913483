"""Problems, samples and settings that the tests of grading share."""

import json
from pathlib import Path
from typing import Any

from evaluation.grading.settings import GradingSettings

PROBLEMS = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": f'def add{number}(a, b):\n    """Add {number} too."""\n',
        "entry_point": f"add{number}",
        "canonical_solution": f"    return a + b + {number}\n",
        "test": f"def check(candidate):\n    assert candidate(1, 2) == {number + 3}\n    assert candidate(0, 0) == {number}\n",
    }
    for number in range(6)
]


def write(path: Path, values: list[Any]) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def sample(number: int, completion: str, **more: Any) -> dict[str, Any]:
    return {"task_id": f"HumanEval/{number}", "completion": completion, **more}


def right(number: int) -> str:
    return f"    return a + b + {number}\n"


def grade_flags(samples: Path, problems: Path, out: Path, *more: object) -> list[object]:
    """What grade.py is called with; what comes in `more` holds over what stands before it."""
    named = ["--samples", samples, "--benchmark", "humaneval", "--benchmark_file", problems]
    return [*named, "--output_dir", out, "--workers", 1, *more]


def settings(tmp_path: Path, problems: Path, samples: list[Any], **more: Any) -> GradingSettings:
    path = write(tmp_path / "s.jsonl", samples)
    return GradingSettings(path, "humaneval", problems, workers=1, min_seconds=1.0, **more)
