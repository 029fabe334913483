"""Talking to the driver in a jail: frames of 4 bytes of length and a message, with a deadline and caps on both outputs."""

import json
import marshal
import os
import select
import time
from typing import Any

from sandbox.contract import Jail, Limits
from sandbox.judging.verdict import FAIL, MEMORY, TIMEOUT

ANSWER = 4 << 20  # bytes of one answer: 300,000 numbers, more than any problem known asks for
KEPT = 1 << 16  # bytes of what a candidate prints that are kept
FILES = 20_000  # in the jail's /tmp
STARVED = 4  # a program that the machine does not let run gets up to so many times its time


class Deadline(BaseException):
    """The time is up. Not an Exception, so that tests which catch those cannot swallow it."""


class Ended(Exception):
    """The jail broke off: its end, or an answer that is none."""


class Gone(Ended):
    """The other end of the pipe is closed: the jail has ended, most likely."""


class LimitExceeded(Exception):
    """The program in the jail went beyond one of its limits; `verdict` is what that makes of the completion."""

    verdict = FAIL


class MemoryExceeded(LimitExceeded):
    """It holds more memory than Limits.memory."""

    verdict = MEMORY


class FilesExceeded(MemoryExceeded):
    """It made more files than FILES; they lie in memory."""


class OutputExceeded(LimitExceeded):
    """It printed or answered more than Limits.output, or gave one answer of more than ANSWER bytes."""


class DiskExceeded(LimitExceeded):
    """The jail's own /tmp has no room left for what the judge writes there."""


def verdict_of(error: Deadline | LimitExceeded | Ended) -> tuple[str, str]:
    """(verdict, why) of a completion at which talking to its jail broke off with this error."""
    if isinstance(error, Deadline):
        return TIMEOUT, ""
    return error.verdict if isinstance(error, LimitExceeded) else FAIL, str(error)


class Channel:
    """One jail's pipes."""

    def __init__(self, jail: Jail, limits: Limits) -> None:
        self._jail, self._limits = jail, limits
        self._poll = select.poll()
        self._poll.register(jail.stdout, select.POLLIN)
        self._poll.register(jail.stderr, select.POLLIN)
        self._answer = bytearray()
        self.printed = bytearray()
        self._count = self._answered = 0
        self._watched = 0.0
        self.begin(30)

    def begin(self, seconds: float) -> None:
        """Set the deadline, `seconds` from now."""
        self.started = time.monotonic()
        self._seconds = seconds
        self._deadline = self.started + seconds

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def late(self) -> bool:
        """Whether the deadline has passed, without a look at whether there is more time."""
        return time.monotonic() > self._deadline + 0.5

    def ask(self, message: Any) -> Any:
        """Send one message and wait for the answer to it."""
        self.send_message(message)
        return self.receive()

    def send_message(self, message: Any) -> None:
        self.send(marshal.dumps(message))

    def converse(self, data: bytes) -> bytes:
        """Give it all of `data` as its input and take what it prints, until it closes its output."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._jail.stdin, view) :]
            except BlockingIOError:
                try:
                    self._wait(write=True)
                except Ended:  # it closed its output, and what it did not read it does not need
                    return bytes(self._answer)
            except BrokenPipeError:
                break
        self._jail.end_input()
        try:
            while True:
                self._wait()
        except Ended:
            return bytes(self._answer)

    def send(self, data: bytes) -> None:
        view = memoryview(len(data).to_bytes(4, "little") + data)
        while view:
            try:
                view = view[os.write(self._jail.stdin, view) :]
            except BlockingIOError:  # it does not read; what it prints meanwhile must be taken, or nothing moves
                self._wait(write=True)
            except BrokenPipeError:
                raise Gone("it ended") from None

    def receive(self) -> Any:
        """The next answer, JSON; what it prints is taken on the side."""
        size = -1
        while True:
            if size < 0 and len(self._answer) >= 4:
                size = int.from_bytes(self._answer[:4], "little")
                if size > ANSWER:
                    raise OutputExceeded(f"an answer of {size:,} bytes, at most {ANSWER:,} are taken")
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
        # a look at its memory every 50 ms
        ready = self._poll.poll(max(0.0, min(0.05, self._deadline - now)) * 1000)
        if write:
            self._poll.unregister(self._jail.stdin)
        for place, _ in ready:
            if place == self._jail.stdout:
                self._take_answer()
            elif place == self._jail.stderr:
                self._take_printed()
        if now - self._watched >= 0.05:
            if self._watched:
                self._watch()
            self._watched = now

    def _watch(self) -> None:
        usage = self._jail.usage()
        if usage.resident > self._limits.memory:
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
        """Take what is still in the pipe of what it printed."""
        while len(self.printed) < KEPT and (data := self._read(self._jail.stderr)):
            self.printed += data[: KEPT - len(self.printed)]

    def _read(self, place: int) -> bytes | None:
        """What there is; b"" at the end, None where a candidate that opened the pipe was faster."""
        try:
            return os.read(place, 1 << 16)
        except BlockingIOError:
            return None

    def _extended(self) -> bool:
        """More time for a program that the machine kept waiting for a processor: as much as that."""
        waited = min(self._jail.usage().waited, (STARVED - 1) * self._seconds)
        self._deadline = self.started + self._seconds + waited
        return time.monotonic() < self._deadline
