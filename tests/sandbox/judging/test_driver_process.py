"""What the end of a process in a jail means."""

import ast
from pathlib import Path

import pytest
from sandbox import in_jail
from sandbox.contract import Limits, Sandbox
from sandbox.judging import native_judge, stdin_judge
from sandbox.judging.channel import Channel
from sandbox.judging.driver_process import aborted, first_lines, of_status
from sandbox.judging.python_judge import Tests, judge_python


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (None, "fail"),
        (0, "fail"),
        (3, "fail"),
        (-9, "infra_error"),
        (137, "infra_error"),
        (-31, "blocked"),
        (139, "fail"),
    ],
)
def test_the_verdict_on_a_program_that_ended(status: int | None, verdict: str) -> None:
    assert of_status(status)[0] == verdict


def test_a_program_that_aborted_is_known_by_its_status(sandbox: Sandbox) -> None:
    for program, expected in (("import os; os.abort()", True), ("raise SystemExit(3)", False)):
        limits = Limits(seconds=20)
        jail = sandbox.start([sandbox.python, "-S", "-c", program], limits)
        Channel(jail, limits).converse(b"")
        assert aborted(jail.close(ended=True)) is expected
    assert not aborted(None)


def test_both_sides_of_the_wall_have_the_same_constants() -> None:
    def constants(driver: str) -> dict[str, object]:
        tree = ast.parse((Path(in_jail.__path__[0]) / driver).read_text())
        pairs = [
            (target, node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
        ]
        return {
            name.id: value.value
            for names, values in pairs
            for name, value in zip(names.elts, values.elts if isinstance(values, ast.Tuple) else [], strict=True)
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant)
        }

    commands = constants("command_driver.py")
    assert commands["OUT_OF_TIME"] == native_judge.OUT_OF_TIME
    assert commands["TOO_MUCH_OUTPUT"] == native_judge.TOO_MUCH_OUTPUT
    python = constants("python_driver.py")
    known = {"SYNTAX": "syntax", "DENIED": "blocked", "SPENT": "memory", "RAISED": "fail"}
    assert {python[name]: verdict for name, verdict in known.items()} == stdin_judge._VERDICT_OF
    assert {len(name) for name in stdin_judge._VERDICT_OF} == {stdin_judge._LETTERS}


def test_what_goes_into_a_result_is_short_and_text() -> None:
    assert first_lines("why", "one\ntwo") == "why\none\ntwo"
    assert first_lines("", "line\n" * 100) == "\n".join(["line"] * 20)
    assert first_lines("\ud800", "x" * 5000) == "?\n" + "x" * 1998
    assert first_lines("a\x9b31m\tb", "c\x1b[2Jd\x7f\x00é") == "a\\x9b31m\tb\nc\\x1b[2Jd\\x7f\\x00é"


def test_no_result_controls_a_terminal(sandbox: Sandbox) -> None:
    codes = "".join(map(chr, (*range(32), *range(127, 160))))
    program = f"import sys\nsys.stderr.write({codes!r})\n1 / 0\ndef f(): pass"
    for shown in (
        judge_python(program, Tests("", "f()", ("f",)), sandbox, Limits(5)).stderr,
        judge_python(f"def f(): return 1 +\n# {codes!r}", Tests("", "f()", ("f",)), sandbox, Limits(5)).stderr,
        stdin_judge.run_program(program, "", sandbox, Limits(5)).stderr,
    ):
        assert shown and [letter for letter in shown if not letter.isprintable() and letter not in "\t\n"] == []
