"""The second rung, for hosts that deny user namespaces: Landlock, seccomp, and as root a user of its own.

Nothing can be written but pipes and devices. Landlock holds TCP only, so seccomp denies sockets; signals to other
processes are denied by both. Structures and numbers are those of linux/landlock.h.
"""

import ctypes
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from sandbox.contract import Jail, Limits, SandboxError
from sandbox.jail import ProcessJail
from sandbox.processes import PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, PR_SET_SECCOMP, libc, prctl
from sandbox.seccomp import seccomp_filter
from sandbox.view import View

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls
_VERSION, _PATH_BENEATH = 1, 1
_LEAST = 3  # the version from which truncating is held; Linux 6.2
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ALL_FS = {3: 0x7FFF, 4: 0x7FFF}  # rights on files by version; from 5 on also ioctl on devices
_ALL_NET = 0x3  # bind and connect TCP, from 4 on
_SCOPES = 0x3  # abstract unix sockets and signals, from 6 on
_FILTER_MODE = 2


def version() -> int:
    """The kernel's Landlock version. SandboxError where it has none, or one that holds too little."""
    found = int(libc().syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION))
    if found < _LEAST:
        raise SandboxError(
            f"the kernel's Landlock is {'absent' if found < 1 else f'version {found}'}; expected {_LEAST}"
        )
    return found


class Landlock:
    name = "landlock"

    def __init__(self, view: View, user: int | None) -> None:
        self._view, self._user = view, user
        self.python, self.tasks = str(view.python), 64 if user is not None else 4096
        self.packages = str(view.packages) if view.packages else None
        found = version()
        files = _ALL_FS.get(found, 0xFFFF)
        rights = struct.pack("=QQQ", files, _ALL_NET if found >= 4 else 0, _SCOPES if found >= 6 else 0)
        size = 24 if found >= 6 else 16 if found >= 4 else 8
        self._ruleset = int(libc().syscall(_CREATE, rights, ctypes.c_size_t(size), 0))
        if self._ruleset < 0:
            raise SandboxError(f"no Landlock rule set can be made: {os.strerror(ctypes.get_errno())}")
        os.set_inheritable(self._ruleset, False)
        for path in view.readable:
            for part, whole in _without(path, [hidden for hidden in view.hidden if hidden.is_relative_to(path)]):
                files = (
                    _READ_FILE | _EXECUTE if whole else 0
                )  # importing looks through folders of which a part is hidden
                self._allow(part, files | (_READ_DIR if part.is_dir() else 0))
        for path in view.devices:
            self._allow(path, _READ_FILE | _WRITE_FILE)
        if view.packages is not None:
            self._allow(view.packages, _READ_DIR)  # importing looks through the folder; its files stay unreadable
        self._programs: dict[int, ctypes.Array[ctypes.c_char]] = {}

    @staticmethod
    def version() -> str:
        return f"Landlock {version()}"

    def start(self, command: Sequence[str], limits: Limits) -> Jail:
        program = self._programs.get(limits.processes)
        if program is None:
            code = seccomp_filter(processes=limits.processes, shared=True)
            program = self._programs[limits.processes] = ctypes.create_string_buffer(code, len(code))
        header = struct.pack("@HP", len(program) // 8, ctypes.addressof(program))  # struct sock_fprog
        block = ctypes.create_string_buffer(header, len(header))
        parent = os.getpid()

        def confine() -> None:
            if self._user is not None:
                os.setgroups([])
                os.setresgid(self._user, self._user, self._user)
                os.setresuid(self._user, self._user, self._user)
            prctl(PR_SET_PDEATHSIG, 9)  # after the change of user, which takes it back
            if os.getppid() != parent:
                os._exit(1)
            prctl(PR_SET_NO_NEW_PRIVS, 1)
            if libc().syscall(_RESTRICT, self._ruleset, 0):
                raise OSError(ctypes.get_errno(), "landlock_restrict_self")
            if libc().prctl(PR_SET_SECCOMP, ctypes.c_ulong(_FILTER_MODE), block, 0, 0):
                raise OSError(ctypes.get_errno(), "seccomp")

        return ProcessJail(command, self._view.environment, confine=confine)

    def _allow(self, path: Path, rights: int) -> None:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            rule = struct.pack("=Qi", rights, place)
            if libc().syscall(_ADD, self._ruleset, _PATH_BENEATH, rule, 0):
                raise SandboxError(f"Landlock takes no rule for {path}: {os.strerror(ctypes.get_errno())}")
        finally:
            os.close(place)


def _without(folder: Path, hidden: list[Path]) -> Iterator[tuple[Path, bool]]:
    """What covers a folder but the hidden ones below it, since rules can allow, not forbid: (path, with its files)."""
    if folder in hidden:
        return
    yield folder, not hidden
    for part in sorted(folder.iterdir()) if hidden else ():
        if not part.is_symlink():  # what it points to has a rule of its own, or none
            yield from _without(part, [path for path in hidden if path.is_relative_to(part)])
