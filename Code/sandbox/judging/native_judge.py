"""Judging languages that are compiled, or have no driver of their own: candidate and tests run together in a jail.

The last thing that the tests do is print a nonce, so that a program that exits early does not pass. Where candidate and tests
are compiled apart, the tests are written when the candidate is compiled, and read the nonce at the start of the run: it is in no
file that a candidate can take in or look at. That stops accidents and what is cheap, not an adversary, since a program can look
for the nonce in its own memory. Results are labelled accordingly (Benchmark.judged).
"""

import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import Channel, Deadline, DiskExceeded, Ended, LimitExceeded, MemoryExceeded, verdict_of
from sandbox.judging.driver_process import first_lines, start
from sandbox.judging.verdict import FAIL, INFRA_ERROR, PASS, SYNTAX, TIMEOUT, Verdict

BUILD_SECONDS = 60.0
PROCESSES = 256  # threads count too: a Java virtual machine has some thirty
OUT_OF_TIME, TOO_MUCH_OUTPUT = "timeout", "output"  # why command_driver.py killed a command; it has the same two
_GRACE = 5.0  # seconds that the driver may take to answer beyond the time of a command
_WRITING_S = 30.0  # seconds for writing files


@dataclass(frozen=True, slots=True)
class Native:
    """A program as files in a work folder. All its commands run there, in one jail, where processes may fork."""

    files: Mapping[str, str]  # name: text; those that are there from the start
    run: tuple[str, ...]  # a command: the program and its arguments
    nonce: str  # a run that passes prints it on a line of its own
    build: tuple[tuple[str, ...], ...] = ()  # commands that come first, such as that of a compiler
    removed: tuple[str, ...] = ()  # files that are removed before the run
    build_seconds: float = BUILD_SECONDS  # for each command of `build` and `link`
    environment: Mapping[str, str] = field(default_factory=dict)  # besides that of every jail
    tests: Mapping[str, str] = field(default_factory=dict)  # files that are written after `build`
    link: tuple[tuple[str, ...], ...] = ()  # commands that come after that, to build the tests
    nonce_file: str = ""  # written right before the run, which begins with removing it; "": the program has the nonce


def build_and_run(programs: Native | Sequence[Native], sandbox: Sandbox, limits: Limits) -> Verdict:
    """Build and run a program in a jail of its own.

    Args:
        programs: a program, or several readings of one completion: the first that builds is run.
        sandbox: one that was made with `toolchains`.
        limits: of the run; builds have their own time.

    Returns:
        The verdict and the seconds of the run. Where no program builds it is `syntax`, with what the first one's build said.
    """
    first: Verdict | None = None
    for program in [programs] if isinstance(programs, Native) else programs:
        verdict = _in_a_jail(program, sandbox, limits)
        if verdict.name != SYNTAX:
            return verdict
        first = first or verdict
    if first is None:
        raise ValueError("no program")
    return first


def _in_a_jail(program: Native, sandbox: Sandbox, limits: Limits) -> Verdict:
    """One program; compilers get a larger disk and many processes."""
    builds = program.build_seconds * len(program.build + program.link)
    jail_limits = Limits(limits.seconds + builds, limits.memory, max(limits.disk, 256 << 20), limits.output, PROCESSES)
    return in_builder(sandbox, jail_limits, lambda channel: _built_and_run(program, channel, limits))


def in_builder(sandbox: Sandbox, limits: Limits, judge: Callable[[Channel], Verdict]) -> Verdict:
    """What `judge` returns, which talks to command_driver.py in a jail of its own; or what breaking that off means."""
    try:
        jail, channel = start(sandbox, limits, "command_driver.py")
    except SandboxError as error:
        return Verdict(INFRA_ERROR, 0.0, str(error))
    try:
        return judge(channel)
    except (Deadline, LimitExceeded) as error:
        name, why = verdict_of(error)
        return Verdict(name, channel.seconds, why)
    except Ended:  # a candidate cannot end the driver
        return Verdict(INFRA_ERROR, channel.seconds, "the builder in the jail ended")
    finally:
        jail.close()


def _built_and_run(program: Native, channel: Channel, limits: Limits) -> Verdict:
    environment = dict(program.environment)
    for files, commands in ((program.files, program.build), (program.tests, program.link)):
        _write(channel, files)
        for command in commands:
            status, seconds, output, why = _run(channel, command, program.build_seconds, environment)
            if why == OUT_OF_TIME:
                return Verdict(TIMEOUT, seconds, first_lines("the compiler took too long", output))
            if status != 0 or why:
                return Verdict(SYNTAX, seconds, first_lines(f"{command[0]} ended with status {status}", output))
    _asked(channel, "remove", list(program.removed))
    if program.nonce_file:
        _write(channel, {program.nonce_file: program.nonce})
    status, seconds, output, why = _run(channel, program.run, limits.seconds, environment)
    if why == OUT_OF_TIME:
        return Verdict(TIMEOUT, seconds, first_lines("", output))
    if why == TOO_MUCH_OUTPUT:
        return Verdict(FAIL, seconds, first_lines("it printed too much", output))
    if status != 0:
        return Verdict(FAIL, seconds, first_lines(f"it ended with status {status}", output))
    if program.nonce not in output.splitlines():
        return Verdict(FAIL, seconds, first_lines("it ended before the last test", output))
    return Verdict(PASS, seconds)


def _write(channel: Channel, files: Mapping[str, str]) -> None:
    if files:
        channel.begin(_WRITING_S)
        _asked(channel, "write", dict(files))


def _run(
    channel: Channel, command: tuple[str, ...], seconds: float, environment: dict[str, str]
) -> tuple[int | None, float, str, str]:
    """Run a command: (status, seconds, output, why), as command_driver.run says."""
    channel.begin(seconds + _GRACE)
    status, took, output, why = _asked(channel, "run", list(command), seconds, environment)
    return status, float(took), str(output), str(why)


def _asked(channel: Channel, *message: Any) -> Any:
    """The driver's answer. MemoryExceeded or DiskExceeded where it could not do what it was asked."""
    answer = channel.ask(message)
    if answer[0] == "error":
        kind = MemoryExceeded if answer[1] == errno.ENOMEM else DiskExceeded
        raise kind(f"no room in the jail: {answer[2]}")
    return answer
