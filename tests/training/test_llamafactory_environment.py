"""LLaMA-Factory's environment: what --setup says and does. The refusals of a wrong one are in test_train.py."""

import shutil
from pathlib import Path

import pytest
from stand_in_trainer import stand_in
from support import ROOT, Command
from training import llamafactory_environment

SCRIPT = "training/train.py"
PYTHON = """#!/bin/sh
case "$1 $2" in
  "-m venv") cp -r "{ready}" "$3" ;;
  "--version ") echo "Python 3.11.7" ;;
esac
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another repository's root, where `python -m venv` makes an environment that looks like LLaMA-Factory's."""
    root = tmp_path / "repository"
    (root / "Code" / "training").mkdir(parents=True)
    for name in ("environment.sh", "pyproject.toml", "training/requirements.txt"):
        shutil.copy(ROOT / "Code" / name, root / "Code" / name)
    python = tmp_path / "python"
    python.write_text(PYTHON.format(ready=stand_in(tmp_path / "ready", ["A100"])))
    python.chmod(0o755)
    monkeypatch.setenv("PYTHON", str(python))
    monkeypatch.setattr(llamafactory_environment, "ROOT", root)
    monkeypatch.setattr(llamafactory_environment, "ENVIRONMENT", root / ".venv-train")
    return root


def test_setup_says_what_it_does(repository: Path, script_main: Command, capfd: pytest.CaptureFixture[str]) -> None:
    done = script_main(SCRIPT, "--setup")
    assert done.returncode == 0, done.stderr
    folder = repository / ".venv-train"
    first, second, third = done.stderr.splitlines()
    assert first.startswith(f"{folder}: an environment of its own for LLaMA-Factory: ")
    assert "llamafactory==0.9.5" in first
    assert second.startswith("About 6 GB and some minutes the first time")
    assert third.startswith("DeepSpeed, for models that one GPU cannot hold, is not in it; with nvcc: ")
    assert done.stdout.startswith(f"{folder}: LLaMA-Factory is ready: python 3.11.7, llamafactory 0.9.5, torch ")
    assert done.stdout.endswith("; 2 cores, A100\n")
    said = capfd.readouterr().out
    assert "== making .venv-train with Python 3.11.7" in said
    assert "== installing Code/training/requirements.txt into .venv-train" in said
    again = script_main(SCRIPT, "--setup")
    assert again.stdout == done.stdout
    assert "installing" not in capfd.readouterr().out  # nothing is installed twice
