"""Judging Python from outside the jail: the data set's own tests run here; only calls go in, and plain answers come out.

The jail holds the candidate's program and a driver. What a test calls of that program is a `Remote` here. Objects that are
no plain data stay in the jail and are Remotes too. Expected values never go in, so a program has no verdict to forge. An
object in the jail may claim to be equal to anything: that is believed between two Remotes alone, and no plain value is ever
equal to a Remote.
"""

import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import CodeType, FrameType
from typing import Any, Protocol

from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import Channel, Deadline, Ended, LimitExceeded, verdict_of
from sandbox.judging.driver_process import explain, of_status, start
from sandbox.judging.remote_objects import Remote, Session, Syntax
from sandbox.judging.verdict import BLOCKED, FAIL, INFRA_ERROR, MEMORY, PASS, SYNTAX, TIMEOUT, Verdict


class Checks(Protocol):
    """What the judge does outside the jail with a program in it. It comes from the data set, and is trusted."""

    def run(self, session: Session) -> None:
        """Call what the program has. An exception is a failure, whichever it is."""

    def failed(self, error: Exception) -> str:
        """One line on which test failed, from what `run` raised; the candidate never sees it."""


@dataclass(frozen=True, slots=True)
class Tests:
    """Tests that are a program, as most data sets have them."""

    __test__ = False  # otherwise pytest takes a class of this name for tests

    prelude: str  # what the tests need besides the candidate: imports, helper functions of the prompt
    source: str  # the tests; an exception is a failure
    names: tuple[str, ...]  # what they call in the candidate's program

    def run(self, session: Session) -> None:
        prelude, source = _compiled(self.prelude, self.source)
        names: dict[str, Any] = {"__name__": "tests"}
        exec(prelude, names)
        names |= {name: Remote(session, ["N", name]) for name in self.names}
        exec(source, names)

    def failed(self, error: Exception) -> str:
        """The kind of error, and the line of the tests that it came from."""
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<tests>"]
        number = frames[-1].lineno if frames else None
        lines = self.source.splitlines()
        where = f" in {lines[number - 1].strip()}" if number and number <= len(lines) else ""
        return f"{type(error).__name__}{where}"[:500]


def judge_python(
    program: str,
    tests: Checks,
    sandbox: Sandbox,
    limits: Limits,
    *,
    otherwise: str | None = None,
    further: Checks | None = None,
) -> Verdict:
    """Run a program in a jail of its own against the tests.

    Args:
        program: the candidate's, whole.
        tests: what is called in it, and what must come of that.
        sandbox: what makes the jail.
        limits: of the jail. In the main thread the time holds for the tests' own work too.
        otherwise: another reading of the completion, run instead where `program` is not Python and this one is.
        further: tests that a program which passes `tests` must pass too, in the same jail.

    Returns:
        The verdict, and the seconds from the program's start to it. With `further`, the verdict's `base` is that on `tests`.
    """
    programs = [program] if otherwise is None else [program, otherwise]
    try:
        jail, channel = start(sandbox, limits)
    except SandboxError as error:
        return Verdict(INFRA_ERROR, 0.0, str(error))
    session = Session(channel)
    try:
        channel.begin(limits.seconds)
        with _alarm(channel, limits.seconds):
            verdict, why = _verdict(session, tests, programs)
            base = verdict == PASS
            if base and further is not None:
                channel.allow(limits.seconds)
                verdict, why = _verdict(session, further)
        seconds = channel.seconds
        channel.drain()
        if verdict == FAIL and session.ended:
            verdict, why = of_status(jail.close(ended=True))
        shown = explain(why, channel)
        on_base = None if further is None else PASS if base else verdict
        return Verdict(verdict, seconds, "" if verdict == PASS else shown, on_base)
    finally:
        session.closed = True
        jail.close()


def _verdict(session: Session, tests: Checks, programs: Sequence[str] = ()) -> tuple[str, str]:
    """(name of the verdict, why) of the tests, after the first of the `programs` that is Python has been loaded."""
    try:
        if programs:
            session.load(programs)
        tests.run(session)
    except Syntax as error:
        return SYNTAX, str(error)
    except (Deadline, LimitExceeded, Ended) as error:
        return verdict_of(error)
    except MemoryError:
        return MEMORY, "MemoryError"
    except RecursionError as error:
        return FAIL, f"RecursionError: {error}"
    except Exception as error:  # noqa: BLE001  # any exception in the tests is the tests' verdict: a failure
        if session.late:
            return TIMEOUT, ""
        if session.broken is not None:
            return FAIL, session.broken
        if session.denied:
            return BLOCKED, "it tried what the jail forbids"
        return FAIL, tests.failed(error)
    if session.late:
        return TIMEOUT, ""
    if session.broken is not None:  # a test that catches exceptions must not pass on a jail that is gone
        return FAIL, session.broken
    return PASS, ""


@cache
def _compiled(prelude: str, source: str) -> tuple[CodeType, CodeType]:
    # not optimised, whatever PYTHONOPTIMIZE says: tests are made of asserts
    before, tests = (
        compile(code, name, "exec", dont_inherit=True, optimize=0)
        for code, name in ((prelude, "<prelude>"), (source, "<tests>"))
    )
    return before, tests


@contextmanager
def _alarm(channel: Channel, seconds: float) -> Iterator[None]:
    """Raise Deadline in tests that go on computing after it, such as on an answer that is large or strange.

    A signal can do that in the main thread alone; in others nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        if channel.late:
            raise Deadline

    before = signal.signal(signal.SIGALRM, ring)
    # every second from then on, since a test may catch what is raised
    signal.setitimer(signal.ITIMER_REAL, seconds + 1, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
