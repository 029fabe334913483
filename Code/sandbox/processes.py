"""Finding, measuring, killing and reaping the processes below this one, and what of prctl that takes."""

import ctypes
import os
import re
import signal
import time
from functools import cache
from pathlib import Path

from sandbox.contract import SandboxError, Usage

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
_KILOBYTES = re.compile(rb"^Vm(?:RSS|Swap|PTE):\s*(\d+) kB$", re.MULTILINE)  # in /proc/PID/status


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


def usage(pids: list[int], *, network: bool) -> Usage:
    """What these processes and all below them use; `network` says whether they have a network namespace of their own."""
    memory, waited = 0, 0
    found = descendants(pids)
    for pid in found:
        try:
            memory += _memory(pid)
            waited = max(waited, int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[1]))
        except (FileNotFoundError, ProcessLookupError, IndexError):  # gone, or a kernel that does not count
            continue
    if len(found) == 1:  # there is no jail yet, or none any more
        return Usage(memory, 0, waited / 1e9)
    first = found[1]  # of the jail's own, where it has namespaces: it lasts as long as they do
    return Usage(memory + (_sockets(first) if network else 0), _files(first), waited / 1e9)


def _memory(pid: int) -> int:
    """Bytes that a process holds, in memory or swapped out, and those of the page tables for all that it has mapped.

    All threads show the same, but the first shows nothing once it has ended, which is not the end of the others.

    Raises:
        FileNotFoundError: it is gone.
    """
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            facts = Path(f"/proc/{pid}/task/{task}/status").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if found := _KILOBYTES.findall(facts):
            return 1024 * sum(map(int, found))
    return 0


def _sockets(pid: int) -> int:
    """Bytes that may lie unread in the sockets of a process's network namespace: no process has them among its own."""
    try:
        facts = Path(f"/proc/{pid}/net/sockstat").read_bytes()
    except OSError:  # gone
        return 0
    return int(facts.split()[2]) * _unread()


@cache
def _unread() -> int:
    """Bytes that a process may write into a socket before anybody reads them; seccomp denies it to ask for more."""
    try:
        return int(Path("/proc/sys/net/core/wmem_default").read_bytes())
    except OSError:  # a container may hide it
        return 212_992  # the kernel's own default


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
