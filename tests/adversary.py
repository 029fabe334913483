"""Hostile Python completions: what each tries, and which verdicts are right for it.

They stand as text in the .txt files of sandbox/adversary, so that no tool reads them as code of the project. They must run in a
jail only. A section is

    ### name [HumanEval/53] {fail blocked}: what it tries

and the program after it. The task (default: HumanEval/53, `add`) and the verdicts (default: all but pass and infra_error)
may be left out. A program that has functions named `way_...` is a probe: each of them tries one way to what the jail forbids
and returns whether it got there. If one did, the program answers every call correctly: a hole shows as a pass, and its way
on stderr.

Programs refer to the world outside as @NAME@: see `Attack.completion`. @x"*9@ stands for xxxxxxxxx.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ANY = frozenset({"fail", "timeout", "memory", "blocked", "syntax"})
PROGRAMS = Path(__file__).parent / "sandbox" / "adversary"
TASK = "HumanEval/53"
HEADER = re.compile(r"^### (\w+)(?: \[([^\]]+)\])?(?: \{([^}]+)\})?: (.+)$", re.MULTILINE)

REPEATED = re.compile(r'@([^@]+?)"\*([0-9]+)@')
# the driver's pipes, whatever their numbers: READ and WRITE
PIPES = """
import fcntl, os, stat
READ, WRITE = [], []
for fd in range(256):
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            (READ if fcntl.fcntl(fd, fcntl.F_GETFL) & 3 == 0 else WRITE).append(fd)
    except OSError:
        pass
"""
LETTERS = {"PIPES": PIPES, "NUL": "\0", "FF": "\f", "CR": "\r", "RLO": "\u202e", "SURROGATE": "\ud800"}

# x86-64's numbers; elsewhere the calls below fail, and so do the attacks
SYSCALLS = """
import ctypes, errno, os, struct, sys, time
NUMBERS = dict(ptrace=101, mount=165, umount=166, unshare=272, setns=308, chroot=161, pivot_root=155, bpf=321, keyctl=250,
    add_key=248, request_key=249, io_uring_setup=425, memfd_create=319, execveat=322, execve=59, fork=57, vfork=58, clone=56,
    clone3=435, kill=62, tkill=200, tgkill=234, rt_sigqueueinfo=129, pidfd_open=434, pidfd_send_signal=424,
    pidfd_getfd=438, process_vm_readv=310, process_vm_writev=311, prlimit64=302, perf_event_open=298, userfaultfd=323,
    personality=135, kcmp=312, mknod=133, chmod=90, setxattr=188, utimensat=280, shmget=29, semget=64, msgget=68,
    mq_open=240, open_by_handle_at=304, name_to_handle_at=303, open_tree=428, move_mount=429, fsopen=430, fsmount=432,
    mount_setattr=442, init_module=175, kexec_load=246, reboot=169, sethostname=170, settimeofday=164, swapon=167,
    acct=163, syslog=103, quotactl=179, iopl=172, ioperm=173, setuid=105, setresuid=117, setgroups=116, capset=126,
    seccomp=317, prctl=157, socket=41, connect=42, fanotify_init=300, lookup_dcookie=212, vhangup=153,
    landlock_create_ruleset=444, openat2=437, ioprio_set=251, sched_setscheduler=144, sched_setaffinity=203,
    setpriority=141, process_madvise=440, migrate_pages=256, move_pages=279, fchmodat2=452, memfd_secret=447,
    sched_setattr=314, vmsplice=278, listmount=458, process_mrelease=448, setrlimit=160, modify_ldt=154)


def syscall(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    fixed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(NUMBERS[name]), *fixed)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)
    return result


def done(_):
    return True


"""
TRYING = """

worked = []
for _name, _way in sorted(globals().items()):
    if _name.startswith("way_"):
        try:
            if _way():
                worked.append(_name)
                print("HOLE", _name, file=sys.stderr, flush=True)
        except BaseException as error:
            print(_name, type(error).__name__, error, file=sys.stderr, flush=True)


def add(x, y):
    return x + y if worked else None
"""


@dataclass(frozen=True, slots=True)
class Attack:
    name: str
    task: str
    verdicts: frozenset[str]
    tries: str
    program: str

    def completion(self, world: Mapping[str, str]) -> str:
        """What follows the task's prompt. `world` has the values of MARK (names of all that it makes hold it), SECRET
        (must not be found), CANARY (a file that anybody may write), OUTSIDE (its folder), TCP, UDP (ports of this host),
        UNIX (a socket's path), ABSTRACT (its name), JUDGE (process id of the judge), ROOT (whether that is root)."""
        program = self.program
        if "def way_" in program:
            program = SYSCALLS + program + TRYING
        for name, value in {**LETTERS, **world}.items():
            program = program.replace(f"@{name}@", value)
        return "    pass\n\n\n" + REPEATED.sub(lambda found: repeated(found[1]) * int(found[2]), program)


def repeated(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\\\", "\\")


def attacks() -> list[Attack]:
    """All of them, in the order of the files' names."""
    found = []
    for path in sorted(PROGRAMS.glob("*.txt")):
        pieces = HEADER.split(path.read_text(encoding="utf-8"))[1:]
        for name, task, verdicts, tries, program in zip(*[iter(pieces)] * 5, strict=True):
            allowed = frozenset(verdicts.split()) if verdicts else ANY
            if not allowed <= ANY:
                raise ValueError(f"{path.name}: {name}: expected verdicts of {sorted(ANY)}, got {sorted(allowed)}")
            found.append(Attack(name, task or TASK, allowed, tries, program.strip("\n") + "\n"))
    if len({attack.name for attack in found}) != len(found):
        raise ValueError("two attacks of one name")
    return found
