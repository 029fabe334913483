"""Programs that are built first and run beside their tests."""

import shutil
from dataclasses import replace

import pytest
from sandbox.contract import Limits, Sandbox
from sandbox.judging.native_judge import Native, build_and_run


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


def test_tests_and_nonce_come_after_the_candidate_is_built(toolchains: Sandbox) -> None:
    """Neither can be taken in by a compiler, and the nonce is in no file that was there when anything was built."""
    program = Native(
        files={"run.sh": "cat nonce && echo && rm nonce && ! grep -q tests.txt seen && ! grep -q nonce seen later"},
        run=("bash", "run.sh"),
        nonce="NONCE-1",
        build=(("sh", "-c", "ls > seen"),),
        removed=("tests.txt",),
        tests={"tests.txt": "x"},
        link=(("sh", "-c", "test -f tests.txt && ls > later"),),
        nonce_file="nonce",
    )
    assert build_and_run(program, toolchains, Limits(5)).name == "pass"
    inside = replace(program, nonce_file="", files={"run.sh": "test ! -e nonce && echo NONCE-1"})
    assert build_and_run(inside, toolchains, Limits(5)).name == "pass"


def test_other_languages_run(toolchains: Sandbox) -> None:
    if not shutil.which("g++"):
        pytest.skip("no g++")
    source = '#include <cstdio>\nint main() { puts("NONCE-1"); }\n'
    program = Native({"a.cpp": source}, ("./a",), "NONCE-1", (("g++", "a.cpp", "-o", "a"),), ("a.cpp",))
    assert build_and_run(program, toolchains, Limits(5)).name == "pass"
    bad = Native({"a.cpp": "int main( {"}, ("./a",), "NONCE-1", (("g++", "a.cpp", "-o", "a"),))
    found = build_and_run(bad, toolchains, Limits(5))
    assert found.name == "syntax" and "a.cpp" in found.stderr
