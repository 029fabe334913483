"""What is made once, in /var/tmp, and jails only read: what compilers prepare, and a copy of the interpreter."""

import importlib.util
import os
import shutil
import stat
import sys
import sysconfig
from hashlib import blake2b
from pathlib import Path

from seedkit.errors import RunError

from sandbox.contract import SandboxError

NUMPY = ("numpy", "numpy.libs")  # what graded programs may import besides the standard library
_PREPARED = "/var/tmp/instructiondata-toolchains"  # followed by the user's number
_INTERPRETER = "/var/tmp/instructiondata-python"  # followed by its version and a fingerprint
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
    """The folder of a copy of the interpreter that every user can read, made once by root.

    It holds bin/, lib/, and numpy in packages/, where this interpreter has it. `home` is the interpreter's sys.base_prefix.

    Raises:
        SandboxError: it cannot be made, or somebody else than root could have put something into it.
    """
    stamp = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    copy = Path(f"{_INTERPRETER}-{stamp}-{abs(_fingerprint(home)):x}")
    if not copy.is_dir():
        partial = copy.with_name(f"{copy.name}.{os.getpid()}.partial")
        old = os.umask(0o022)
        try:
            shutil.copytree(home / "lib", partial / "lib", ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
            (partial / "bin").mkdir()
            python = interpreter()
            shutil.copy2(python, partial / "bin" / python.name)
            _copy_numpy(partial / "packages")
            partial.chmod(0o755)
            partial.rename(copy)
        except OSError as error:
            if not copy.is_dir():  # another run may have been faster
                raise SandboxError(f"{copy}: no copy of the interpreter can be made: {error}") from None
        finally:
            os.umask(old)
            shutil.rmtree(partial, ignore_errors=True)
    if not _only_writable_by(copy, 0):
        raise SandboxError(f"{copy}: expected a folder that only root can write to; remove it")
    return copy


def _only_writable_by(folder: Path, user: int) -> bool:
    """Whether this is a folder, and no link to one, that belongs to `user` and that nobody else can write to."""
    facts = folder.lstat()
    return facts.st_uid == user and stat.S_ISDIR(facts.st_mode) and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _copy_numpy(folder: Path) -> None:
    spec = importlib.util.find_spec("numpy")
    for location in spec.submodule_search_locations or [] if spec else []:
        for name in NUMPY:
            if (source := Path(location).parent / name).is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("tests"))


def _fingerprint(home: Path) -> int:
    """A number that differs between two installations, and between one before and after an update."""
    spec = importlib.util.find_spec("numpy")
    seen = [str(home), sys.version, sysconfig.get_platform(), str(spec.origin if spec else None)]
    seen += [str(Path(path).stat().st_mtime_ns) for path in (home / "lib", spec.origin if spec else home) if path]
    return int.from_bytes(blake2b("\0".join(seen).encode(), digest_size=6).digest(), "big")
