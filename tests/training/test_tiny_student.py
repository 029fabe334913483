"""The tiny student: the same bytes every time, and what it refuses."""

from pathlib import Path

from seedkit.models import model_revision
from support import ROOT, Command


def test_the_tiny_student_is_the_same_every_time(tmp_path: Path, script_main: Command) -> None:
    small = ["--vocab_size", 400, "--hidden_size", 32, "--layers", 1, "--input_file", ROOT / "Datas/sample/EVOL.jsonl"]
    for name in ("one", "two"):
        done = script_main("training/tiny_student.py", "--output_dir", tmp_path / name, *small)
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
        done = script_main("training/tiny_student.py", *small, *more)
        assert done.returncode == 2
        assert message in done.stderr.splitlines()[-1]
