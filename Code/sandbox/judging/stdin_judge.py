"""Running a Python program that reads standard input and prints its answer; what is right is decided outside the jail."""

from dataclasses import dataclass

from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import Deadline, Ended, LimitExceeded, verdict_of
from sandbox.judging.driver_process import explain, of_status, start
from sandbox.judging.verdict import BLOCKED, INFRA_ERROR, MEMORY, SYNTAX

_STATUS: dict[int | None, str] = {120: SYNTAX, 121: BLOCKED, 122: MEMORY}  # python_driver.py's


@dataclass(frozen=True, slots=True)
class Ran:
    """`verdict` is None where the program ended by itself and raised nothing; what it printed may still be wrong."""

    verdict: str | None
    stdout: str
    seconds: float
    stderr: str = ""


def run_program(program: str, stdin: str, sandbox: Sandbox, limits: Limits) -> Ran:
    """Run a program as __main__ in a jail of its own, with `stdin` as its input.

    The time is that from the program's start to its end. sys.exit is an end like any other, whatever its status.
    """
    try:
        jail, channel = start(sandbox, limits)
    except SandboxError as error:
        return Ran(INFRA_ERROR, "", 0.0, str(error))
    printed = b""
    verdict, why = None, ""
    try:
        channel.begin(limits.seconds)
        try:
            channel.send_message(("program", program))
            printed = channel.converse(stdin.encode(errors="surrogatepass"))
        except (Deadline, LimitExceeded, Ended) as error:
            verdict, why = verdict_of(error)
        seconds = channel.seconds
        channel.drain()
        shown = explain(why, channel)
    finally:
        status = jail.close(ended=verdict is None)
    if verdict is None and status != 0:
        verdict, why = (_STATUS[status], "") if status in _STATUS else of_status(status)
        shown = shown or f"{why} ({status})"
    return Ran(verdict, printed.decode(errors="replace"), seconds, shown)
