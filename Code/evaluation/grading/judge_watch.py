"""Is a judge that gives no verdict computing, or does it wait? What it computes is the completion's doing.

A test that compares or sorts what a completion answered may do so inside one call of the interpreter's C code, a `set` of
numbers whose hashes collide, say. No signal that the judge sets for itself gets in there. So its parent looks at the
processor time that the judge has used, which neither a busy nor a sleeping machine can add to.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")  # of processor time, in a second
_LOOK_S = 0.5  # seconds from one look at a judge to the next
# Seconds of processor time, on top of a limit, that the judge's own work may take: its start, and unpacking the tests
ALLOWANCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Work:
    """What a process has done since it started; what it started itself does not count."""

    seconds: float  # processor time of all its threads
    waits: int | None  # how often its main thread gave up the processor to wait; None where the kernel does not count


def work_of(pid: int) -> Work | None:
    """What the process has done, None where it is gone. From proc(5): stat's utime and stime, status' context switches."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        lines = Path(f"/proc/{pid}/status").read_bytes().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    waits = [int(line.split()[1]) for line in lines if line.startswith(b"voluntary_ctxt_switches:")]
    return Work((int(fields[11]) + int(fields[12])) / _TICKS, waits[0] if waits else None)


class JudgeWatch:
    """One process that judges one completion after the other, looked at from its parent."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.begin()

    def begin(self) -> None:
        """From now on it judges the next completion."""
        self.since = time.monotonic()
        self._looked = self.since
        self._began = self._waited = work_of(self._pid) or Work(0.0, None)

    @property
    def seconds(self) -> float:
        """Since it began with this completion."""
        return time.monotonic() - self.since

    def overdue(self, limit_s: float, most_s: float) -> bool:
        """Whether it has computed too long on this completion.

        Args:
            limit_s: the most seconds of processor time, besides ALLOWANCE_S, without once waiting for anything: to talk to
                a jail is to wait for it.
            most_s: the most in all, besides ALLOWANCE_S.
        """
        if time.monotonic() - self._looked < _LOOK_S:
            return False
        self._looked = time.monotonic()
        work = work_of(self._pid)
        if work is None:  # it has died, which its connection tells
            return False
        if work.waits is None or work.waits != self._waited.waits:
            self._waited = work
        computed, at_a_time = work.seconds - self._began.seconds, work.seconds - self._waited.seconds
        return at_a_time > limit_s + ALLOWANCE_S or computed > most_s + ALLOWANCE_S
