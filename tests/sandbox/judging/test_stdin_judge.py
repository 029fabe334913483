"""Programs that read standard input and print their answer."""

import pytest
from sandbox.contract import Limits, Sandbox
from sandbox.judging.stdin_judge import run_program

STATUSES = (0, 1, 3, 120, 121, 122, 128, 137, 139, 159, 255)  # a program's own to choose: none of them is a failure


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
        *[(f"import os\nprint(1, flush=True)\nos._exit({status})", "", None, "1\n") for status in STATUSES],
        ("import os\nprint(1, flush=True)\nos.close(1)", "", None, "1\n"),
        ("import os\nprint(1, flush=True)\nos.close(1)\n1 / 0", "", "fail", "1\n"),
        ("import ctypes\nprint(1, flush=True)\nctypes.CDLL(None)._exit(121)", "", None, "1\n"),
        ("import os\nprint(1, flush=True)\nos.abort()", "", "fail", "1\n"),
        ("print(1)\nraise PermissionError(1, 'no')", "", "blocked", "1\n"),
        ("import sys\nprint(1)\nsys.excepthook = None\n1 / 0", "", "fail", "1\n"),
        ("import sys\nsys.stderr.close()\nprint(1)\n1 / 0", "", "fail", "1\n"),
        ("x = []\nwhile True: x.append(bytearray(1000))", "", "memory", None),
        # one that goes on has not ended, whatever it has closed
        ("import os, time\nprint(1, flush=True)\nos.close(1)\ntime.sleep(60)", "", "timeout", None),
        ("import os, time\nprint(1, flush=True)\nos.closerange(0, 64)\ntime.sleep(60)", "", "timeout", None),
        ("import os, time\nos.closerange(0, 64)\ntime.sleep(60)", "x" * 3_000_000, "timeout", ""),
        ("import os, time\nprint(1, flush=True)\nos.closerange(0, 64)\ntime.sleep(1.5)", "", None, "1\n"),
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
