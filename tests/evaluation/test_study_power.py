"""study_power.py: its table, and what it refuses."""

import pytest
from support import Command

SCRIPT = "evaluation/study_power.py"


def test_the_table(script_main: Command) -> None:
    done = script_main(SCRIPT, "--base_percent", 40, "--problems", 591, "--runs", 3, "--difference_points", 5)
    assert done.returncode == 0, done.stderr
    header, *lines = [line.split() for line in done.stdout.splitlines()[2:]]
    assert header == ["base", "problems", "run", "effect", "3", "runs", "runs", "for", "5"]
    assert [line[:3] for line in lines] == [["40%", "591", effect] for effect in "012"]
    assert [float(line[3]) for line in lines] == pytest.approx([3.7, 4.7, 7.2], abs=0.11)
    assert [int(line[4]) for line in lines] == [3, 3, 5]


def test_what_cannot_be_seen_is_said(script_main: Command) -> None:
    flags = ["--base_percent", 95, "--problems", 20, "--runs", 2, "--run_effect_points", 5, "--difference_points", 0.5]
    done = script_main(SCRIPT, *flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split() == ["95%", "20", "5", "none", "more", "than", "50"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--base_percent", 0], "expected a number above 0, got '0'"),
        (["--base_percent", 100], "expected a percentage below 99.9, got '100'"),
        (["--runs", 1], "expected at least 2, because one says nothing about others, got '1'"),
        (["--problems", 1], "--problems 1: expected at least 2"),
        (["--run_effect_points", "x"], "expected a number above 0, got 'x'"),
        (["--base_percent", 95, "--difference_points", 6], "expected less than what is left to 99.9%"),
    ],
    ids=str,
)
def test_refusals(flags: list[object], message: str, script_main: Command) -> None:
    done = script_main(SCRIPT, *flags)
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.splitlines()) == 1
