"""Programs of their own in a jail: standard input to standard output, and languages that are built first."""

import shutil
from collections.abc import Iterator

import pytest
from sandbox import SANDBOXES, make
from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.native_judge import Native, build_and_run
from sandbox.judging.stdin_judge import run_program


@pytest.fixture(scope="module", params=[*SANDBOXES])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    try:
        yield make(request.param)
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("program", "stdin", "verdict", "stdout"),
    [
        ("print(sum(map(int, input().split())))", "1 2 3\n", None, "6\n"),
        ("import sys\nprint(len(sys.stdin.buffer.read()))", "x" * 3_000_000, None, "3000000\n"),
        ("print(open(0).read())", "é", None, "é\n"),
        ("import os\nos.write(1, os.read(0, 9))", "abc", None, "abc"),
        ("print(__name__)", "", None, "__main__\n"),
        ("import sys\nprint(1)\nsys.exit(5)", "", None, "1\n"),
        ("import atexit\natexit.register(print, 'bye')", "never read" * 100_000, None, "bye\n"),
        ("print(1)\n1 / 0", "", "fail", "1\n"),
        ("import os\nprint(1, flush=True)\nos._exit(3)", "", "fail", "1\n"),
        ("input(", "", "syntax", ""),
        ("x = [0] * (1 << 29)", "", "memory", ""),
        ("open('/x', 'w')", "", "blocked", ""),
        ("print('y' * (40 << 20))", "", "fail", None),
        ("while True: pass", "", "timeout", None),
        ("import time\ntime.sleep(60)", "", "timeout", None),
    ],
)
def test_programs_that_read_standard_input(
    sandbox: Sandbox, program: str, stdin: str, verdict: str | None, stdout: str | None
) -> None:
    ran = run_program(program, stdin, sandbox, Limits(0.7 if verdict == "timeout" else 10))
    assert ran.verdict == verdict, ran
    assert stdout is None or ran.stdout == stdout
    assert (verdict is None) == (ran.stderr == "") or verdict == "timeout"


@pytest.fixture(scope="module")
def toolchains() -> Sandbox:
    try:
        return make("bubblewrap", toolchains=True)
    except SandboxError as error:
        pytest.skip(str(error))


def shell(text: str, **more: object) -> Native:
    return Native({"run.sh": text}, ("bash", "run.sh"), "NONCE-1", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("echo one; echo NONCE-1", "pass"),
        ("echo one", "fail"),
        ("echo NONCE-1; exit 1", "fail"),
        ("echo xNONCE-1", "fail"),
        ("exit 0; echo NONCE-1", "fail"),
        ("yes", "fail"),
        ("sleep 60 & disown; echo NONCE-1", "pass"),
        ("sleep 60", "timeout"),
        ("kill -9 1; kill -9 -1; sleep 60", "timeout"),
        (":() { : | : & }; :; sleep 60", "timeout"),
        ("cat /proc/1/environ && cat /proc/1/fd/3 && echo NONCE-1", "fail"),
        ("head -c 500M /dev/zero > /tmp/big && echo NONCE-1", "fail"),
        ("echo x > /usr/x && echo NONCE-1", "fail"),
        ("exec 3<>/dev/tcp/127.0.0.1/22 && echo NONCE-1", "fail"),
        ("a=$(head -c 150M /dev/zero | tr '\\0' x); b=$a$a; sleep 60", "memory"),
    ],
)
def test_a_run_passes_with_status_0_and_the_nonce(toolchains: Sandbox, text: str, verdict: str) -> None:
    limits = Limits(0.7 if verdict == "timeout" else 10, memory=(200 if verdict == "memory" else 1024) << 20)
    found = build_and_run(shell(text), toolchains, limits)
    assert found.name == verdict, found
    assert build_and_run(shell("ls /tmp /tmp/work; echo NONCE-1"), toolchains, limits).name == "pass"


def test_what_is_built_is_gone_before_the_run(toolchains: Sandbox) -> None:
    builds = (("cp", "secret", "copy"), ("test", "-f", "copy"))
    gone = shell("ls; test ! -e secret && test -e copy && echo NONCE-1", build=builds, removed=("secret",))
    assert (
        build_and_run(
            Native({**gone.files, "secret": "x"}, gone.run, gone.nonce, builds, ("secret",)), toolchains, Limits(5)
        ).name
        == "pass"
    )
    failed = build_and_run(shell("echo NONCE-1", build=(("false",),)), toolchains, Limits(5))
    assert failed.name == "syntax" and "false ended with status 1" in failed.stderr
    slow = build_and_run(shell("", build=(("sleep", "9"),), build_seconds=0.5), toolchains, Limits(5))
    assert slow.name == "timeout" and "compiler" in slow.stderr
    none = build_and_run(Native({}, ("no-such-program",), "N"), toolchains, Limits(5))
    assert none.name == "fail" and "no-such-program" in none.stderr


def test_other_languages_run(toolchains: Sandbox) -> None:
    if not shutil.which("g++"):
        pytest.skip("no g++")
    source = '#include <cstdio>\nint main() { puts("NONCE-1"); }\n'
    program = Native({"a.cpp": source}, ("./a",), "NONCE-1", (("g++", "a.cpp", "-o", "a"),), ("a.cpp",))
    assert build_and_run(program, toolchains, Limits(5)).name == "pass"
    bad = Native({"a.cpp": "int main( {"}, ("./a",), "NONCE-1", (("g++", "a.cpp", "-o", "a"),))
    found = build_and_run(bad, toolchains, Limits(5))
    assert found.name == "syntax" and "a.cpp" in found.stderr


def test_compilers_need_a_place_for_files() -> None:
    with pytest.raises(SandboxError, match="bubblewrap"):
        make("landlock", toolchains=True)
