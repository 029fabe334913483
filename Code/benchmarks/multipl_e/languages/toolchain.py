"""What a language takes to be run here: commands, files, and the packages that have them.

A jail shows /usr without /usr/local, and of /opt and /usr/local what links in /usr/bin lead to. It runs as a user of its own and
cannot reach what lies in a user's home.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SEARCHED = "/usr/bin:/bin"  # a jail's PATH
_SHOWN = ("/usr", "/opt", "/bin")  # folders that a jail shows
_VERSION = re.compile(r"\d+(?:\.\d+)+|\d+")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a language takes: commands (of which the first tells the version), files, and the packages that have them."""

    packages: tuple[str, ...]  # of Debian
    commands: tuple[str, ...]
    files: tuple[str, ...] = ()  # each a pattern of which one path must be there
    version_flags: tuple[str, ...] = ("--version",)
    otherwise: str = ""  # where it comes from if no Debian has a package

    def missing(self) -> str | None:
        """Why programs cannot be run here, with what to install; None if they can."""
        for command in self.commands:
            if found(command) is None:
                elsewhere = shutil.which(command)
                if elsewhere and not _in_reach(elsewhere):
                    return f"{command} is at {elsewhere}, which a jail cannot reach; {self.install()}"
                return f"no {command}; {self.install()}"
        for pattern in self.files:
            if not any(Path("/").glob(pattern[1:])):
                return f"no {pattern}; {self.install()}"
        return None

    def install(self) -> str:
        """What to do where it is missing."""
        plural = "s" * (len(self.packages) > 1)
        return self.otherwise or f"install the Debian package{plural} {' '.join(self.packages)}"

    def version(self) -> str:
        """The version of the first command as it says itself, "" if it does not."""
        path = found(self.commands[0])
        if path is None:
            return ""
        said = subprocess.run([path, *self.version_flags], capture_output=True, text=True, timeout=60, check=False)
        match = _VERSION.search(said.stdout + said.stderr)
        return match[0] if match else ""


def found(command: str) -> str | None:
    """The path of a command that a jail can run; None where there is none."""
    path = shutil.which(command, path=SEARCHED)
    return path if path and _in_reach(path) else None


def _in_reach(path: str) -> bool:
    return any(Path(os.path.realpath(path)).is_relative_to(folder) for folder in _SHOWN)
