"""The seccomp filter, run by a small interpreter of classic BPF for both machines."""

import platform
import struct

import pytest
from sandbox.contract import SandboxError
from sandbox.seccomp import seccomp_filter
from sandbox.system_calls import NUMBERS, PARTLY_DENIED

ALLOWED, DENIED, ABSENT, KILLED = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


def result(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the filter returns for a system call."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(arguments + (0,) * 6)[:6])
    steps = list(struct.iter_unpack("<HBBI", program))
    at = accumulator = 0
    while True:
        operation, jump_true, jump_false, value = steps[at]
        at += 1
        if operation == 0x06:
            return int(value)
        if operation == 0x20:
            accumulator = struct.unpack_from("<I", data, value)[0]
        elif operation == 0x54:
            accumulator &= value
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[operation]
            at += jump_true if holds else jump_false


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """(its number for the kernel, its column in NUMBERS)"""
    monkeypatch.setattr(platform, "machine", lambda: request.param)
    return MACHINES[request.param]


@pytest.mark.parametrize("processes", [1, 256])
@pytest.mark.parametrize("shared", [False, True])
def test_every_call_that_is_listed_is_denied(machine: tuple[int, int], processes: int, shared: bool) -> None:
    program = seccomp_filter(processes=processes, shared=shared)
    architecture, column = machine
    some = {
        "kill": shared,
        "chmod": shared,
        "fork": processes == 1,
        "vfork": processes == 1,
        "ptrace": True,
        "bpf": True,
    }
    for name, denied in some.items():
        if (number := NUMBERS[name][column]) is not None:
            assert result(program, architecture, number) == (DENIED if denied else ALLOWED), name
    for name, numbers in NUMBERS.items():
        if name not in PARTLY_DENIED and numbers[column] is not None and shared and processes == 1:
            assert result(program, architecture, numbers[column] or 0) == DENIED, name


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (0x10000,), ALLOWED),  # a thread
        ("clone", (0,), DENIED),
        ("clone", (0x10000 | 0x10000000,), DENIED),  # a user namespace
        ("clone3", (), ABSENT),
        ("exit", (0,), ALLOWED),
        ("exit_group", (137,), DENIED),
        ("exit_group", (256 + 137,), DENIED),
        ("fcntl", (3, 8), DENIED),
        ("fcntl", (3, 3), ALLOWED),
        ("ioctl", (0, 0x5401), ALLOWED),
        ("ioctl", (0, 0x5412), DENIED),
        ("prctl", (22,), DENIED),
        ("prctl", (15,), ALLOWED),
        ("prlimit64", (0, 7, 0x1000), ALLOWED),
        ("prlimit64", (0, 0, 0x1000), DENIED),
        ("prlimit64", (0, 0, 1 << 32), DENIED),
        ("prlimit64", (0, 0, 0), ALLOWED),  # only asks
        ("prlimit64", (1, 7, 0), DENIED),
        ("setrlimit", (0,), DENIED),
        ("setrlimit", (7,), ALLOWED),
        ("personality", (0xFFFFFFFF,), ALLOWED),
        ("personality", (0x40000,), DENIED),
        ("setsockopt", (3, 1, 7), DENIED),
        ("setsockopt", (3, 1, 32), DENIED),
        ("setsockopt", (3, 1, 20), ALLOWED),
        ("socketpair", (1,), ALLOWED),
        ("socketpair", (2,), DENIED),
    ],
)
def test_some_uses_of_a_call_are_denied(
    machine: tuple[int, int], name: str, arguments: tuple[int, ...], expected: int
) -> None:
    architecture, column = machine
    program = seccomp_filter(processes=1, shared=False)
    assert result(program, architecture, NUMBERS[name][column] or 0, *arguments) == expected


def test_unknown_calls_are_absent_and_other_architectures_end_the_program(machine: tuple[int, int]) -> None:
    program = seccomp_filter(processes=1, shared=False)
    assert result(program, machine[0], 463) == ABSENT
    assert result(program, machine[0], 0x40000000) == ABSENT  # x32
    assert result(program, 0x40000003, 1) == KILLED  # i386


def test_a_machine_without_a_list_of_calls_has_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(SandboxError, match="riscv64; expected x86_64 or aarch64"):
        seccomp_filter(processes=1, shared=True)
