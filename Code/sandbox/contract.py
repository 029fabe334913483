"""What a sandbox is: it starts one command in a jail of its own, from which only three pipes lead out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """What one jail may use."""

    seconds: float  # from the program's start to its last answer
    memory: int = 1 << 30  # bytes of address space of a process, and of resident memory over all of them
    disk: int = 64 << 20  # bytes in its own /tmp, where the rung gives it one
    output: int = 32 << 20  # bytes it may print before it is killed
    processes: int = 1  # 1: threads only, it cannot fork


@dataclass(frozen=True, slots=True)
class Usage:
    """What a jail uses now."""

    resident: int  # bytes, over all its processes
    files: int  # in its own /tmp
    waited: float  # seconds that a process of it was ready to run and had no processor


class Jail(Protocol):
    """One running command. Whoever started it must `close` it: then nothing of it is alive."""

    stdin: int  # file descriptors
    stdout: int
    stderr: int

    def usage(self) -> Usage: ...

    def end_input(self) -> None:
        """Close its standard input."""

    def close(self, *, ended: bool = False) -> int | None:
        """Kill what is left of it, wait for it, close the pipes.

        Returns its own exit status as subprocess does, None if it had to be killed. With `ended` it has closed its output
        and gets a moment to end by itself.
        """


class Sandbox(Protocol):
    """One per worker process. `name` goes into every result."""

    name: str
    python: str  # the interpreter as it is called in the jail
    packages: str | None  # the folder in the jail that numpy is in
    tasks: int  # RLIMIT_NPROC for a jail that may not fork: its threads, with those of everybody its user shares with

    def start(self, command: Sequence[str], limits: Limits) -> Jail:
        """Start a command in a fresh jail. SandboxError if that fails.

        What the rung itself does not hold of the limits, the command must set before it runs anything untrusted.
        """


class SandboxError(Exception):
    """The jail could not be made, or died of something that was not the candidate's doing."""
