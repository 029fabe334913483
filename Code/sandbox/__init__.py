"""The sandboxes, the better one first, and the choice to have none."""

import os
import platform
from pathlib import Path

from sandbox.bubblewrap import Bubblewrap
from sandbox.contract import Sandbox, SandboxError
from sandbox.jail import Plain
from sandbox.landlock import Landlock
from sandbox.processes import adopt_orphans
from sandbox.view import python_view

SANDBOXES: dict[str, type[Bubblewrap] | type[Landlock]] = {"bubblewrap": Bubblewrap, "landlock": Landlock}
UNSAFE = "none"
_USERS = 1_900_000_000  # the first of the uids that root's workers run jails as: no machine has users with such numbers


def make(name: str, slot: int = 0, *, toolchains: bool = False) -> Sandbox:
    """A sandbox for one worker process.

    Args:
        name: a key of SANDBOXES, or UNSAFE.
        slot: the worker's number: as root, jails of different workers run as different users.
        toolchains: whether jails see /usr with its compilers. These write files, which only bubblewrap lets a jail do.

    Raises:
        SandboxError: this machine cannot have it.
    """
    if platform.system() != "Linux":
        raise SandboxError(f"expected Linux, got {platform.system()}")
    adopt_orphans()
    if name == UNSAFE:
        return Plain(python_view(None))
    if toolchains and name != Bubblewrap.name:
        raise SandboxError(f"in {name} nothing can write files, which compilers do; expected {Bubblewrap.name}")
    user = _user(slot) if os.getuid() == 0 else None
    return SANDBOXES[name](python_view(user, toolchains=toolchains), user)


def version(name: str) -> str:
    """The version of what makes the jails, for the summary of a run. SandboxError where this machine has none."""
    return "none" if name == UNSAFE else SANDBOXES[name].version()


def _user(slot: int) -> int | None:
    """A uid for this worker of this run that root's user namespace knows; resource limits count by uid.

    None for a root that is an ordinary user outside of its namespace: that namespace knows no other user.
    """
    number = os.getppid() % 4096 * 64 + slot
    maps = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    if len(maps) == 1 and maps[0][2] == 1 and maps[0][1] != 0:
        return None
    for first, _, count in maps:
        if first <= _USERS < first + count - 2**20:
            return _USERS + number
        if count > 8192:
            return first + count - 4096 + number % 2048
    raise SandboxError("no user to run jails as: root's user namespace knows too few; run as an ordinary user")
