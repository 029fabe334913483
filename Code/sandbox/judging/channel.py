"""Talking to the driver in a jail, with a deadline and limits. A message stands behind its length in 4 bytes, little-endian."""

import fcntl
import json
import marshal
import os
import select
import time
from typing import Any

from sandbox.contract import Jail, Limits
from sandbox.judging.verdict import FAIL, MEMORY, TIMEOUT

KEPT = 1 << 16  # bytes of what a candidate prints that are kept
FILES = 20_000  # files in the jail's /tmp at most
STARVED = 4  # a program that waits for a processor gets up to this many times its time
_STARTING_S = 30.0  # seconds for the driver to come to life
_WATCHED_S = 0.05  # seconds from one look at the memory to the next


class Deadline(BaseException):
    """Limits.seconds are over. This is no Exception, so that tests which catch every Exception let it through."""


class Ended(Exception):
    """There is no more to hear from the jail: it has ended, or its answer is not JSON."""


class Gone(Ended):
    """The jail's end of a pipe is closed: most likely its program has ended."""


class LimitExceeded(Exception):
    """The program in the jail went beyond one of its limits. `verdict` is the name of the verdict that this leads to."""

    verdict = FAIL


class MemoryExceeded(LimitExceeded):
    """All its processes together use more memory than Limits.memory."""

    verdict = MEMORY


class FilesExceeded(MemoryExceeded):
    """It made more files than FILES. The jail's /tmp lies in memory, and so do they."""


class OutputExceeded(LimitExceeded):
    """It printed more than Limits.output, or answered more, or gave one answer of more than Limits.answer."""


class DiskExceeded(LimitExceeded):
    """The jail's own /tmp has no room left for what the judge writes there."""


def verdict_of(error: Deadline | LimitExceeded | Ended) -> tuple[str, str]:
    """(name of the verdict, why) of a completion for which talking to its jail raised this error."""
    if isinstance(error, Deadline):
        return TIMEOUT, ""
    return error.verdict if isinstance(error, LimitExceeded) else FAIL, str(error)


class Channel:
    """A conversation over one jail's pipes.

    Every method that waits raises Deadline, MemoryExceeded, FilesExceeded or OutputExceeded when the jail goes beyond a
    limit, and Ended when there is no more to hear from it.
    """

    def __init__(self, jail: Jail, limits: Limits) -> None:
        self._jail, self._limits = jail, limits
        self._poll = select.poll()
        self._poll.register(jail.stdout, select.POLLIN)
        self._poll.register(jail.stderr, select.POLLIN)
        self._answer = bytearray()
        self.printed = bytearray()  # the first KEPT bytes
        self._count = self._answered = 0  # bytes printed, bytes answered
        self._watched = 0.0
        self._ended = False  # whether the jail's command has; looked at in `converse` alone
        self.begin(_STARTING_S)

    def begin(self, seconds: float) -> None:
        """Set the deadline to `seconds` from now; `self.seconds` counts from now too."""
        self.allow(seconds)
        self.started = self._since

    def allow(self, seconds: float) -> None:
        """Set the deadline to `seconds` from now; `self.seconds` goes on counting from where it began."""
        self._since = time.monotonic()
        self._seconds = seconds
        self._deadline = self._since + seconds

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def ran(self) -> float:
        """`seconds` without the time that the program waited for a processor, of which STARVED sets how much counts."""
        return max(self.seconds - self._jail.usage().waited, self.seconds / STARVED)

    @property
    def room(self) -> int:
        """Bytes that messages may have together so that, with none of them read yet, sending them does not wait."""
        return fcntl.fcntl(self._jail.stdin, fcntl.F_GETPIPE_SZ) // 2

    @property
    def late(self) -> bool:
        """Whether the deadline, as last extended, has been passed by half a second."""
        return time.monotonic() > self._deadline + 0.5

    def ask(self, message: Any) -> Any:
        """Send one message, plain data for marshal, and wait for the answer to it."""
        self.send_message(message)
        return self.receive()

    def send_message(self, message: Any) -> None:
        self.send(marshal.dumps(message))

    def converse(self, data: bytes) -> bytes:
        """All that a program prints which gets `data` as its input, until it ends; to close its output is no end."""
        view = memoryview(data)
        try:
            while view:
                try:
                    view = view[os.write(self._jail.stdin, view) :]
                except BlockingIOError:
                    self._wait(write=True)
                except BrokenPipeError:
                    break
            self._jail.end_input()
            while True:
                self._wait()
        except Gone:  # it closed its output, so it needs no more input
            self._jail.end_input()
            self._poll.unregister(self._jail.stdout)
        self._poll.register(self._jail.end, select.POLLIN)
        while not self._ended:
            self._wait()
        return bytes(self._answer)

    def send(self, *messages: bytes) -> None:
        """Send messages, one after the other."""
        view = memoryview(b"".join(len(data).to_bytes(4, "little") + data for data in messages))
        while view:
            try:
                view = view[os.write(self._jail.stdin, view) :]
            except BlockingIOError:  # it does not read: what it prints must be taken, or both sides wait for ever
                self._wait(write=True)
            except BrokenPipeError:
                raise Gone("it ended") from None

    def receive(self) -> Any:
        """The next answer, read as JSON. What the program prints meanwhile is kept in `printed`."""
        size = -1
        while True:
            if size < 0 and len(self._answer) >= 4:
                size = int.from_bytes(self._answer[:4], "little")
                if size > (most := self._limits.answer):
                    raise OutputExceeded(f"an answer of {size:,} bytes, at most {most:,} are taken")
            if 0 <= size <= len(self._answer) - 4:
                data = bytes(self._answer[4 : 4 + size])
                del self._answer[: 4 + size]
                try:
                    return json.loads(data)
                except (ValueError, RecursionError):
                    raise Ended("an answer that is not JSON") from None
            self._wait()

    def _wait(self, *, write: bool = False) -> None:
        """Take what there is, or wait for it until the deadline."""
        now = time.monotonic()
        if now >= self._deadline and not self._extended():
            raise Deadline
        if write:
            self._poll.register(self._jail.stdin, select.POLLOUT)
        ready = self._poll.poll(max(0.0, min(_WATCHED_S, self._deadline - now)) * 1000)
        if write:
            self._poll.unregister(self._jail.stdin)
        for fd, _ in ready:
            if fd == self._jail.stdout:
                self._take_answer()
            elif fd == self._jail.stderr:
                self._take_printed()
            elif fd == self._jail.end:
                self._ended = True
        if now - self._watched >= _WATCHED_S:
            if self._watched:
                self._watch()
            self._watched = now

    def _watch(self) -> None:
        usage = self._jail.usage()
        if usage.memory > self._limits.memory:
            raise MemoryExceeded(f"more than {self._limits.memory:,} bytes of memory")
        if usage.files > FILES:
            raise FilesExceeded(f"more than {FILES:,} files, which take memory")

    def _take_answer(self) -> None:
        data = self._read(self._jail.stdout)
        if data == b"":
            raise Gone("it ended")
        self._answered += len(data or b"")
        if self._answered > self._limits.output:
            raise OutputExceeded(f"it answered more than {self._limits.output:,} bytes")
        self._answer += data or b""

    def _take_printed(self) -> None:
        data = self._read(self._jail.stderr)
        if data == b"":
            self._poll.unregister(self._jail.stderr)
        data = data or b""
        self._count += len(data)
        self.printed += data[: KEPT - len(self.printed)]
        if self._count > self._limits.output:
            raise OutputExceeded(f"it printed more than {self._limits.output:,} bytes")

    def drain(self) -> None:
        """Take what the program printed and nobody has read yet."""
        while len(self.printed) < KEPT and (data := self._read(self._jail.stderr)):
            self.printed += data[: KEPT - len(self.printed)]

    def _read(self, fd: int) -> bytes | None:
        """What is in a pipe; b"" at its end, None where it is empty: a candidate that opened it too may have read it."""
        try:
            return os.read(fd, 1 << 16)
        except BlockingIOError:
            return None

    def _extended(self) -> bool:
        """Extend the deadline by the time that the program waited for a processor; whether there is time left."""
        waited = min(self._jail.usage().waited, (STARVED - 1) * self._seconds)
        self._deadline = self._since + self._seconds + waited
        return time.monotonic() < self._deadline
