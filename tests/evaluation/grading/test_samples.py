"""Reading samples.jsonl: what other tools write, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from benchmarks import humaneval
from evaluation.grading.samples import read_samples
from grading_cases import grade_flags, sample, write
from support import Command

SCRIPT = "evaluation/grade.py"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "the file is empty"),
        ([sample(9, "x")], "s.jsonl:1: \"task_id\" 'HumanEval/9' is no problem of humaneval"),
        ([{"task_id": "Mbpp/2", "completion": "x"}], "is no problem of humaneval"),
        ([{"task_id": "HumanEval/0"}], 'expected a string in "completion", got keys: task_id'),
        ([sample(0, "x"), {"task_id": "HumanEval/0", "completion": None}], "s.jsonl:2: expected a string"),
        ([sample(0, "x", sample=1), sample(0, "y", sample=1)], "s.jsonl:2: sample 1 of HumanEval/0 is there already"),
        ([sample(0, "x", sample=-1)], "must be a whole number from 0"),
        ([1], "expected an object, got int"),
    ],
)
def test_bad_samples(tmp_path: Path, problems: Path, script_main: Command, lines: list[Any], said: str) -> None:
    done = script_main(SCRIPT, *grade_flags(write(tmp_path / "s.jsonl", lines), problems, tmp_path / "out"))
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_samples_of_other_tools_are_read(tmp_path: Path, problems: Path) -> None:
    benchmark = humaneval.HumanEval()
    loaded = benchmark.load(problems)
    path = write(tmp_path / "s.jsonl", [{"task_id": "HumanEval/0", "solution": "x"}, {"task_id": 0, "completion": "y"}])
    assert [(one.task_id, one.number, one.completion) for one in read_samples(path, benchmark, loaded)] == [
        ("HumanEval/0", 0, "x"),
        ("HumanEval/0", 1, "y"),
    ]
