"""Programs that read standard input and print their answer."""

import pytest
from sandbox.contract import Limits, Sandbox
from sandbox.judging.stdin_judge import run_program


@pytest.mark.parametrize(
    ("program", "stdin", "verdict", "stdout"),
    [
        ("print(sum(map(int, input().split())))", "1 2 3\n", None, "6\n"),
        ("import sys\nprint(len(sys.stdin.buffer.read()))", "x" * 3_000_000, None, "3000000\n"),
        ("print(open(0).read())", "é", None, "é\n"),
        ("import os\nos.write(1, os.read(0, 9))", "abc", None, "abc"),
        ("print(__name__)", "", None, "__main__\n"),
        ("import sys\nprint(1)\nsys.exit(5)", "", None, "1\n"),
        ("import atexit\natexit.register(print, 'bye')", "never read" * 100_000, None, "bye\n"),
        ("print(1)\n1 / 0", "", "fail", "1\n"),
        ("import os\nprint(1, flush=True)\nos._exit(3)", "", "fail", "1\n"),
        ("input(", "", "syntax", ""),
        ("x = [0] * (1 << 29)", "", "memory", ""),
        ("open('/x', 'w')", "", "blocked", ""),
        ("print('y' * (40 << 20))", "", "fail", None),
        ("while True: pass", "", "timeout", None),
        ("import time\ntime.sleep(60)", "", "timeout", None),
    ],
)
def test_programs_that_read_standard_input(
    sandbox: Sandbox, program: str, stdin: str, verdict: str | None, stdout: str | None
) -> None:
    ran = run_program(program, stdin, sandbox, Limits(0.7 if verdict == "timeout" else 10))
    assert ran.failure == verdict, ran
    assert stdout is None or ran.stdout == stdout
    assert (verdict is None) == (ran.stderr == "") or verdict == "timeout"
