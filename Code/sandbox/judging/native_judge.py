"""Judging languages that are compiled, or have no driver of their own: candidate and tests run together in a jail.

The tests' last act is to print a nonce, so that an early exit is no pass. That stops accidents, not an adversary: the program
could look for the nonce in its own memory. Results are labelled accordingly (Benchmark.judged).
"""

import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import Channel, Deadline, DiskExceeded, Ended, LimitExceeded, MemoryExceeded, verdict_of
from sandbox.judging.driver_process import CHARACTERS, LINES, start
from sandbox.judging.verdict import FAIL, INFRA_ERROR, PASS, SYNTAX, TIMEOUT, Verdict

BUILD_SECONDS = 60.0
PROCESSES = 256  # with threads: a Java virtual machine takes some thirty
_GRACE = 5.0  # seconds for the builder to answer beyond what a command may take


@dataclass(frozen=True, slots=True)
class Native:
    """A program in files of its own work folder. All commands run in one jail, where forks are allowed."""

    files: Mapping[str, str]
    run: tuple[str, ...]
    nonce: str  # stands on a line of its own in what a run prints that passed
    build: tuple[tuple[str, ...], ...] = ()
    removed: tuple[str, ...] = ()  # files that are gone before the run
    build_seconds: float = BUILD_SECONDS
    environment: Mapping[str, str] = field(default_factory=dict)


def build_and_run(programs: Native | Sequence[Native], sandbox: Sandbox, limits: Limits) -> Verdict:
    """Build and run a program in a jail of its own. The time is that of the run; `syntax` is a build that fails.

    Of several programs, readings of one answer, the first that builds is run; where none does, the first is reported.
    """
    first: Verdict | None = None
    for program in [programs] if isinstance(programs, Native) else programs:
        outcome = _in_a_jail(program, sandbox, limits)
        if outcome.name != SYNTAX:
            return outcome
        first = first or outcome
    if first is None:
        raise ValueError("no program")
    return first


def _in_a_jail(program: Native, sandbox: Sandbox, limits: Limits) -> Verdict:
    builds = program.build_seconds * len(program.build)
    jail_limits = Limits(limits.seconds + builds, limits.memory, max(limits.disk, 256 << 20), limits.output, PROCESSES)
    return in_builder(sandbox, jail_limits, lambda channel: _built_and_run(program, channel, limits))


def in_builder(sandbox: Sandbox, limits: Limits, judge: Callable[[Channel], Verdict]) -> Verdict:
    """What `judge` says, talking to command_driver.py in a jail of its own."""
    try:
        jail, channel = start(sandbox, limits, "command_driver.py")
    except SandboxError as error:
        return Verdict(INFRA_ERROR, 0.0, str(error))
    try:
        return judge(channel)
    except (Deadline, LimitExceeded) as error:
        verdict, why = verdict_of(error)
        return Verdict(verdict, channel.seconds, why)
    except Ended:  # a candidate cannot end the driver
        return Verdict(INFRA_ERROR, channel.seconds, "the builder in the jail ended")
    finally:
        jail.close()


def _built_and_run(program: Native, channel: Channel, limits: Limits) -> Verdict:
    environment = dict(program.environment)
    channel.begin(30)
    _asked(channel, "write", dict(program.files))
    for command in program.build:
        status, seconds, output, why = _run(channel, command, program.build_seconds, environment)
        if why == "timeout":
            return Verdict(TIMEOUT, seconds, _told("the compiler took too long", output))
        if status != 0 or why:
            return Verdict(SYNTAX, seconds, _told(f"{command[0]} ended with status {status}", output))
    _asked(channel, "remove", list(program.removed))
    status, seconds, output, why = _run(channel, program.run, limits.seconds, environment)
    if why == "timeout":
        return Verdict(TIMEOUT, seconds, _told("", output))
    if status != 0 or why:
        return Verdict(
            FAIL, seconds, _told(why and f"it printed too much ({why})" or f"it ended with status {status}", output)
        )
    if program.nonce not in output.splitlines():
        return Verdict(FAIL, seconds, _told("it ended before the last test", output))
    return Verdict(PASS, seconds)


def _run(
    channel: Channel, command: tuple[str, ...], seconds: float, environment: dict[str, str]
) -> tuple[int | None, float, str, str]:
    channel.begin(seconds + _GRACE)
    status, took, output, why = _asked(channel, "run", list(command), seconds, environment)
    return status, float(took), str(output), str(why)


def _asked(channel: Channel, *message: Any) -> Any:
    answer = channel.ask(message)
    if answer[0] == "error":
        kind = MemoryExceeded if answer[1] == errno.ENOMEM else DiskExceeded
        raise kind(f"no room in the jail: {answer[2]}")
    return answer


def _told(why: str, output: str) -> str:
    lines = [*([why] if why else []), *output.splitlines()][:LINES]
    return "\n".join(lines)[:CHARACTERS].encode(errors="replace").decode()
