"""toolchains.py: the table of languages, and what to install."""

from pathlib import Path

import pytest
from benchmarks.multipl_e.languages import toolchain
from evaluation import toolchains
from support import Command


def test_the_table_of_toolchains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(toolchain, "SEARCHED", str(tmp_path))  # a machine without any
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["toolchains.py"])
    toolchains.main()
    assert "not run: no javac; install the Debian packages default-jdk libjavatuples-java\n" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["toolchains.py", "--install_help"])
    toolchains.main()
    said = capsys.readouterr().out
    assert said.startswith("apt-get install --no-install-recommends ")
    assert {"g++", "golang-go", "nodejs", "r-base-core"} <= set(said.split())


def test_the_script(script_main: Command) -> None:
    done = script_main("evaluation/toolchains.py", "--install_help")
    assert (done.returncode, done.stdout.split()[0] in ("apt-get", "nothing")) == (0, True)
