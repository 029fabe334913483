"""What a language takes to be run here: commands, files, and the packages that have them.

A jail shows /usr and /opt, and runs as a user of its own: what lies in somebody's home is out of its reach.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SEARCHED = "/usr/bin:/bin"  # a jail's PATH
_HOMES = ("/usr", "/opt", "/bin")
_VERSION = re.compile(r"\d+(?:\.\d+)+|\d+")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a language takes: commands (of which the first tells the version), files, and the packages that have them."""

    packages: tuple[str, ...]  # of Debian
    commands: tuple[str, ...]
    files: tuple[str, ...] = ()  # each a pattern of which one path must be there
    version: tuple[str, ...] = ("--version",)
    otherwise: str = ""  # where it comes from if no Debian has a package


TYPESCRIPT = "/usr/share/nodejs/typescript/lib/typescript.js"
STRIPPING_NODE = (22, 13)  # from here on node takes types off itself: module.stripTypeScriptTypes
TOOLCHAINS: dict[str, Toolchain] = {
    "js": Toolchain(("nodejs",), ("node",)),
    "ts": Toolchain(("nodejs", "node-typescript"), ("node",)),
    "sh": Toolchain(("bash",), ("bash",)),
    "cpp": Toolchain(("g++",), ("g++",)),
    "java": Toolchain(("default-jdk", "libjavatuples-java"), ("javac", "java"), ("/usr/share/java/javatuples.jar",)),
    "cs": Toolchain(
        ("mono-mcs", "libmono-system-numerics4.0-cil", "libmono-system-core4.0-cil"),
        ("mcs", "mono"),
        ("/usr/lib/mono/4.5/System.Numerics.dll",),
    ),
    "go": Toolchain(("golang-go",), ("go",), version=("version",)),
    "rs": Toolchain(("rustc",), ("rustc",)),
    "php": Toolchain(("php-cli",), ("php",)),
    "rb": Toolchain(("ruby",), ("ruby",)),
    "pl": Toolchain(("perl", "libtest-deep-perl"), ("perl",), ("/usr/share/perl5/Test/Deep.pm",), ("-e", "print $^V")),
    "lua": Toolchain(("lua5.4", "lua-unit"), ("lua5.4",), ("/usr/share/lua/5.4/luaunit.lua",), ("-v",)),
    "r": Toolchain(("r-base-core",), ("Rscript",)),
    "d": Toolchain(("gdc",), ("gdc",)),
    "jl": Toolchain((), ("julia",), otherwise="install Julia below /opt and link it into /usr/bin"),
    "rkt": Toolchain(("racket",), ("racket",), ("/usr/share/racket/pkgs/rackunit-lib",)),
    "scala": Toolchain(("scala",), ("scalac", "scala"), version=("-version",)),
    "swift": Toolchain((), ("swiftc",), otherwise="install Swift below /opt and link it into /usr/bin"),
}


def missing(language: str) -> str | None:
    """Why programs of a language cannot be run here, with what to install; None if they can. Python always can."""
    if language == "py":
        return None
    toolchain = TOOLCHAINS[language]
    packages = toolchain.packages
    install = toolchain.otherwise or f"install the Debian package{'s' * (len(packages) > 1)} {' '.join(packages)}"
    for command in toolchain.commands:
        if found(command) is None:
            elsewhere = shutil.which(command)
            if elsewhere and not _in_reach(elsewhere):
                return f"{command} is at {elsewhere}, which a jail cannot reach; {install}"
            return f"no {command}; {install}"
    for pattern in toolchain.files:
        if not any(Path("/").glob(pattern[1:])):
            return f"no {pattern}; {install}"
    if language == "ts" and not Path(TYPESCRIPT).exists() and _numbers(version("ts")) < STRIPPING_NODE:
        return f"node {version('ts')} does not take types off; {install}, or node from {'.'.join(map(str, STRIPPING_NODE))} on"
    return None


def version(language: str) -> str:
    """The version of a language's first command as it says itself, "" if it does not."""
    toolchain = TOOLCHAINS[language]
    path = found(toolchain.commands[0])
    if path is None:
        return ""
    said = subprocess.run([path, *toolchain.version], capture_output=True, text=True, timeout=60, check=False)
    match = _VERSION.search(said.stdout + said.stderr)
    return match[0] if match else ""


def found(command: str) -> str | None:
    """Where a command is that a jail can run."""
    path = shutil.which(command, path=SEARCHED)
    return path if path and _in_reach(path) else None


def _in_reach(path: str) -> bool:
    return any(Path(os.path.realpath(path)).is_relative_to(home) for home in _HOMES)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split("."))) if text else ()
