"""The GPU kit at toy size on the CPU: every step runs and finds what it must."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT, offline


@pytest.mark.heavy
def test_every_step_runs_on_a_cpu(tmp_path: Path) -> None:
    environment = {**offline(), "OUT": str(tmp_path), "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", str(ROOT / "tests" / "gpu" / "run.sh"), "--cpu"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    results = json.loads((tmp_path / "results.json").read_text())
    assert {step["step"]: step["error"] for step in results if step["error"]} == {}, done.stdout
    wrong = [(step["step"], row) for step in results for row in step["rows"] if row["holds"] is False]
    assert wrong == []
    assert len(results) == 16
    assert all(step["rows"] for step in results)
    assert done.returncode == 0


def test_a_step_that_fails_is_recorded_and_the_next_goes_on(tmp_path: Path) -> None:
    broken = tmp_path / "texts.jsonl"
    broken.write_text('{"instruction": "Add two numbers."}\n')
    done = subprocess.run(
        ["bash", str(ROOT / "tests" / "gpu" / "run.sh"), "--texts", str(broken), "--only", "matrix rate,machine"],
        env={**offline(), "OUT": str(tmp_path / "out"), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    # no GPU is visible, and none is pretended
    first, second = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (first["step"], second["step"]) == ("machine", "matrix rate")
    assert "exit code 1" in first["error"]
    assert "exit code 1" in second["error"]
    assert {row["what"] for row in first["rows"]} >= {"python", "torch"}  # what was found before it failed
    assert done.returncode == 1
