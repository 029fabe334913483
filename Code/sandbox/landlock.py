"""Landlock, the sandbox for hosts that deny user namespaces.

It comes with a seccomp filter, and for root with a user of its own for every worker. Nothing can be written but pipes and
devices. Of the network Landlock holds TCP alone, so seccomp denies sockets; seccomp denies signals, and newer versions of
Landlock do too. Structures and numbers are those of linux/landlock.h.
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

# the system calls landlock_create_ruleset, landlock_add_rule and landlock_restrict_self
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION: only asks for the version
_PATH_BENEATH = 1  # LANDLOCK_RULE_PATH_BENEATH
_LEAST = 3  # the first version that can deny truncating; Linux 6.2
# LANDLOCK_ACCESS_FS_*
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
# all rights on files that a version knows: version 5 adds ioctl on devices
_ALL_FILES = {3: 0x7FFF, 4: 0x7FFF}
_ALL_FILES_NEWER = 0xFFFF
_ALL_NETWORK = 0x3  # binding and connecting TCP sockets; from version 4 on
_ALL_SCOPES = 0x3  # abstract unix sockets and signals; from version 6 on
_FILTER_MODE = 2  # SECCOMP_MODE_FILTER


def version() -> int:
    """The kernel's Landlock version.

    Raises:
        SandboxError: the kernel has no Landlock, or one that holds too little.
    """
    found = int(libc().syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION))
    if found < _LEAST:
        raise SandboxError(
            f"the kernel's Landlock is {'absent' if found < 1 else f'version {found}'}; expected {_LEAST}"
        )
    return found


class Landlock:
    """See contract.Sandbox. `user` is the uid and gid that jails run as, None for this process's."""

    name = "landlock"

    def __init__(self, view: View, user: int | None) -> None:
        self._view, self._user = view, user
        self.python, self.tasks = str(view.python), 64 if user is not None else 4096
        self.packages = str(view.packages) if view.packages else None
        self._ruleset = _new_ruleset()
        for path in view.readable:
            for shown, whole in _without(path, [hidden for hidden in view.hidden if hidden.is_relative_to(path)]):
                # a folder with something hidden below it can be listed, since importing looks through it
                files = _READ_FILE | _EXECUTE if whole else 0
                self._allow(shown, files | (_READ_DIR if shown.is_dir() else 0))
        for path in view.devices:
            self._allow(path, _READ_FILE | _WRITE_FILE)
        if view.packages is not None:
            self._allow(view.packages, _READ_DIR)  # importing looks through the folder; its files stay unreadable
        self._filters: dict[int, ctypes.Array[ctypes.c_char]] = {}

    @staticmethod
    def version() -> str:
        return f"Landlock {version()}"

    def start(self, command: Sequence[str], limits: Limits) -> Jail:
        program = self._filters.get(limits.processes)
        if program is None:
            code = seccomp_filter(processes=limits.processes, shared=True)
            program = self._filters[limits.processes] = ctypes.create_string_buffer(code, len(code))
        header = struct.pack("@HP", len(program) // 8, ctypes.addressof(program))  # struct sock_fprog
        block = ctypes.create_string_buffer(header, len(header))
        parent = os.getpid()

        def confine() -> None:
            """Runs in the child, between fork and exec."""
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
        """Allow `rights`, bits of LANDLOCK_ACCESS_FS, on a file or on all below a folder; a path that is absent is left out."""
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            rule = struct.pack("=Qi", rights, fd)  # struct landlock_path_beneath_attr
            if libc().syscall(_ADD, self._ruleset, _PATH_BENEATH, rule, 0):
                raise SandboxError(f"Landlock takes no rule for {path}: {os.strerror(ctypes.get_errno())}")
        finally:
            os.close(fd)


def _new_ruleset() -> int:
    """The descriptor of a set of rules that denies all that this kernel's Landlock can deny."""
    found = version()
    files = _ALL_FILES.get(found, _ALL_FILES_NEWER)
    # struct landlock_ruleset_attr; each older version knows fewer of its fields
    rights = struct.pack("=QQQ", files, _ALL_NETWORK if found >= 4 else 0, _ALL_SCOPES if found >= 6 else 0)
    size = 24 if found >= 6 else 16 if found >= 4 else 8
    ruleset = int(libc().syscall(_CREATE, rights, ctypes.c_size_t(size), 0))
    if ruleset < 0:
        raise SandboxError(f"no Landlock rule set can be made: {os.strerror(ctypes.get_errno())}")
    os.set_inheritable(ruleset, False)
    return ruleset


def _without(folder: Path, hidden: list[Path]) -> Iterator[tuple[Path, bool]]:
    """(path, whether its files too) of all that covers a folder except the hidden paths below it.

    This is needed since rules allow, and none can forbid what another one allows.
    """
    if folder in hidden:
        return
    yield folder, not hidden
    for child in sorted(folder.iterdir()) if hidden else ():
        if not child.is_symlink():  # what it points to has rules of its own, or none
            yield from _without(child, [path for path in hidden if path.is_relative_to(child)])
