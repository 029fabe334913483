"""A finished folder of tertiles, for the tests of manifests and of their verification."""

from pathlib import Path
from typing import Any

import pytest
from seedkit.manifest import OutputFolder
from seedkit.records import json_lines

TERTILES = ["T1.jsonl", "T2.jsonl", "T3.jsonl"]
NAMES = [*TERTILES, "scores.jsonl"]


def record(number: int) -> dict[str, str]:
    return {"id": str(number), "instruction": f"i{number}", "input": "", "output": "o"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven records with the scores 6, 5, ..., 0; the eighth failed."""
    source = tmp_path / "source.jsonl"
    source.write_text("x")
    tertile = [3, 3, 3, 2, 2, 1, 1]
    with OutputFolder(tmp_path / "out", "stage", NAMES, sources=[source]) as output:
        for number, name in enumerate(TERTILES, 1):
            output.write(name, json_lines(record(n) for n in range(7) if tertile[n] == number))
        rows: list[dict[str, Any]] = [
            {"id": str(n), "line": n + 1, "value": 6.0 - n, "tertile": tertile[n], "status": "ok", "reason": None}
            for n in range(7)
        ]
        failed = {"id": "7", "line": 8, "value": None, "tertile": None, "status": "failed", "reason": "why"}
        output.write("scores.jsonl", json_lines([*rows, failed]))
        output.write(output.rejects, json_lines([{"line": 8, "id": "7", "reason": "why", "record": record(7)}]))
        output.finish(
            {
                "counts": {"scored": 7, "failed": 1, "unreadable": 0},
                "tertiles": {"scores": "scores.jsonl", "column": "value", "files": TERTILES},
            }
        )
    return tmp_path / "out"
