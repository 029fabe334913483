"""C++ of MultiPL-E: candidate and tests are compiled apart, and only one function of the candidate's object stays visible.

So no macro, operator, specialisation or other function of the candidate reaches the tests. Headers are compiled once, in a
folder that jails can read and not write; a jail that does not see it compiles them itself, which is slower.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from sandbox.judging.native_judge import Native
from sandbox.prepared import prepared
from seedkit.errors import RunError

from benchmarks.multipl_e.case import COMMENTS, Case, outside_strings
from benchmarks.multipl_e.languages.base import NONCE_FILE, Language, judge_programs
from benchmarks.multipl_e.languages.toolchain import Toolchain, found

STANDARD = "-std=c++17"  # as the authors' harness
_FLAGS = ("-O0", "-w", STANDARD)
_ALL, _TESTS = "bits/stdc++.h", "multipl_e_tests.h"
# what most programs take of bits/stdc++.h: a third of the time to load
_COMMON = """\
cassert cctype climits cmath csignal cstdint cstdio cstdlib cstring algorithm any array bitset deque functional iomanip iostream limits
list map numeric optional queue set sstream stack string tuple unordered_map unordered_set utility variant vector
"""
_NEEDED_BY_TESTS = "any cstdio cstdlib map optional string tuple vector"
_TOOLCHAIN = Toolchain(("g++",), ("g++",))
_HEADERS = {  # folder -> (header, what it includes; None is the compiler's own)
    "common": (_ALL, _COMMON.split()),
    "all": (_ALL, None),
    "tests": (_TESTS, _NEEDED_BY_TESTS.split()),
}


def cpp_programs(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """The ways to join a completion with what the prompt declares, as base.Programs says."""
    return [
        _program(case, reading.text, way, nonce, token)
        for reading in case.readings(completion)
        for way in ((_in_a_namespace, _renamed) if reading.whole else (_joined,))
    ]


def _program(case: Case, completion: str, way: "Way", nonce: str, token: str) -> Native:
    head = "\n".join(line for line in case.head.split("\n") if not line.startswith(("//", "#include")))
    declaration = case.signature.strip().removesuffix("{").rstrip()
    headers = _headers()
    folders = {name: f"-I{headers}/{name}" for name in _HEADERS} if headers else {}
    words = " ".join(("g++", *_FLAGS, "-c", "solution.cpp", "-o", "all.o"))
    build = f"{words} {folders['common']} 2>/dev/null || {words} {folders['all']}" if headers else words
    # groups first, or a linker could take the tests' copy of a template for the candidate's, which is hidden
    hide = f"objcopy -w '--keep-global-symbol=_Z{len(case.name)}{case.name}*' whole.o solution.o"
    tests_header = [folders["tests"]] if headers else []
    link = ("g++", *_FLAGS, *tests_header, "tests.cpp", "solution.o", "-fuse-ld=gold", "-o", "tests")
    return Native(
        files={"solution.cpp": way(case, completion, head, declaration, token)},
        build=(("sh", "-c", f"({build}) && ld -r --force-group-allocation all.o -o whole.o && {hide}"),),
        tests={"tests.cpp": _tests(case, head, declaration, token)},
        link=(link,),
        nonce_file=NONCE_FILE,
        run=("./tests",),
        nonce=nonce,
        removed=("solution.cpp", "tests.cpp", "all.o", "whole.o", "solution.o"),
    )


# Runs before all constructors, of which the candidate may have some: functions of this section stand in the order of linking.
_READ_NONCE = """
static char nonce_TOKEN[33];
static void read_TOKEN() {
    auto file = std::fopen("FILE", "r");
    std::setbuf(file, nullptr);
    std::fread(nonce_TOKEN, 1, 32, file);
    std::fclose(file);
    std::remove("FILE");
}
__attribute__((section(".preinit_array"), used)) static void (*first_TOKEN)() = read_TOKEN;
"""


def _tests(case: Case, head: str, declaration: str, token: str) -> str:
    """The tests with a check of their own in place of assert, which the candidate cannot name."""
    checks = outside_strings(case.tests.removeprefix(case.syntax.closes), r"\bassert\(", f"CHECK_{token}(")
    checks = f"{checks.rstrip().removesuffix('}')}    std::putchar(10);\n    std::puts(nonce_{token});\n    std::fflush(stdout);\n    return 0;\n}}\n"
    includes = "".join(f"#include <{name}>\n" for name in _NEEDED_BY_TESTS.split())
    if "std::" in head + declaration + case.tests:
        includes = f"#if __has_include(<{_TESTS}>)\n#include <{_TESTS}>\n#else\n{includes}#endif\n"
    else:
        includes = "#include <cstdio>\n#include <cstdlib>\n"
    read = _READ_NONCE.replace("TOKEN", token).replace("FILE", NONCE_FILE)
    return (
        f"{includes}{read}{head}\n{declaration};\n#define CHECK_{token}(passed) do {{ if (!(passed)) {{ std::fputs(#passed, stderr); "
        f"std::abort(); }} }} while (0)\n{checks}"
    )


Way = Callable[[Case, str, str, str, str], str]  # (case, completion, head, declaration, token) -> solution.cpp


def _joined(case: Case, completion: str, head: str, declaration: str, token: str) -> str:
    return f"#include <{_ALL}>\n{case.prompt}{completion}\n}}\n"


def _in_a_namespace(case: Case, completion: str, head: str, declaration: str, token: str) -> str:
    """The program in a namespace, where its types clash with nothing; the declared function converts what it hands on."""
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
    """The program with its function renamed, for what no namespace can hold.

    That is a specialisation in std, the prompt's own types, or an include under a condition.
    """
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
    """The names of a function's parameters: the last word before each comma that stands in no bracket, and at the end."""
    inner = declaration[declaration.index("(") + 1 : declaration.rindex(")")]
    declared, depth = [""], 0
    for letter in inner:
        depth += (letter in "<([") - (letter in ">)]")
        if letter == "," and depth == 0:
            declared.append("")
        else:
            declared[-1] += letter
    return [words[-1] for one in declared if (words := re.findall(r"\w+", one))]


def _compilers_own(header: str) -> str:
    """The path of a header that comes with the compiler."""
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
    folder = prepared() / f"cpp-{_TOOLCHAIN.version()}"
    if folder.is_dir():
        return folder
    partly = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    try:
        for name, (header, included) in _HEADERS.items():
            path = partly / name / header
            path.parent.mkdir(parents=True)
            if included:
                path.write_text("#pragma once\n" + "".join(f"#include <{name}>\n" for name in included))
            else:
                shutil.copyfile(_compilers_own(header), path)
            command = [found("g++") or "g++", *_FLAGS, "-x", "c++-header", str(path), "-o", f"{path}.gch"]
            done = subprocess.run(command, capture_output=True, check=False, cwd=partly, umask=0o022)
            if done.returncode:
                return None
        for path in (partly, *partly.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        partly.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # another worker may have been faster
            raise RunError(f"{folder}: {error}") from None
    finally:
        shutil.rmtree(partly, ignore_errors=True)
    return folder


CPP = Language(
    name="cpp",
    title="C++",
    fences=("cpp", "c++", "cc"),
    stop=("\n}",),
    # a type, and then the name
    defines=r"(?!return\b|else\b|new\b|throw\b)\w[^\n(;={{}}]*[ \t>*&\]]{name}[ \t]*\(",
    wrong="    std::exit(0);\n",
    closes="}",
    typed=True,
    comments=COMMENTS,
    control="next_number.cpp",
    toolchain=_TOOLCHAIN,
    judge=partial(judge_programs, cpp_programs),
)
