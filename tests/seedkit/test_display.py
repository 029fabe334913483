"""How far a run has come: a line in time, also while nothing finishes."""

import shlex
import time
from pathlib import Path

import pytest
from seedkit.display import Progress, written_to
from support import ROOT


def test_a_steady_progress_says_so_while_nothing_finishes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Progress, "EVERY_S", 0.2)
    with Progress("toy", 5, 50, steady=True) as bar:
        time.sleep(0.7)
        first = capsys.readouterr().err.splitlines()
        bar.advance(2, 20)
        time.sleep(0.5)
        then = capsys.readouterr().err.splitlines()
    with Progress("folder", None, 0, steady=True):
        time.sleep(0.3)
    assert len(first) >= 2
    assert all(line.startswith("toy: 0 of 5 records, at work on the next for ") for line in first)
    assert then
    assert all(line.startswith("toy: 2 of 5 records, about 0 min left") for line in then)
    assert capsys.readouterr().err.startswith("folder: at work for 0 s")
    time.sleep(0.3)
    assert capsys.readouterr().err == ""  # it ends with the step


def test_lines_are_no_more_often_than_that(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Progress, "EVERY_S", 0.3)
    with Progress("toy", 100, 100) as bar:
        for _ in range(10):
            bar.advance(1, 1)
        assert capsys.readouterr().err == ""
        time.sleep(0.4)
        assert capsys.readouterr().err == ""  # not steady
        for _ in range(10):
            bar.advance(1, 1)
        assert capsys.readouterr().err.count("\n") == 1


def test_the_closing_line_names_a_command_that_a_shell_takes() -> None:
    line = written_to(Path("out/RQ 1/EVOL"))
    command = shlex.split(line.partition(": ")[2])
    assert line.startswith("written to out/RQ 1/EVOL; ")
    assert command == ["python", "Code/report/report.py", "out/RQ 1/EVOL", "--output", "report.html"]
    assert (ROOT / command[1]).is_file()
