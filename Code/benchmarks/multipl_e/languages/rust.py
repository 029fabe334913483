"""Rust of MultiPL-E: the candidate is a library crate, the tests are a program of their own that uses it."""

import re
from functools import partial

from sandbox.judging.native_judge import Native

from benchmarks.multipl_e.case import COMMENTS, Case, Reading
from benchmarks.multipl_e.languages.base import NONCE_FILE, Language, judge_programs
from benchmarks.multipl_e.languages.toolchain import Toolchain

# Runs before main and whatever the candidate has the linker call: functions of this section stand in the order of linking.
_READ_NONCE = """
static mut NONCE_TOKEN: [u8; 32] = [0; 32];
#[used]
#[link_section = ".preinit_array"]
static FIRST_TOKEN: extern "C" fn() = read_TOKEN;
extern "C" fn read_TOKEN() {
    unsafe { std::io::Read::read_exact(&mut std::fs::File::open("FILE").unwrap(), &mut NONCE_TOKEN).unwrap(); }
    std::fs::remove_file("FILE").unwrap();
}
"""


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
    read = _READ_NONCE.replace("TOKEN", token).replace("FILE", NONCE_FILE)
    tests = (
        f"#![allow(unused)]\nextern crate {crate};\nuse {crate}::{case.name};\n{uses}\n{read}{checks}"
        f"    use std::io::Write;\n    let out = std::io::stdout();\n    let mut out = out.lock();\n"
        f'    out.write_all(b"\\n").unwrap();\n    out.write_all(unsafe {{ &NONCE_{token} }}).unwrap();\n'
        '    out.write_all(b"\\n").unwrap();\n    out.flush().unwrap();\n}\n'
    )
    compiler = ("rustc", "-A", "warnings", "-C", "debuginfo=0")
    return Native(
        files={"solution.rs": solution},
        build=((*compiler, "--crate-type", "rlib", "--crate-name", crate, "solution.rs"),),
        tests={"tests.rs": tests},
        link=((*compiler, "--extern", f"{crate}=lib{crate}.rlib", "tests.rs", "-o", "tests"),),
        nonce_file=NONCE_FILE,
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
