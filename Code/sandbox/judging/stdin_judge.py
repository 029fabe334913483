"""Running a Python program that reads standard input and prints its answer. The caller decides whether it is right."""

from dataclasses import dataclass

from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import Deadline, Ended, LimitExceeded, verdict_of
from sandbox.judging.driver_process import explain, of_status, start
from sandbox.judging.verdict import BLOCKED, INFRA_ERROR, MEMORY, SYNTAX

# the exit statuses SYNTAX, DENIED and SPENT of python_driver.py
_VERDICT_OF_STATUS: dict[int | None, str] = {120: SYNTAX, 121: BLOCKED, 122: MEMORY}


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """What became of a program. Without a failure it ended by itself and raised nothing; what it printed may be wrong."""

    failure: str | None  # the name of a verdict, never "pass"
    stdout: str
    seconds: float
    stderr: str = ""  # what the judge has to say, then the first lines of its standard error


def run_program(program: str, stdin: str, sandbox: Sandbox, limits: Limits) -> ProgramRun:
    """Run a program as __main__ in a jail of its own, with `stdin` as its input.

    The time is that from the program's start to its end. A program that ends by sys.exit did not fail, whatever the status.
    """
    try:
        jail, channel = start(sandbox, limits)
    except SandboxError as error:
        return ProgramRun(INFRA_ERROR, "", 0.0, str(error))
    stdout = b""
    failure, why = None, ""
    try:
        channel.begin(limits.seconds)
        try:
            channel.send_message(("program", program))
            stdout = channel.converse(stdin.encode(errors="surrogatepass"))
        except (Deadline, LimitExceeded, Ended) as error:
            failure, why = verdict_of(error)
        seconds = channel.seconds
        channel.drain()
        shown = explain(why, channel)
    finally:
        status = jail.close(ended=failure is None)
    if failure is None and status != 0:
        known = status in _VERDICT_OF_STATUS
        failure, why = (_VERDICT_OF_STATUS[status], "") if known else of_status(status)
        shown = shown or f"{why} ({status})"
    return ProgramRun(failure, stdout.decode(errors="replace"), seconds, shown)
