"""Judging Python from outside the jail: the data set's own tests run here, and only calls go in and plain answers come out.

The jail holds the candidate's program and a driver. What a test calls in it is a `Remote` here; objects that are no plain
data stay in there and are Remotes too. Expected values never go in, so there is no verdict to forge in there. What a
Remote claims to be equal to is believed between two Remotes alone: no plain value is ever equal to one.
"""

import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import CodeType, FrameType
from typing import Any

from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import Channel, Deadline, Ended, LimitExceeded, verdict_of
from sandbox.judging.driver_process import explain, of_status, start
from sandbox.judging.remote_objects import Remote, Session, Syntax
from sandbox.judging.verdict import BLOCKED, FAIL, INFRA_ERROR, MEMORY, PASS, SYNTAX, TIMEOUT, Verdict


@dataclass(frozen=True, slots=True)
class Tests:
    """What the judge runs outside the jail. All of it is the data set's own: trusted.

    `prelude` is what the tests need besides the candidate (imports, helper functions of the prompt); `source` are the
    tests, where an exception is a failure; `names` are what they call in the candidate's program.
    """

    __test__ = False  # pytest takes every class of this name for tests

    prelude: str
    source: str
    names: tuple[str, ...]


def judge_python(
    program: str, tests: Tests, sandbox: Sandbox, limits: Limits, *, otherwise: str | None = None
) -> Verdict:
    """Run a program in a jail of its own against the tests; `otherwise` takes its place where only that is Python.

    The time is that from the program's start to the verdict.
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
            verdict, why = _verdict(session, programs, tests)
        seconds = channel.seconds
        channel.drain()
        if verdict == FAIL and session.ended:
            verdict, why = of_status(jail.close(ended=True))
        shown = explain(why, channel)
        return Verdict(verdict, seconds, "" if verdict == PASS else shown)
    finally:
        session.closed = True
        jail.close()


def _verdict(session: "Session", programs: Sequence[str], tests: Tests) -> tuple[str, str]:
    try:
        session.load(programs)
        prelude, source = _compiled(tests.prelude, tests.source)
        names: dict[str, Any] = {"__name__": "tests"}
        exec(prelude, names)
        names |= {name: Remote(session, ["N", name]) for name in tests.names}
        exec(source, names)
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
        return FAIL, _told(error, tests)
    if session.late:
        return TIMEOUT, ""
    if session.broken is not None:  # a test that catches exceptions must not pass on a jail that is gone
        return FAIL, session.broken
    return PASS, ""


@cache
def _compiled(prelude: str, source: str) -> tuple[CodeType, CodeType]:
    # asserts are what tests are made of, whatever PYTHONOPTIMIZE says
    before, tests = (
        compile(code, name, "exec", dont_inherit=True, optimize=0)
        for code, name in ((prelude, "<prelude>"), (source, "<tests>"))
    )
    return before, tests


def _told(error: Exception, tests: Tests) -> str:
    """The test that failed and how."""
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<tests>"]
    number = places[-1].lineno if places else None
    lines = tests.source.splitlines()
    where = f" in {lines[number - 1].strip()}" if number and number <= len(lines) else ""
    return f"{type(error).__name__}{where}"[:500]


@contextmanager
def _alarm(channel: Channel, seconds: float) -> Iterator[None]:
    """Interrupt tests that compute without end on an answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        if channel.late:
            raise Deadline

    before = signal.signal(signal.SIGALRM, ring)
    # again and again, since a test may catch what is raised
    signal.setitimer(signal.ITIMER_REAL, seconds + 1, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
