"""Starting a driver in a jail, before anything untrusted is sent to it, and what the end of its process means."""

import marshal
import signal
from functools import cache
from pathlib import Path

from sandbox import in_jail
from sandbox.contract import Jail, Limits, Sandbox, SandboxError
from sandbox.judging.channel import Channel, Deadline, Ended, LimitExceeded
from sandbox.judging.verdict import BLOCKED, FAIL, INFRA_ERROR

# Bytes of address space of one of several processes. The runtimes of Java, Go and others reserve a few GiB and do not use
# them. Whatever is mapped, its page tables take no more than a 512th of this.
_MAPPED = 64 << 30
# What controls a terminal is shown as text: the codes of C0 but tab and new line, DEL, and the codes of C1.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
LINES, CHARACTERS = 20, 2000  # at most, of what a candidate printed that goes into a result
# reads the driver's code from the first message; it was compiled outside, once, by the same interpreter
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
    """Start a jail in which a driver waits for its first message.

    Args:
        sandbox: what makes the jail.
        limits: of the jail; the driver sets its resource limits before it says that it is ready.
        driver: the name of a file in in_jail/.

    Returns:
        The jail, to be closed by the caller, and the conversation with the driver.

    Raises:
        SandboxError: the jail cannot be made, or the driver does not come to life in it.
    """
    jail = sandbox.start([sandbox.python, "-S", "-s", "-B", "-P", "-c", _START], limits)
    channel = Channel(jail, limits)
    try:
        channel.send(_source(driver))
        if channel.ask((_resource_limits(sandbox, limits), sandbox.packages)) == ["ready"]:
            return jail, channel
    except (Ended, LimitExceeded, Deadline):
        pass
    channel.drain()
    jail.close()
    printed = channel.printed.decode(errors="replace").strip().splitlines()
    raise SandboxError(f"the jail did not come to life: {printed[-1] if printed else 'it said nothing'}")


def _resource_limits(sandbox: Sandbox, limits: Limits) -> list[tuple[str, int]]:
    """(name in the module resource, most) for framing.confine."""
    alone = limits.processes == 1
    # each of several processes may map more than all together may hold; what they hold is watched from outside
    memory = [("RLIMIT_AS", limits.memory)] if alone else [("RLIMIT_AS", _MAPPED), ("RLIMIT_DATA", 2 * limits.memory)]
    return [
        *memory,
        ("RLIMIT_FSIZE", limits.disk),
        ("RLIMIT_NOFILE", 64 if alone else 256),  # a pipe holds what nobody has read, and is nobody's memory
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NPROC", sandbox.tasks if alone else limits.processes),
    ]


@cache
def _source(driver: str) -> bytes:
    """The code of a driver and of what it needs, compiled, as marshal."""
    folder = Path(in_jail.__path__[0])
    source = "".join((folder / name).read_text(encoding="utf-8") for name in ("codec.py", "framing.py", driver))
    return marshal.dumps(compile(source, "<driver>", "exec", optimize=2))


def of_status(status: int | None) -> tuple[str, str]:
    """(name of the verdict, why) of a program that ended before its last answer, from what Jail.close returned.

    A jail of one process can neither kill itself nor set a limit that does: a SIGKILL came from outside, from somebody or
    from a machine that has no memory left.
    """
    if status is None:
        return FAIL, "it closed its pipes"
    number = ending_signal(status)
    if number == signal.SIGKILL:
        return INFRA_ERROR, "the jail was killed from outside"
    if number == signal.SIGSYS:
        return BLOCKED, "it was ended for a system call of another architecture"
    return FAIL, f"it ended by signal {number}" if number else "it ended"


def aborted(status: int | None) -> bool:
    """Whether a program ended by abort(), as node does when its heap is full, from what Jail.close returned.

    abort() raises SIGABRT. To the first process of a namespace, which bubblewrap makes of a program, that does nothing; then
    abort() ends it with an instruction that is not allowed, which is SIGSEGV.
    """
    return status is not None and ending_signal(status) in (signal.SIGABRT, signal.SIGSEGV)


def ending_signal(status: int) -> int:
    """The signal that ended a process, 0 for none; bwrap hands signal N on as status 128 + N."""
    return -status if status < 0 else status - 128 if status > 128 else 0


def explain(why: str, channel: Channel) -> str:
    """What goes into a result: the judge's reason, then the first lines of what `channel` has kept of the program's output."""
    return first_lines(why, channel.printed.decode(errors="replace"))


def first_lines(why: str, printed: str) -> str:
    """The judge's reason, then what a program printed: LINES lines and CHARACTERS characters at most, and no controls."""
    lines = [*([why] if why else []), *printed.splitlines()][:LINES]
    return "\n".join(lines).translate(_CONTROLS)[:CHARACTERS].encode(errors="replace").decode()
