"""Go of MultiPL-E: the candidate is a package, the tests are a program of their own that imports it.

The compiler and the linker are called without the go command, which would compile the standard library in every jail.
"""

import os
import re
import subprocess
from functools import cache, partial
from pathlib import Path

from sandbox.judging.native_judge import Native
from sandbox.prepared import prepared

from benchmarks.multipl_e.case import Case, Reading
from benchmarks.multipl_e.languages.base import NONCE_FILE, Language, judge_programs
from benchmarks.multipl_e.languages.toolchain import Toolchain, found

# modules that a prompt imports for the tests, and a line that uses each
_USED = {"testing": "var _ testing.TB", "fmt": "var _ = fmt.Sprint"}


# a package which the candidate's imports, though not under a name that it knows: Go runs this first
_READ_NONCE = """\
package first

import "os"

var Nonce string

func init() {
	text, _ := os.ReadFile("FILE")
	os.Remove("FILE")
	Nonce = string(text)
}
"""


def _brings(text: str, module: str) -> bool:
    """Whether a program imports a module under its own name."""
    lists = re.findall(r"^import[ \t]*\(([^)]*)\)|^import[ \t]+(\"[^\"\n]*\")", text, re.MULTILINE)
    return any(re.search(rf'^[ \t]*"{module}"', line, re.MULTILINE) for line in map("".join, lists))


def go_programs(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """As base.Programs says."""
    return [_program(case, reading, nonce, token) for reading in case.readings(completion)]


def _program(case: Case, reading: Reading, nonce: str, token: str) -> Native:
    package = re.search(r"^package (\w+)", case.prompt, re.MULTILINE)
    name = package[1] if package else "solution"
    library, first = _library(), f"first_{token}"
    compiler = ("go", "tool", "compile", "-complete", "-pack", "-importcfg")
    return Native(
        files={
            "solution.go": _solution(case, reading, name),
            "entry.go": f'package {name}\n\nimport _ "{first}"\n\nvar Entry_{token} = {case.name}\n',
            "first.go": _READ_NONCE.replace("FILE", NONCE_FILE),
            "library": library,
            "linked": f"{library}packagefile solution=solution.a\npackagefile {first}=first.a\n",
        },
        build=(
            (*compiler, "library", "-p", first, "-o", "first.a", "first.go"),
            (*compiler, "linked", "-p", "solution", "-o", "solution.a", "solution.go", "entry.go"),
        ),
        tests={"tests.go": _tests(case, token)},
        link=(
            (*compiler, "linked", "-p", "main", "-o", "tests.a", "tests.go"),
            ("go", "tool", "link", "-s", "-w", "-importcfg", "linked", "-o", "tests", "tests.a"),
        ),
        nonce_file=NONCE_FILE,
        run=("./tests",),
        nonce=nonce,
        removed=("solution.go", "entry.go", "first.go", "tests.go"),
    )


def _solution(case: Case, reading: Reading, package: str) -> str:
    """The candidate's file, with the prompt's imports where it lacks them."""
    solution = f"{case.program(reading)}\n"
    if reading.whole:
        text = re.sub(r"^package \w+", "", reading.text, count=1, flags=re.MULTILINE)
        brought = "".join(
            f'import "{module}"\n' for module in _USED if f'"{module}"' in case.head and not _brings(text, module)
        )
        solution = f"package {package}\n{brought}{text}\n"
    # in the authors' one program the tests use these imports, and Go refuses one that is not used
    return solution + "".join(f"{line}\n" for module, line in _USED.items() if _brings(solution, module))


def _tests(case: Case, token: str) -> str:
    """The tests' table with a main function of its own, which compares as the authors' does: by what %v prints."""
    rows = case.tests[case.tests.index("tests := []test{") : case.tests.index("for i, tc")].rstrip()
    rows = rows[rows.index("{") + 1 :].removesuffix("}").rstrip()
    return (
        f'package main\n\nimport (\n\t"fmt"\n\t"os"\n\tfirst "first_{token}"\n\tsolution "solution"\n)\n\n'
        f"func main() {{\n\tcandidate := solution.Entry_{token}\n\ttype test struct {{\n\t\tactual   interface{{}}\n"
        f"\t\texpected interface{{}}\n\t}}\n\ttests := []test{{{rows}\n\t}}\n\tfor i, tc := range tests {{\n"
        '\t\tactual, expected := fmt.Sprintf("%v", tc.actual), fmt.Sprintf("%v", tc.expected)\n\t\tif actual != expected {\n'
        '\t\t\tfmt.Fprintf(os.Stderr, "test %d: expected %s, got %s\\n", i, expected, actual)\n\t\t\tos.Exit(1)\n\t\t}\n\t}\n'
        '\tfmt.Fprintln(os.Stdout, "\\n"+first.Nonce)\n}\n'
    )


@cache
def _library() -> str:
    """A line for each compiled package of Go's standard library. Go ships them up to 1.19; of later ones they are made once."""
    go = found("go") or "go"
    asked = subprocess.run([go, "env", "GOROOT", "GOOS", "GOARCH"], capture_output=True, text=True, check=True)
    root, system, machine = asked.stdout.split()
    shipped = Path(root).resolve() / "pkg" / f"{system}_{machine}"
    packages = {str(path.relative_to(shipped).with_suffix("")): path for path in sorted(shipped.rglob("*.a"))}
    if "fmt" not in packages:
        environment = {**os.environ, "GOCACHE": str(prepared() / "go"), "CGO_ENABLED": "0", "GOFLAGS": ""}
        form = "{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}"
        command = [go, "list", "-export", "-f", form, "std"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, umask=0o022)
        packages = {name: Path(path) for name, path in (line.split() for line in listed.stdout.splitlines())}
    return "".join(f"packagefile {name}={path}\n" for name, path in packages.items())


GO = Language(
    name="go",
    title="Go",
    fences=("go", "golang"),
    stop=("\nfunc", "struct", "\n// "),
    defines=r"func[ \t]+{name}\b",
    wrong='    panic("wrong")\n}\n',
    control="next_number.go",
    toolchain=Toolchain(("golang-go",), ("go",), version_flags=("version",)),
    judge=partial(judge_programs, go_programs),
    min_seconds=30.0,  # evaluation/src/eval_go.py of the authors, where it is that of build and run together
    aliases=("go_test.go",),
)
