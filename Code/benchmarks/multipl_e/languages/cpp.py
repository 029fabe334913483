"""C++ of MultiPL-E: candidate and tests are compiled apart, and of the candidate's object one function is left to be seen.

So no macro, operator, specialisation or function of the candidate's reaches the tests. Headers are compiled once in a folder
that jails only read; where they do not see it, all is the same but slower.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sandbox.judging.native_judge import Native
from sandbox.prepared import prepared
from seedkit.errors import RunError

from benchmarks.multipl_e.case import Case, outside_strings
from benchmarks.multipl_e.languages.toolchain import found, version

STANDARD = "-std=c++17"  # as the authors' harness
_FLAGS = ("-O0", "-w", STANDARD)
_ALL, _TESTS = "bits/stdc++.h", "multipl_e_tests.h"
# what most programs take of bits/stdc++.h: a third of the time to load
_COMMON = """\
cassert cctype climits cmath csignal cstdint cstdio cstdlib cstring algorithm any array bitset deque functional iomanip iostream limits
list map numeric optional queue set sstream stack string tuple unordered_map unordered_set utility variant vector
"""
_NEEDED_BY_TESTS = "any cstdio cstdlib map optional string tuple vector"
_HEADERS = {  # folder -> (header, what it includes; None is the compiler's own)
    "common": (_ALL, _COMMON.split()),
    "all": (_ALL, None),
    "tests": (_TESTS, _NEEDED_BY_TESTS.split()),
}


def cpp_programs(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """`token`: letters that no candidate can know, for names."""
    ways = [
        way for whole in case.readings(completion) for way in ((_in_a_namespace, _renamed) if whole else (_joined,))
    ]
    return [_program(case, completion, way, nonce, token) for way in ways]


def _program(case: Case, completion: str, way: "Way", nonce: str, token: str) -> Native:
    head = "\n".join(line for line in case.head.split("\n") if not line.startswith(("//", "#include")))
    declaration = case.signature.strip().removesuffix("{").rstrip()
    checks = outside_strings(case.tests.removeprefix(case.spoken.closes), r"\bassert\(", f"CHECK_{token}(")
    checks = f'{checks.rstrip().removesuffix("}")}    std::puts("\\n{nonce}");\n    std::fflush(stdout);\n    return 0;\n}}\n'
    own = "".join(f"#include <{name}>\n" for name in _NEEDED_BY_TESTS.split())
    if "std::" in head + declaration + case.tests:
        own = f"#if __has_include(<{_TESTS}>)\n#include <{_TESTS}>\n#else\n{own}#endif\n"
    else:
        own = "#include <cstdio>\n#include <cstdlib>\n"
    tests = (
        f"{own}{head}\n{declaration};\n#define CHECK_{token}(passed) do {{ if (!(passed)) {{ std::fputs(#passed, stderr); "
        f"std::abort(); }} }} while (0)\n{checks}"
    )
    place = _headers()
    folders = {name: f"-I{place}/{name}" for name in _HEADERS} if place else {}
    words = " ".join(("g++", *_FLAGS, "-c", "solution.cpp", "-o", "all.o"))
    build = f"{words} {folders['common']} 2>/dev/null || {words} {folders['all']}" if place else words
    # groups first, or a linker could take the tests' copy of a template for the candidate's that is seen no more
    hide = f"objcopy -w '--keep-global-symbol=_Z{len(case.name)}{case.name}*' whole.o solution.o"
    program = (
        "g++",
        *_FLAGS,
        *([folders["tests"]] if place else []),
        "tests.cpp",
        "solution.o",
        "-fuse-ld=gold",
        "-o",
        "tests",
    )
    return Native(
        files={"solution.cpp": way(case, completion, head, declaration, token), "tests.cpp": tests},
        build=(("sh", "-c", f"({build}) && ld -r --force-group-allocation all.o -o whole.o && {hide}"), program),
        run=("./tests",),
        nonce=nonce,
        removed=("solution.cpp", "tests.cpp", "all.o", "whole.o", "solution.o"),
    )


Way = Callable[[Case, str, str, str, str], str]


def _joined(case: Case, completion: str, head: str, declaration: str, token: str) -> str:
    return f"#include <{_ALL}>\n{case.prompt}{completion}\n}}\n"


def _in_a_namespace(case: Case, completion: str, head: str, declaration: str, token: str) -> str:
    """So that its types clash with nothing; arguments and result are converted as if called."""
    lines = case.closed(completion).split("\n")
    includes = [line for line in lines if re.match(r"\s*#\s*include\b", line)]
    rest = [line for line in lines if not re.match(r"\s*#\s*include\b", line)]
    space = f"solution_{token}"
    return "\n".join(
        (
            f"#include <{_ALL}>",
            *includes,
            head,
            f"namespace {space} {{",
            *rest,
            "}",
            f"{declaration} {{ return {space}::{case.name}({', '.join(parameters(declaration))}); }}",
            "",
        )
    )


def _renamed(case: Case, completion: str, head: str, declaration: str, token: str) -> str:
    """For what no namespace can hold: a specialisation in std, the prompt's own types, an include under a condition."""
    types = re.findall(r"^(?:union|struct|class)\s+(\w+)", head, re.MULTILINE)
    again = any(re.search(rf"\b(?:union|struct|class)\s+{name}\b", completion) for name in types)
    return "\n".join(
        (
            f"#include <{_ALL}>",
            "" if again else head,
            f"#define {case.name} solution_{token}",
            case.closed(completion),
            f"#undef {case.name}",
            f"{declaration} {{ return solution_{token}({', '.join(parameters(declaration))}); }}",
            "",
        )
    )


def parameters(declaration: str) -> list[str]:
    """The names of a function's parameters: the last word of each part between the commas of no bracket."""
    inner = declaration[declaration.index("(") + 1 : declaration.rindex(")")]
    parts, depth = [""], 0
    for letter in inner:
        depth += (letter in "<([") - (letter in ">)]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [found[0] for part in parts if (found := re.findall(r"\w+", part)[-1:])]


def _own(header: str) -> str:
    """Where the compiler has a header."""
    said = subprocess.run(
        [found("g++") or "g++", "-M", "-x", "c++", "-"],
        input=f"#include <{header}>\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return next(word for word in said.stdout.split() if word.endswith(header))


@cache
def _headers() -> Path | None:
    """The folder of compiled headers, made with the first program; None where the compiler makes none."""
    place = prepared() / f"cpp-{version('cpp')}"
    if place.is_dir():
        return place
    partial = place.with_name(f"{place.name}.{os.getpid()}.partial")
    try:
        for folder, (header, included) in _HEADERS.items():
            path = partial / folder / header
            path.parent.mkdir(parents=True)
            if included:
                path.write_text("#pragma once\n" + "".join(f"#include <{name}>\n" for name in included))
            else:
                shutil.copyfile(_own(header), path)
            command = [found("g++") or "g++", *_FLAGS, "-x", "c++-header", str(path), "-o", f"{path}.gch"]
            done = subprocess.run(command, capture_output=True, check=False, cwd=partial, umask=0o022)
            if done.returncode:
                return None
        for path in (partial, *partial.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        partial.rename(place)
    except OSError as error:
        if not place.is_dir():  # another worker may have been faster
            raise RunError(f"{place}: {error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return place
