"""The recipes: quickstart.sh and run.sh take and refuse arguments, environment.sh says what it does."""

import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

QUICKSTART = ROOT / "Code" / "quickstart.sh"


def bash(*words: object, folder: Path = ROOT, timeout_s: float = 60) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False
    )


def sourced(script: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a few lines that use the functions of environment.sh, as the recipes do."""
    return bash("-euo", "pipefail", "-c", f". Code/environment.sh; {script}", folder=folder)


@pytest.mark.parametrize("flags", [["--help"], ["-h"], ["--train", "--help"]])
def test_quickstart_says_what_it_does(tmp_path: Path, flags: list[str]) -> None:
    done = bash(QUICKSTART, *flags, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "bash Code/quickstart.sh [--train [--input_file FILE]] [OUTPUT_FOLDER]       default: Datas/quickstart"
        in done.stdout
    )
    assert "#" not in done.stdout and "set -euo" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--trian"], "expected [--train [--input_file FILE]] [OUTPUT_FOLDER] or --help, got '--trian'"),
        (["out", "--device"], "expected [--train [--input_file FILE]] [OUTPUT_FOLDER] or --help, got '--device'"),
        ([""], "expected [--train [--input_file FILE]] [OUTPUT_FOLDER] or --help, got ''"),
        (["--input_file", "file"], "expected --train with --input_file"),
        (["--train", "--input_file", "seeds.jsonl"], "--input_file: expected a file, got 'seeds.jsonl'"),
        (["--train", "--input_file"], "--input_file: expected a file, got ''"),
        (["one", "--train", "two"], "expected one OUTPUT_FOLDER, got one and two"),
        (["file/out"], "expected an OUTPUT_FOLDER that can be written to, got "),
        (["file"], "expected an OUTPUT_FOLDER that can be written to, got "),
    ],
)
def test_quickstart_refuses_what_it_does_not_know(tmp_path: Path, flags: list[str], message: str) -> None:
    (tmp_path / "file").write_text("mine")
    done = bash(QUICKSTART, *flags, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: quickstart.sh: {message}")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_long_step_says_that_it_goes_on() -> None:
    done = sourced("beat_s=0.2; while_saying Datas sleep 1.1; echo ended")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "ended"
    assert len(lines) > 2
    assert all(line.startswith("   still at it after ") and line.endswith(" in Datas") for line in lines[:-1])


def test_a_long_step_that_fails_says_so() -> None:
    done = sourced("beat_s=60; while_saying Datas false || echo failed")
    assert done.stdout == "failed\n"


def python(path: Path, minor: str) -> Path:
    """A program that answers as a Python of that minor version would; "" is one that does not start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{f'echo {minor}' if minor else 'exit 127'}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("on_path", "of_pyenv", "newest"),
    [
        ({"python3.13": "13"}, {}, "path/python3.13"),
        ({"python3.12": "12"}, {"3.13.0": "13", "3.10.1": "10"}, "pyenv/versions/3.13.0/bin/python3"),
        ({"python3.13": "13"}, {"3.13.0": "13"}, "path/python3.13"),
        (
            {"python3.14": ""},
            {"3.12.1": "12"},
            "pyenv/versions/3.12.1/bin/python3",
        ),  # pyenv's names for what is not chosen
        ({}, {"3.11.7": "11"}, None),
        ({}, {}, None),
    ],
)
def test_the_newest_python_at_hand(
    tmp_path: Path, on_path: dict[str, str], of_pyenv: dict[str, str], newest: str | None
) -> None:
    own = python(tmp_path / "venv" / "python", "11")
    (tmp_path / "path").mkdir()
    for name, minor in on_path.items():
        python(tmp_path / "path" / name, minor)
    for name, minor in of_pyenv.items():
        python(tmp_path / "pyenv" / "versions" / name / "bin" / "python3", minor)
    done = sourced(f"PATH={tmp_path}/path PYENV_ROOT={tmp_path}/pyenv; newer_python {own} || echo none")
    assert done.stderr == ""
    name, _, program = (newest or "").partition("/")
    expected = (program if name == "path" else str(tmp_path / newest)) if newest else "none"
    assert done.stdout == f"{expected}\n"


def test_run_sh_is_shell() -> None:
    for path in (ROOT / "tests" / "run.sh", QUICKSTART, ROOT / "Code" / "environment.sh"):
        assert bash("-n", path).returncode == 0


@pytest.mark.parametrize(("requirements", "installs"), [("-e ./Code\nnumpy\n", 2), ("numpy\n", 1)])
def test_a_shared_environment_holds_the_code_of_the_clone_that_uses_it(
    tmp_path: Path, requirements: str, installs: int
) -> None:
    """Two clones share a cached environment: what holds the repository's own code is installed anew for the other clone."""
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\ncase "$*" in *install*) echo "$PWD" >> {tmp_path}/installed ;; esac\n')
    python.chmod(0o755)
    for name in ("one", "one", "other"):
        clone = tmp_path / name
        (clone / "Code").mkdir(parents=True, exist_ok=True)
        for file in ("environment.sh", "pyproject.toml"):
            (clone / "Code" / file).write_text((ROOT / "Code" / file).read_text())
        (clone / "requirements.txt").write_text(requirements)
        done = sourced(f"environment {tmp_path}/env requirements.txt", folder=clone)
        assert done.returncode == 0, done.stderr
    assert len((tmp_path / "installed").read_text().splitlines()) == installs


def test_what_is_installed_is_compiled_when_it_is_imported_and_numpy_at_once(tmp_path: Path) -> None:
    """Graded programs import numpy too, from a folder that they cannot write to."""
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *pip\\ install*) echo "$*" >> {tmp_path}/installed ;; *) {sys.executable} "$@" ;; esac\n'
    )
    python.chmod(0o755)
    (numpy := tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "numpy" / "linalg").mkdir(parents=True)
    (numpy / "solve.py").write_text("x = 1\n")
    (numpy.parents[1] / "other.py").write_text("x = 1\n")
    (tmp_path / "requirements.txt").write_text("numpy\n")
    done = sourced(f"environment {tmp_path}/env {tmp_path}/requirements.txt")
    assert done.returncode == 0, done.stderr
    assert " --no-compile " in (tmp_path / "installed").read_text()
    assert [path.name.split(".")[0] for path in (tmp_path / "env").rglob("*.pyc")] == ["solve"]
