"""A seccomp filter that denies the system calls of system_calls.py, all of them or some of their uses.

Denied calls fail with EPERM. Calls that are newer than the list, and clone3, whose flags a filter cannot read, fail with
ENOSYS, upon which C libraries take the older call. The filter is a program of classic BPF over struct seccomp_data
(linux/seccomp.h, linux/bpf_common.h).
"""

import platform
import struct

from sandbox.contract import SandboxError
from sandbox.system_calls import FORKS, NEWEST, NUMBERS, PARTLY_DENIED, SHARED

# AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 of linux/audit.h, and the column of system_calls.NUMBERS
_MACHINES = {
    "x86_64": (0xC000003E, 0),
    "aarch64": (0xC00000B7, 1),
}
_CLONE_THREAD = 0x10000
_CLONE_NAMESPACES = 0x7E020000 | 0x80  # CLONE_NEW*
# these send signals to any process
_FCNTL_DENIED = (
    8,  # F_SETOWN
    10,  # F_SETSIG
    15,  # F_SETOWN_EX
)
# All other requests are denied: they change devices, and even files that are open for reading only.
_IOCTL_ALLOWED = (
    0x5401,  # TCGETS, the mode of a terminal
    0x5413,  # TIOCGWINSZ, its size
    0x540F,  # TIOCGPGRP, its process group
    0x541B,  # FIONREAD, bytes to read
    0x5421,  # FIONBIO, non-blocking
    0x5450,  # FIONCLEX, not closed on exec
    0x5451,  # FIOCLEX, closed on exec
    0x802C542A,  # TCGETS2, the mode of a terminal
)
_PRCTL_DENIED = (
    1,  # PR_SET_PDEATHSIG
    22,  # PR_SET_SECCOMP
    35,  # PR_SET_MM
    36,  # PR_SET_CHILD_SUBREAPER
    59,  # PR_SET_SYSCALL_USER_DISPATCH
)
# the memory of sockets is counted by how much one of them may hold
_SETSOCKOPT_DENIED = (
    7,  # SO_SNDBUF
    32,  # SO_SNDBUFFORCE
)
_AF_UNIX = 1
_RLIMIT_CPU = 0
_PERSONALITY_QUERY = 0xFFFFFFFF  # asks for the personality and changes nothing
# bwrap tells by this exit status that a program was killed: a program that ended with it could claim to have been
_KILLED = 128 + 9

# what a filter returns (linux/seccomp.h)
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000  # or'ed with the number of the error
_EPERM, _ENOSYS = 1, 38
# operations of classic BPF
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS: the 32 bits at an offset
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_GREATER_EQUAL = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
# offsets of the fields of struct seccomp_data
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16


def seccomp_filter(*, processes: int, shared: bool) -> bytes:
    """The filter's program, 8 bytes an instruction, as bwrap --seccomp and prctl take it.

    Args:
        processes: how many the jail may have; with 1, forking is denied.
        shared: whether the jail shares its user, process and mount namespaces with everybody else.

    Raises:
        SandboxError: the machine is neither x86_64 nor aarch64.
    """
    if platform.machine() not in _MACHINES:
        raise SandboxError(f"no seccomp filter for {platform.machine()}; expected {' or '.join(_MACHINES)}")
    architecture, column = _MACHINES[platform.machine()]
    numbers = {name: both[column] for name, both in NUMBERS.items()}
    program = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_EQUAL, architecture, 1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
        _instruction(_GREATER_EQUAL, NEWEST + 1, 0, 1),
        _ABSENT,  # the calls of x32 have numbers up there too
    ]
    for name in sorted(numbers.keys() - PARTLY_DENIED):
        if numbers[name] is not None and (shared or name not in SHARED) and (processes == 1 or name not in FORKS):
            program += _if_call(numbers[name], _DENY)
    for name, rule in _rules(processes):
        program += _if_call(numbers[name], *rule)
    return b"".join([*program, _PASS])


def _instruction(operation: int, value: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    """struct sock_filter. A jump is the number of instructions that are left out."""
    return struct.pack("=HBBI", operation, jump_true, jump_false, value)


_PASS = _instruction(_RETURN, _ALLOW)
_DENY = _instruction(_RETURN, _ERRNO | _EPERM)
_ABSENT = _instruction(_RETURN, _ERRNO | _ENOSYS)


def _rules(processes: int) -> list[tuple[str, list[bytes]]]:
    """(system call, instructions that end in a return) for every call of which only some uses are denied."""
    threads_only = [_instruction(_ANY_BIT, _CLONE_THREAD, 1, 0), _DENY] if processes == 1 else []
    namespaces = [_instruction(_ANY_BIT, _CLONE_NAMESPACES, 0, 1), _DENY]
    rules = [
        ("clone3", [_ABSENT]),
        ("clone", [_argument(0), *namespaces, *threads_only, _PASS]),
    ]
    if processes == 1:
        killed = [_argument(0), _instruction(_AND, 0xFF), *_denied((_KILLED,)), _PASS]
        rules += [("exit", killed), ("exit_group", killed)]
    # Limits of another process are denied, and a limit on its own processor time, whose end is SIGKILL: a program must
    # not be able to look as if it had been killed from outside.
    # A null pointer as the new limit only reads the old one.
    null = [_argument(2), _instruction(_EQUAL, 0, 1, 0), _DENY, _argument(2, high=True), _instruction(_EQUAL, 0, 1, 0)]
    processor_time = [_argument(1), _instruction(_EQUAL, _RLIMIT_CPU, 1, 0), _PASS, *null, _DENY, _PASS]
    return [
        *rules,
        ("fcntl", [_argument(1), *_denied(_FCNTL_DENIED), _PASS]),
        ("ioctl", [_argument(1), *_allowed(_IOCTL_ALLOWED), _DENY]),
        ("prctl", [_argument(0), *_denied(_PRCTL_DENIED), _PASS]),
        ("prlimit64", [_argument(0), _instruction(_EQUAL, 0, 1, 0), _DENY, *processor_time]),
        ("setrlimit", [_argument(0), *_denied((_RLIMIT_CPU,)), _PASS]),
        ("personality", [_argument(0), _instruction(_EQUAL, _PERSONALITY_QUERY, 1, 0), _DENY, _PASS]),
        ("setsockopt", [_argument(2), *_denied(_SETSOCKOPT_DENIED), _PASS]),
        ("socketpair", [_argument(0), _instruction(_EQUAL, _AF_UNIX, 1, 0), _DENY, _PASS]),
    ]


def _if_call(number: int | None, *body: bytes) -> list[bytes]:
    """`body` for this system call alone; an architecture without the call has number None."""
    return [_instruction(_EQUAL, number or 0, 0, len(body)), *body]


def _argument(index: int, *, high: bool = False) -> bytes:
    """Load the low or the high 32 bits of an argument: both machines are little-endian."""
    return _instruction(_LOAD, _ARGUMENTS + 8 * index + 4 * high)


def _allowed(values: tuple[int, ...]) -> list[bytes]:
    return [step for value in values for step in (_instruction(_EQUAL, value, 0, 1), _PASS)]


def _denied(values: tuple[int, ...]) -> list[bytes]:
    return [step for value in values for step in (_instruction(_EQUAL, value, 0, 1), _DENY)]
