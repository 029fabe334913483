"""LiveCodeBench: what a model is asked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.contract import Problem
from benchmarks.livecodebench.prompts import method_of
from livecodebench_rows import METHOD
from seedkit.errors import InputError


def test_a_row_becomes_a_problem(load: Callable[..., Problem]) -> None:
    problem = load()
    assert problem.task_id == "abc1_a"
    assert problem.tags == {"platform": "atcoder", "difficulty": "easy", "date": "2024-01-01"}
    assert problem.tests.count == 3
    assert problem.tests.function is None
    assert problem.reference == ""
    assert "### Question:\nPrint twice\r\nthe number.\n\n### Format: Read the inputs" in problem.instruction
    assert problem.instruction.endswith(
        "```python\n# YOUR CODE HERE\n```\n\n### Answer: (use the provided format with backticks)\n\n"
    )
    assert problem.prompt == "### Question\nPrint twice\r\nthe number.\n\n### Answer\n\n"
    assert [test.output for test in problem.tests.read()] == ["2\n", "8\n", "10\n"]


def test_a_method_is_found_in_the_metadata_or_the_starter_code(load: Callable[..., Problem]) -> None:
    problem = load(**METHOD)
    assert problem.tests.function == "double"
    assert problem.prompt.endswith("### Starter Code\n" + METHOD["starter_code"] + "\n\n### Answer\n\n")
    assert "will use the following starter code" in problem.instruction
    assert load(**METHOD, metadata='{"func_name": "other"}').tests.function == "other"
    assert method_of("# class Node:\n#     def __init__(self): pass\nclass Solution:\n    def f(self,\n a): ") == "f"
    with pytest.raises(InputError, match=r"problems.jsonl:1: expected the name of a function"):
        load(**METHOD | {"starter_code": ""})


def test_the_authors_examples_stand_before_a_base_models_question(load: Callable[..., Problem], tmp_path: Path) -> None:
    example = {"question": "Add.", "sample_code": "class Solution:\n    def add(", "answer": "ADDED"}
    (tmp_path / "func.json").write_text(json.dumps([example, example]))
    (tmp_path / "stdin.json").write_text(json.dumps([example | {"answer": "READ"}]))
    assert load().prompt.startswith("### Question\nAdd.\n\n### Answer\n\nREAD\n\n### Question\nPrint")
    assert load(**METHOD).prompt.startswith(
        "### Question\nAdd.\n\n### Starter Code\nclass Solution:\n    def add(\n\n### Answer\n\nADDED\n\n"
    )
    (tmp_path / "func.json").write_text("[]")
    with pytest.raises(InputError, match="expected the authors' solved examples"):
        load()
