"""The rungs of isolation, the best first, and the one without any."""

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
_USERS = 1_900_000_000  # users that no machine has; root's workers run jails as these


def make(rung: str, slot: int = 0, *, toolchains: bool = False) -> Sandbox:
    """A sandbox of that rung for worker number `slot`. SandboxError where it cannot be had.

    With `toolchains` it shows /usr. Compilers write files, for which bubblewrap alone has a place.
    """
    if platform.system() != "Linux":
        raise SandboxError(f"expected Linux, got {platform.system()}")
    adopt_orphans()
    if rung == UNSAFE:
        return Plain(python_view(None))
    if toolchains and rung != Bubblewrap.name:
        raise SandboxError(f"{rung} has no place for files, which compilers need; expected {Bubblewrap.name}")
    user = _user(slot) if os.getuid() == 0 else None
    return SANDBOXES[rung](python_view(user, toolchains=toolchains), user)


def version(rung: str) -> str:
    return "none" if rung == UNSAFE else SANDBOXES[rung].version()


def _user(slot: int) -> int | None:
    """A uid for this worker of this run within those that the user namespace knows: limits count by uid.

    None for a root that is an ordinary user outside of its namespace, which knows nobody else.
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
