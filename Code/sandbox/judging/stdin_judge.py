"""Running a Python program that reads standard input and prints its answer. The caller decides whether it is right."""

import secrets
from dataclasses import dataclass

from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import Deadline, Ended, LimitExceeded, verdict_of
from sandbox.judging.driver_process import ending_signal, explain, of_status, start
from sandbox.judging.verdict import BLOCKED, FAIL, INFRA_ERROR, MEMORY, SYNTAX

# what python_driver.py says of a program that did not come to its end; each has as many letters
_VERDICT_OF = {b"syntax": SYNTAX, b"denied": BLOCKED, b"memory": MEMORY, b"raised": FAIL}
_LETTERS = 6


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """What became of a program. Without a failure it ended by itself and raised nothing; what it printed may be wrong."""

    failure: str | None  # the name of a verdict, never "pass"
    stdout: str
    seconds: float
    stderr: str = ""  # what the judge has to say, then the first lines of its standard error


def run_program(program: str, stdin: str, sandbox: Sandbox, limits: Limits) -> ProgramRun:
    """Run a program as __main__ in a jail of its own, with `stdin` as its input.

    The time is that from the program's start to its end; one that closes its output and goes on has not ended. A program
    that ends by sys.exit or os._exit did not fail, whatever the status.
    """
    try:
        jail, channel = start(sandbox, limits)
    except SandboxError as error:
        return ProgramRun(INFRA_ERROR, "", 0.0, str(error))
    stdout, mark = b"", secrets.token_bytes(16)
    failure, why = None, ""
    try:
        channel.begin(limits.seconds)
        try:
            channel.send_message(("program", program, mark))
            stdout = channel.converse(stdin.encode(errors="surrogatepass"))
        except (Deadline, LimitExceeded, Ended) as error:
            failure, why = verdict_of(error)
        seconds = channel.seconds
        channel.drain()
        shown = explain(why, channel)
    finally:
        status = jail.close(ended=failure is None)
    stdout, marked, rest = stdout.partition(mark)  # what the program printed last may stand behind it
    if failure is None and marked:
        failure, stdout = _VERDICT_OF.get(rest[:_LETTERS], FAIL), stdout + rest[_LETTERS:]
    elif failure is None and (status is None or ending_signal(status)):
        failure, why = of_status(status)
        shown = shown or f"{why} ({status})"
    return ProgramRun(failure, stdout.decode(errors="replace"), seconds, shown)
