"""Starting Python in a jail: the driver comes to life before anything untrusted is sent to it."""

import marshal
import signal
from functools import cache
from pathlib import Path

from sandbox import in_jail
from sandbox.contract import Jail, Limits, Sandbox, SandboxError
from sandbox.judging.channel import Channel, Deadline, Ended, LimitExceeded
from sandbox.judging.verdict import BLOCKED, FAIL, INFRA_ERROR

LINES, CHARACTERS = 20, 2000  # of what a candidate printed that go into a result
# reads its own source from the first frame: compiled once here, by the same interpreter
_START = (
    "import marshal, posix\n"
    "def take(n):\n"
    "    d = b''\n"
    "    while len(d) < n:\n"
    "        p = posix.read(0, n - len(d))\n"
    "        if not p: posix._exit(0)\n"
    "        d += p\n"
    "    return d\n"
    "exec(marshal.loads(take(int.from_bytes(take(4), 'little'))), {'__name__': 'driver'})\n"
)


def start(sandbox: Sandbox, limits: Limits, driver: str = "python_driver.py") -> tuple[Jail, Channel]:
    """A jail in which the driver waits for its first message. SandboxError where it does not come to life.

    `driver` is a file of in_jail/; the rest of the limits is set before it says that it is ready.
    """
    jail = sandbox.start([sandbox.python, "-S", "-s", "-B", "-P", "-c", _START], limits)
    channel = Channel(jail, limits)
    try:
        channel.send(_source(driver))
        if channel.ask((_most(sandbox, limits), sandbox.packages)) == ["ready"]:
            return jail, channel
    except (Ended, LimitExceeded, Deadline):
        pass
    channel.drain()
    jail.close()
    printed = channel.printed.decode(errors="replace").strip().splitlines()
    raise SandboxError(f"the jail did not come to life: {printed[-1] if printed else 'it said nothing'}")


def _most(sandbox: Sandbox, limits: Limits) -> list[tuple[str, int]]:
    alone = limits.processes == 1
    return [
        # of several processes each may map more than all together may hold, which is watched from outside
        ("RLIMIT_AS", limits.memory) if alone else ("RLIMIT_DATA", 2 * limits.memory),
        ("RLIMIT_FSIZE", limits.disk),
        ("RLIMIT_NOFILE", 64 if alone else 512),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NPROC", sandbox.tasks if alone else limits.processes),
    ]


@cache
def _source(driver: str) -> bytes:
    parts = [Path(in_jail.__path__[0]) / name for name in ("codec.py", "framing.py", driver)]
    source = "".join(part.read_text(encoding="utf-8") for part in parts)
    return marshal.dumps(compile(source, "<driver>", "exec", optimize=2))


def of_status(status: int | None) -> tuple[str, str]:
    """(verdict, why) of a program that ended before its last answer, with that exit status.

    It cannot kill itself, nor set a limit that does: SIGKILL came from outside, from an administrator or for want of
    memory on the machine.
    """
    if status is None:
        return FAIL, "it closed its pipes"
    number = -status if status < 0 else status - 128 if status > 128 else 0
    if number == signal.SIGKILL:
        return INFRA_ERROR, "the jail was killed from outside"
    if number == signal.SIGSYS:
        return BLOCKED, "it was ended for a system call of another architecture"
    return FAIL, f"it ended by signal {number}" if number else "it ended"


def explain(why: str, channel: Channel) -> str:
    """What goes into a result: the judge's word, then the first lines of what was drained from the program."""
    printed = channel.printed.decode(errors="replace").splitlines()
    lines = [*([why] if why else []), *printed][:LINES]
    return "\n".join(lines)[:CHARACTERS].encode(errors="replace").decode()
