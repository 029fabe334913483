"""What a sandbox is: it starts one command in a jail of its own, out of which only three pipes lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class SandboxError(Exception):
    """The jail could not be made, or ended for a reason that the candidate has nothing to do with."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one jail may use. judging/channel.py says which exception and which verdict going beyond each of them is."""

    seconds: float  # from the program's start to its last answer
    memory: int = 1 << 30  # bytes: the address space of a process that is alone, and Usage.memory
    disk: int = 64 << 20  # bytes: one file, and all files in the jail's own /tmp where the sandbox has one
    output: int = 32 << 20  # bytes that it may print or answer before it is killed
    processes: int = 1  # 1: it may have threads, but cannot fork
    answer: int = 4 << 20  # bytes of one answer: 300,000 numbers, more than most problems ask for


@dataclass(frozen=True, slots=True)
class Usage:
    """What a jail uses at a moment."""

    memory: int  # bytes that all its processes hold, with their page tables and what may lie unread in its sockets
    files: int  # in its own /tmp; 0 where it has none
    waited: float  # seconds that one of its processes was ready to run and had no processor; the largest such number


class Jail(Protocol):
    """One running command. Whoever started it must `close` it; then nothing of it is alive."""

    # file descriptors of this process, none of which blocks
    stdin: int
    stdout: int
    stderr: int
    end: int  # can be read from, as poll says, once the command has ended

    def usage(self) -> Usage:
        """Measure it.

        Raises:
            SandboxError: its processes cannot be listed.
        """

    def end_input(self) -> None:
        """Close its standard input, so that it reads to the end."""

    def close(self, *, ended: bool = False) -> int | None:
        """Kill what is left of it, wait for its end, and close the pipes. May be called again.

        Args:
            ended: it has closed its output, and gets a moment to end by itself first.

        Returns:
            Its own exit status as in the module subprocess, negative for the signal that ended it; None if it had to be
            killed here. A program in bubblewrap that ended by signal N has the status 128 + N.

        Raises:
            SandboxError: processes of it do not end.
        """


class Sandbox(Protocol):
    """A way to make jails on this machine. A worker process has one of its own."""

    name: str  # stands in every result
    python: str  # the path of the interpreter in a jail
    packages: str | None  # the folder in a jail that numpy is in; None where jails have no numpy
    tasks: int  # RLIMIT_NPROC of a jail that may not fork: its threads and those of all that run as the same user

    def start(self, command: Sequence[str], limits: Limits) -> Jail:
        """Start a command in a jail of its own.

        The sandbox holds `disk`, and `processes` where that is 1. The command itself must set the resource limits
        (in_jail/framing.py: confine) before anything untrusted comes to it; whoever talks to the jail must watch the rest
        (judging/channel.py).

        Args:
            command: a program, by its path in the jail, and its arguments.
            limits: what the jail may use.

        Returns:
            The running command. It may end at once: that is seen when its output is read.

        Raises:
            SandboxError: the program that makes the jail cannot be started.
        """
