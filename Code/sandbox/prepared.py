"""What is made once, in /var/tmp, and jails only read: what compilers prepare, and copies of the interpreter and of numpy."""

import fcntl
import os
import shutil
import stat
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path

from seedkit.errors import RunError

from sandbox.contract import SandboxError

NUMPY = ("numpy", "numpy.libs")  # what graded programs may import besides the standard library
_PREPARED = "/var/tmp/instructiondata-toolchains"  # followed by the user's number
_COPIES = "/var/tmp/instructiondata-"  # followed by what it is a copy of, which one of those, and in which state
_SOURCE = "copied_from.txt"  # a file in each copy
_PARTIAL = ".partial-"  # follows the name of a copy that is being made, with the number of the process that makes it
# of no use to a graded program, and most of what there is to copy
_NOT_COPIED = (
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idlelib",
    "ensurepip",
    "lib2to3",
    "tkinter",
    "turtledemo",
    "config-*",
    "*.a",
    "python2*",
    "pkgconfig",
)


def prepared() -> Path:
    """This user's folder for what compilers make once, such as precompiled headers; made where it is absent.

    Raises:
        RunError: it cannot be made, or somebody else could have put something into it.
    """
    folder = Path(f"{_PREPARED}-{os.getuid()}")
    old = os.umask(0o022)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder}: {error.strerror}") from None
    finally:
        os.umask(old)
    if not _only_writable_by(folder, os.getuid()):
        raise RunError(f"{folder}: expected a folder that only this user can write to; remove it")
    return folder


def interpreter() -> Path:
    """The file that this process's Python runs from, outside of any virtual environment."""
    return Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))


def interpreter_copy(home: Path) -> Path:
    """The folder of a copy of this interpreter, with bin/ and lib/, that every user can read; made once by root.

    `home` is the interpreter's sys.base_prefix.

    Raises:
        SandboxError: it cannot be made, or somebody else than root could have put something into it.
    """

    def fill(folder: Path) -> None:
        shutil.copytree(home / "lib", folder / "lib", ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
        (folder / "bin").mkdir()
        shutil.copy2(interpreter(), folder / "bin" / interpreter().name)

    version = ".".join(map(str, sys.version_info[:3]))
    state = [sys.version, sysconfig.get_platform(), str((home / "lib").stat().st_mtime_ns)]
    return _copy(f"python-{version}", interpreter(), state, fill)


def numpy_copy(packages: Path) -> Path:
    """The same of the folder that numpy is in, of which nothing else is copied. Raises SandboxError as interpreter_copy does."""

    def fill(folder: Path) -> None:
        for name in NUMPY:
            if (packages / name).is_dir():
                shutil.copytree(packages / name, folder / name, ignore=shutil.ignore_patterns("tests"))

    return _copy("numpy", packages, [str((packages / NUMPY[0] / "__init__.py").stat().st_mtime_ns)], fill)


def _copy(kind: str, source: Path, state: list[str], fill: Callable[[Path], None]) -> Path:
    """The copy of `source` in this state, which `fill` makes where it is absent. There is one of each source: older ones go."""
    which, now = (blake2b("\0".join(texts).encode(), digest_size=4).hexdigest() for texts in ([str(source)], state))
    copy = Path(f"{_COPIES}{kind}-{which}-{now}")
    if not copy.is_dir():
        partial = copy.with_name(f"{copy.name}{_PARTIAL}{os.getpid()}")
        old, lock = os.umask(0o022), -1
        try:
            partial.mkdir()
            lock = _lock(partial)
            fill(partial)
            (partial / _SOURCE).write_text(f"{source}\n", encoding="utf-8")
            partial.rename(copy)
        except OSError as error:
            if not copy.is_dir():  # another run may have been faster
                raise SandboxError(f"{copy}: no copy of {source} can be made: {error}") from None
        finally:
            os.umask(old)
            shutil.rmtree(partial, ignore_errors=True)
            if lock >= 0:
                os.close(lock)
    if not _only_writable_by(copy, 0):
        raise SandboxError(f"{copy}: expected a folder that only root can write to; remove it")
    _use(copy)
    for other in copy.parent.glob(f"{Path(_COPIES).name}*"):
        if other != copy and _is_old(other, source):
            _remove_unused(other)
    return copy


def _is_old(other: Path, source: Path) -> bool:
    """Whether this is an older copy of `source`, a copy of what is no longer there, or one that nobody has finished."""
    try:
        named = Path((other / _SOURCE).read_text(encoding="utf-8").removesuffix("\n"))
    except OSError:  # no copy, or one of a run that was killed
        return other.suffix.startswith(_PARTIAL)
    return named == source or not named.exists()


@cache
def _use(copy: Path) -> None:
    """Tell other runs, as long as this process lives, that it uses the folder."""
    _lock(copy)


def _lock(folder: Path) -> int:
    """A descriptor that tells other runs, as long as it is open, that the folder is used."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    return fd


def _remove_unused(copy: Path) -> None:
    """Remove a copy that is root's and that no run uses."""
    try:
        if not _only_writable_by(copy, 0):
            return
        fd = os.open(copy, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:  # another run was faster
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(copy, ignore_errors=True)
    except BlockingIOError:  # it is used
        pass
    finally:
        os.close(fd)


def _only_writable_by(folder: Path, user: int) -> bool:
    """Whether this is a folder, and no link to one, that belongs to `user` and that nobody else can write to."""
    facts = folder.lstat()
    return facts.st_uid == user and stat.S_ISDIR(facts.st_mode) and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
