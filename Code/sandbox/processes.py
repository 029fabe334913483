"""Finding, measuring, killing and reaping the processes below this one, and what of prctl that takes."""

import ctypes
import os
import signal
import time
from functools import cache
from pathlib import Path

from sandbox.contract import SandboxError, Usage

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
_PAGE = os.sysconf("SC_PAGE_SIZE")


@cache
def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> None:
    """One call of prctl(2) with one argument. Raises OSError where the kernel refuses."""
    if libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def die_with(parent: int) -> None:
    """From now on this process is killed when its parent ends; `parent` is the pid that its parent must still have."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Make processes whose parent was killed children of this process, so that they can be found and ended."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def children(pid: int) -> list[int]:
    """The pids of direct children; none where the process is gone.

    Raises:
        SandboxError: the kernel lists no children (it is built without CONFIG_PROC_CHILDREN, or /proc is not mounted).
    """
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    except (FileNotFoundError, ProcessLookupError):
        if not Path("/proc/self/task").is_dir() or not Path(f"/proc/self/task/{os.getpid()}/children").exists():
            raise SandboxError("/proc/PID/task/TID/children: expected it, to find what a program started") from None
    return found


def descendants(pids: list[int]) -> list[int]:
    """These processes and all below them."""
    found: list[int] = []
    todo = list(pids)
    while todo:
        found.append(pid := todo.pop())
        todo += children(pid)
    return found


def usage(pids: list[int]) -> Usage:
    """What these processes and all below them use."""
    pages, waited = 0, 0
    found = descendants(pids)
    for pid in found:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
            waited = max(waited, int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[1]))
        except (FileNotFoundError, ProcessLookupError, IndexError):  # gone, or a kernel that does not count
            continue
    return Usage(pages * _PAGE, _files(found[-1]), waited / 1e9)


def _files(pid: int) -> int:
    """How many files are in the /tmp that a process sees, 0 if that is our own. A limit in bytes does not bound empty files."""
    folder = os.path.join("/proc", str(pid), "root", "tmp")
    try:
        if os.stat(folder).st_dev == os.stat("/tmp").st_dev:
            return 0
        facts = os.statvfs(folder)
    except OSError:  # gone, or another user's
        return 0
    return facts.f_files - facts.f_ffree


def end(pids: list[int], others: set[int], timeout_s: float = 5) -> dict[int, int]:
    """Kill `pids`, all processes below them, and their orphans, which this process has adopted.

    Args:
        pids: children of this process.
        others: children of this process that are left alone.
        timeout_s: how long to try.

    Returns:
        The wait status of every child that ended, by pid.

    Raises:
        SandboxError: processes are still there after `timeout_s`.
    """
    statuses: dict[int, int] = {}
    deadline = time.monotonic() + timeout_s
    while True:
        own = set(children(os.getpid())) - others
        for pid in reversed(descendants([*own])):  # from the leaves up: an init process takes its namespace with it
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # gone, or an init process that belongs to another user
                pass
        for pid in own:
            try:
                done, status = os.waitpid(pid, 0 if pid in pids else os.WNOHANG)
            except ChildProcessError:
                continue
            if done:
                statuses[pid] = status
        if not set(children(os.getpid())) - others:
            return statuses
        if time.monotonic() > deadline:
            raise SandboxError(f"processes {sorted(own)} do not end")
        time.sleep(0.0005)
