"""A candidate and its tests as one program, for each language that is judged in the candidate's process.

Where the language has separate units, the tests are one of their own, with a check of their own in place of the language's
assert. The last thing that the tests do is to print a nonce.
"""

import re
from collections.abc import Callable
from pathlib import Path

from sandbox.judging.native_judge import Native

from benchmarks.multipl_e.case import Case
from benchmarks.multipl_e.languages.cpp import cpp_programs
from benchmarks.multipl_e.languages.go import go_programs
from benchmarks.multipl_e.languages.java_csharp import cs_programs, java_programs


def _rs(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    return [_crate(case, completion, whole, nonce, token) for whole in case.readings(completion)]


def _crate(case: Case, completion: str, whole: bool, nonce: str, token: str) -> Native:
    uses = "\n".join(re.findall(r"^use .*;$", case.head, re.MULTILINE))
    solution = f"{case.prompt}{completion}\n}}\n"
    if whole:  # what a glob brings gives way to the program's own, and its first lines stay the first
        brought = re.sub(r"^use", "pub use", uses, flags=re.MULTILINE)
        solution = f"{case.closed(completion)}\npub mod prompt_{token} {{\n{brought}\n}}\nuse prompt_{token}::*;\n"
    public = rf"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?((?:(?:const|unsafe)[ \t]+)*fn[ \t]+{case.name}\b)"
    solution = re.sub(public, r"pub \1", solution, flags=re.MULTILINE)
    checks = case.tests.removeprefix(case.spoken.closes).rstrip().removesuffix("}")
    crate = f"solution_{token}"
    tests = (
        f"#![allow(unused)]\nextern crate {crate};\nuse {crate}::{case.name};\n{uses}\n{checks}"
        f'    use std::io::Write;\n    println!("\\n{nonce}");\n    std::io::stdout().flush().unwrap();\n}}\n'
    )
    compiler = ("rustc", "-A", "warnings", "-C", "debuginfo=0")
    return Native(
        files={"solution.rs": solution, "tests.rs": tests},
        build=(
            (*compiler, "--crate-type", "rlib", "--crate-name", crate, "solution.rs"),
            (*compiler, "--extern", f"{crate}=lib{crate}.rlib", "tests.rs", "-o", "tests"),
        ),
        run=("./tests",),
        nonce=nonce,
        removed=("solution.rs", "tests.rs"),
    )


def _script(
    name: str,
    run: tuple[str, ...],
    told: str,
    *,
    last: tuple[str, str] = ("", ""),
    build: tuple[tuple[str, ...], ...] = (),
) -> "Assemble":
    """One file as the authors join it, and behind it what prints the nonce; `last` replaces a part of the tests."""

    def programs(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
        readings = case.readings(completion) if build else (case.whole(completion),)
        return [program(case.joined(completion, whole), nonce) for whole in readings]

    def program(text: str, nonce: str) -> Native:
        if last[0]:
            at = text.rindex(last[0]) if last[0] in text else len(text)
            text = text[:at] + last[1] + text[at + len(last[0]) :]
        text = f"{text}\n{told}" if told else text
        return Native({name: text.replace("@NONCE@", nonce)}, run, nonce, build, (name,) if build else ())

    return programs


def _rkt(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    text = case.joined(completion)
    start = "" if text.lstrip().startswith("#lang") else "#lang racket\n"
    strict = "(current-check-handler (lambda (failed) (exit 1)))\n(test-humaneval)"  # else a failure is but printed
    text = f'{start}{strict.join(text.rsplit("(test-humaneval)", 1))}\n(displayln "\\n{nonce}")\n'
    # which libraries are there compiled, without which it takes seconds to start; a jail does not see it
    found = Path("/etc/racket/config.rktd")
    files = {"config.rktd": found.read_text(encoding="utf-8")} if found.is_file() else {}
    return [Native({**files, "tests.rkt": text}, ("racket", *(("-G", ".") if files else ()), "tests.rkt"), nonce)]


def _php(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    solution = completion if case.whole(completion) else case.prompt + completion
    start = "" if solution.lstrip().startswith("<?") else "<?php\n"
    tests = f"<?php\nrequire 'solution.php';\n{case.tests}\necho \"\\n{nonce}\\n\";\n"
    return [Native({"solution.php": f"{start}{solution}\n", "tests.php": tests}, ("php", "tests.php"), nonce)]


def _rb(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """The gem test-unit judges by `expected == actual`, and so does this without it; a candidate's own tests are not run."""
    solution = completion if case.whole(completion) else case.prompt + completion
    tests = case.tests.replace("require 'test/unit'", "", 1)
    names = re.findall(r"^class (\w+) < Test::Unit::TestCase\n\s*def (\w+)", tests, re.MULTILINE)
    runs = "\n".join(f"{kind}.new.{method}" for kind, method in names) if names else "raise 'no tests'"
    unit = (
        "module Test\n  module Unit\n    class TestCase\n      def assert_equal(expected, actual)\n"
        "        raise 'Test failed' unless expected == actual\n      end\n    end\n  end\nend\n"
    )
    mini = "module Minitest\n  class Test\n  end\nend\n"
    text = f'require_relative "solution"\n{unit}{tests}\n{runs}\nSTDOUT.puts "\\n{nonce}"\nSTDOUT.flush\n'
    files = {"solution.rb": f"{solution}\n", "tests.rb": text, "test/unit.rb": unit, "minitest/autorun.rb": mini}
    return [Native(files, ("ruby", "-I", ".", "tests.rb"), nonce)]


# the readings of a completion, the likeliest first
Assemble = Callable[[Case, str, str, str], list[Native]]
PROGRAMS: dict[str, Assemble] = {
    "cpp": cpp_programs,
    "java": java_programs,
    "cs": cs_programs,
    "go": go_programs,
    "rs": _rs,
    "php": _php,
    "rb": _rb,
    "pl": _script("tests.pl", ("perl", "tests.pl"), 'print STDOUT "\\n@NONCE@\\n";\n'),
    "lua": _script(
        "tests.lua",
        ("lua5.4", "tests.lua"),
        "",
        last=(
            "os.exit(lu.LuaUnit.run())",
            "local failures = lu.LuaUnit.run()\nif failures == 0 then print('\\n@NONCE@') end\nos.exit(failures)\n",
        ),
    ),
    "r": _script("tests.r", ("Rscript", "--vanilla", "tests.r"), 'cat("\\n@NONCE@\\n")\n'),
    "d": _script(
        "tests.d",
        ("./tests",),
        'unittest { import std.stdio; writeln("\\n@NONCE@"); }\n',
        build=(("gdc", "-funittest", "-w", "tests.d", "-o", "tests"),),
    ),
    "jl": _script("tests.jl", ("julia", "--startup-file=no", "tests.jl"), 'println("\\n@NONCE@")\n'),
    "rkt": _rkt,
    "scala": _script(
        "tests.scala",
        ("scala", "-cp", ".", "Problem"),
        "",
        last=("    }\n\n}", '    println("\\n@NONCE@")\n    }\n\n}'),
        build=(("scalac", "-nowarn", "tests.scala"),),
    ),
    "swift": _script(
        "tests.swift",
        ("./tests",),
        'print("\\n@NONCE@")\n',
        build=(("swiftc", "-Onone", "tests.swift", "-o", "tests"),),
    ),
}
