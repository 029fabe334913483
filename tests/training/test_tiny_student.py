"""The tiny student: the same bytes every time, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import pytest
from seedkit.models import model_revision
from support import ROOT, Command, contents

SCRIPT = "training/tiny_student.py"
SMALL = ["--vocab_size", 400, "--hidden_size", 32, "--layers", 1, "--input_file", ROOT / "Datas/sample/EVOL.jsonl"]


def test_the_tiny_student_is_the_same_every_time(tmp_path: Path, script_main: Command) -> None:
    for name in ("one", "two"):
        done = script_main(SCRIPT, "--output_dir", tmp_path / name, *SMALL)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    assert model_revision(str(tmp_path / "one")) == model_revision(str(tmp_path / "two"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("a")
    for more, message in (
        (["--output_dir", tmp_path / "mine"], "expected a new or empty folder"),
        (["--output_dir", tmp_path / "x", "--hidden_size", 30], "expected a multiple of 8"),
        (["--output_dir", tmp_path / "x", "--vocab_size", 10], "expected at least 300"),
    ):
        done = script_main(SCRIPT, *SMALL, *more)
        assert done.returncode == 2
        assert message in done.stderr.splitlines()[-1]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, script_main: Command, disk: Callable[..., Path]) -> None:
    folder = disk("1m")
    assert script_main(SCRIPT, "--output_dir", folder / "old", *SMALL).returncode == 0
    before = contents(folder / "old")
    for name in ("old", "new", "deep/new"):
        done = script_main(SCRIPT, "--output_dir", folder / name, *SMALL, "--hidden_size", 256)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error: {folder / name}: the student cannot be written: [Errno 28] No space left")
        assert not (folder / "new").exists()
    assert contents(folder / "old") == before
    assert list(folder.rglob(".partial")) == []


def test_a_disk_that_fills_up_while_the_weights_are_written(
    script_main: Command, disk: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program may take the room that was there."""
    folder = disk("1m")
    monkeypatch.setattr("os.posix_fallocate", lambda *_: None)
    done = script_main(SCRIPT, "--output_dir", folder / "new", *SMALL, "--hidden_size", 256)
    assert done.returncode == 1
    assert "the student cannot be written: " in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list(folder.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_line_and_exit_code_2(
    tmp_path: Path, script_main: Command, disk: Callable[..., Path]
) -> None:
    (tmp_path / "file").write_text("mine")
    for target, message in (
        (disk("1m", read_only=True) / "new", "got no permission to write to"),
        (tmp_path / "file", "expected a folder to write to, got a file"),
        (tmp_path / "file" / "new", f"expected a folder to write to, got a file: {tmp_path / 'file'}"),
    ):
        done = script_main(SCRIPT, "--output_dir", target, *SMALL)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert message in line
    assert (tmp_path / "file").read_text() == "mine"
