"""Rows of LiveCodeBench in both of its forms, as files hold them; for tests to change and write."""

import base64
import json
import pickle
import zlib
from pathlib import Path
from typing import Any

DOUBLE = "print(2 * int(input()))\n"


def stdin_test(given: str, right: str) -> dict[str, str]:
    return {"input": given, "output": right, "testtype": "stdin"}


def calls(given: str, right: str) -> dict[str, str]:
    return {"input": given, "output": right, "testtype": "functional"}


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def as_released(value: object) -> str:
    """As the authors pack tests."""
    return packed(pickle.dumps(json.dumps(value)))


def row(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "question_title": f"double-{number}",
        "question_content": "Print twice\r\nthe number.",
        "platform": "atcoder",
        "question_id": f"abc{number}_a",
        "contest_id": f"abc{number}",
        "contest_date": f"2024-0{number}-01T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": json.dumps([stdin_test("1\n", "2\n")]),
        "private_test_cases": as_released([stdin_test("4\n", "8\n"), stdin_test("5\n", "10\n")]),
        "metadata": "{}",
    } | changed


METHOD = {
    "starter_code": "class Solution:\n    def double(self, n: int) -> int:\n        ",
    "platform": "leetcode",
    "public_test_cases": json.dumps([calls("1", "2")]),
    "private_test_cases": json.dumps([calls("4", "8"), calls("5", "10")]),
}


def fusion(test: str, **labels: str) -> dict[str, Any]:
    labels = {"task_id": "codeforces/7_A", "category": "codeforces", "difficulty": "easy"} | labels
    content = "You are an expert.\n### Question:\nDouble.\n\n### Format: Read.\n```python\n# YOUR CODE HERE\n```\n\n### Answer: \n\n"
    return {"id": 1, "content": content, "canonical_solution": "pass", "test": test, "labels": json.dumps(labels)}


def written(path: Path, *objects: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in objects))
    return path
