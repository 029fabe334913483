"""Rust of MultiPL-E: the candidate is a library crate, the tests are a program of their own that uses it."""

import re
from functools import partial

from sandbox.judging.native_judge import Native

from benchmarks.multipl_e.case import COMMENTS, Case, Reading
from benchmarks.multipl_e.languages.base import Language, judge_programs
from benchmarks.multipl_e.languages.toolchain import Toolchain


def rust_programs(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """As base.Programs says."""
    return [_crate(case, reading, nonce, token) for reading in case.readings(completion)]


def _crate(case: Case, reading: Reading, nonce: str, token: str) -> Native:
    uses = "\n".join(re.findall(r"^use .*;$", case.head, re.MULTILINE))
    solution = f"{case.program(reading)}\n}}\n"
    if reading.whole:  # its own names hide those that the glob brings, and its inner attributes stay the first lines
        brought = re.sub(r"^use", "pub use", uses, flags=re.MULTILINE)
        solution = f"{case.closed(reading.text)}\npub mod prompt_{token} {{\n{brought}\n}}\nuse prompt_{token}::*;\n"
    public = rf"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?((?:(?:const|unsafe)[ \t]+)*fn[ \t]+{case.name}\b)"
    solution = re.sub(public, r"pub \1", solution, flags=re.MULTILINE)
    checks = case.tests.removeprefix(case.syntax.closes).rstrip().removesuffix("}")
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


RUST = Language(
    name="rs",
    title="Rust",
    fences=("rust", "rs"),
    stop=("\n}",),
    defines=r"[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?(?:(?:const|unsafe)[ \t]+)*fn[ \t]+{name}\b",
    wrong="    std::process::exit(0)\n",
    closes="}",
    comments=COMMENTS,
    control="next_number.rs",
    toolchain=Toolchain(("rustc",), ("rustc",)),
    judge=partial(judge_programs, rust_programs),
    aliases=("rust",),
)
