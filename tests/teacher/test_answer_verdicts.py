"""Verdicts on answers in the real sandbox: of Python, of other languages, of the teacher's tests."""

from collections.abc import Iterator

import pytest
from benchmarks.multipl_e.languages.registry import missing
from inference.engines import LENGTH, STOP
from sandbox.judging.self_check import choose
from teacher import tests_of_records
from teacher.answer_code import code_of
from teacher.answer_verdicts import AnswerRunner, AnswerToRun, RunSettings
from teacher.tests_of_records import TestProgram, parse_tests


@pytest.fixture(scope="module")
def run() -> Iterator[AnswerRunner]:
    yield AnswerRunner(RunSettings(choose(), 2.0, 512 << 20), 0)


def fenced(code: str, tag: str = "python") -> str:
    return f"Here it is.\n\n```{tag}\n{code}```\n\nIt is fast.\n"


ANSWERS = {
    "runs": (fenced("def f(a):\n    return a\nprint(f(1))\n"), STOP, "runs", ""),
    "runs without fences": ("def f(a):\n    return a\n", STOP, "runs", ""),
    "exits": (fenced("import sys\nsys.exit(3)\n"), STOP, "runs", ""),
    "raises": (fenced("x = 1\nprint(1 / 0)\n"), STOP, "raises", "ZeroDivisionError: division by zero"),
    "wants input": (fenced("print(input())\n"), STOP, "raises", "EOFError: EOF when reading a line"),
    "wants a package": (fenced("import pandas\n"), STOP, "raises", "ModuleNotFoundError: No module named 'pandas'"),
    "forbidden": (fenced("import socket\nsocket.socket()\n"), STOP, "raises", "blocked: PermissionError"),
    "memory": (fenced("x = bytearray(1 << 40)\n"), STOP, "raises", "memory: MemoryError"),
    "an address": (fenced("raise ValueError(object())\n"), STOP, "raises", "ValueError: <object object at 0x...>"),
    "for ever": (fenced("while True: pass\n"), STOP, "times_out", "timeout"),
    "no syntax": (fenced("def f(a:\n    return a\n"), STOP, "syntax_error", "it is not Python"),
    "half": ("```python\ndef f(a):\n    return [a,\n", LENGTH, "truncated", "its tokens ran out"),
    "whole at the limit": (fenced("x = 1\n"), LENGTH, "truncated", "its tokens ran out"),
    "prose": ("I cannot help with that. Sorry!\n", STOP, "no_code", "no code in it"),
    "a word": ("Yes\n", STOP, "no_code", "no code in it"),
    "only output": ("```text\n1 2 3\n```\n", STOP, "no_code", "no code in it"),
    "nothing": ("", STOP, "no_code", "no code in it"),
    "thoughts": ("<think>```python\n1/0\n```</think>\n" + fenced("x = 1\n"), STOP, "runs", ""),
    "unknown": (fenced("SELECT 1;\n", "sql"), STOP, "unchecked", "no parser for 'sql'"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_verdict(name: str, run: AnswerRunner) -> None:
    text, finish_reason, verdict, error = ANSWERS[name]
    found = run(AnswerToRun(text, finish_reason))
    assert (found.verdict, found.passed) == (verdict, None)
    assert found.error.startswith(error) and bool(found.error) == bool(error)


# a program that parses, though it names modules that are not there, and one that does not
PROGRAMS = {
    "javascript": ("import x from 'y';\nexport const f = (a) => x(a);\n", "const f = (a => a + ;\n"),
    "typescript": ("import x from 'react';\nfunction f(a: number): string { return x(a) }\n", "function f(a: number: b {}\n"),
    "java": ("import no.such.X;\npublic class Solution { int f(X a) { return a.b(); } }\n", "public class A { int f( { } }\n"),
    "c": ("#include <stdio.h>\nint main(void) { puts(\"x\"); return 0; }\n", "int main( {\n"),
    "cpp": ("#include <vector>\nint f(std::vector<int> a) { return a.size(); }\n", "int f(std::vector<int> a) {\n"),
    "csharp": ("using X.Y;\npublic class A { public Z F() { return 1; } }\n", "public class A { public int F( { }\n"),
    "go": ("import \"x/y\"\n\nfunc f(a int) int { return y.Z(a) }\n", "package main\nfunc f( {\n"),
    "php": ("function f($a) { return $a; }\n", "<?php\nfunction f($a { return }\n"),
    "ruby": ("require 'no_such'\ndef f(a)\n  a + 1\nend\n", "def f(a\n  a +\nend\n"),
    "perl": ("sub f { my ($a) = @_; return $a; }\n", "sub f { my ($a = @_;\n"),
    "lua": ("local x = require('no')\nlocal function f(a) return x(a) end\n", "local function f(a return a\n"),
    "r": ("library(no.such)\nf <- function(a) a + 1\n", "f <- function(a { a + }\n"),
    "bash": ("for a in 1 2; do no_such $a; done\n", "for a in 1 2; do echo (\n"),
    "d": ("int f(int a) { return a; }\n", "int f(int a { return a; }\n"),
}  # fmt: skip
QUICK = {"c", "ruby", "bash"}


@pytest.mark.parametrize(
    "tag", [tag if tag in QUICK else pytest.param(tag, marks=pytest.mark.heavy) for tag in PROGRAMS]
)
def test_other_languages_are_parsed_where_a_toolchain_is_there(tag: str, run: AnswerRunner) -> None:
    good, bad = PROGRAMS[tag]
    found = code_of(fenced(good, tag))
    assert found is not None
    if missing("cpp" if tag == "c" else found.language) or run._settings.sandbox != "bubblewrap":
        assert run(AnswerToRun(fenced(good, tag), STOP)).verdict == "unchecked"
        pytest.skip(f"no toolchain for {tag}")
    parsed, refused = (run(AnswerToRun(fenced(code, tag), STOP)) for code in (good, bad))
    assert (parsed.verdict, parsed.error) == ("parses", "") and parsed.language == found.language
    assert refused.verdict == "syntax_error" and refused.error


TESTS = fenced(
    "import unittest\nfrom solution import double\nfrom no_such_module import double\n\n"
    "assert double(2) == 4\nassert double(0) == 0\n\ndef test_negative():\n    assert double(-3) == -6\n\n"
    "class TestText(unittest.TestCase):\n    def test_text(self):\n        self.assertEqual(double('a'), 'aa')\n\n"
    "def test_late():\n    while double(7) != 14:\n        pass\n\nif __name__ == '__main__':\n    unittest.main()\n"
)
DOUBLES = {
    "right": ("def double(a):\n    return 2 * a\n", "11111"),
    "wrong for text": ("def double(a):\n    return int(2 * a)\n", "11101"),
    "wrong": ("def double(a):\n    return a\n", "01000"),
    "raises": ("def double(a):\n    raise KeyError\n", "00000"),
    "another name": ("def twice(a):\n    return 2 * a\n", "00000"),
    "exits": ("import sys, os\ndef double(a):\n    sys.exit()\n", "00000"),
    "leaves": ("import os\ndef double(a):\n    os._exit(0)\n", "00000"),
    "its own main": (
        "def double(a):\n    return 2 * a\nif __name__ == '__main__':\n    raise SystemExit(1)\n",
        "11111",
    ),
    "prints": (
        "print('[true, true, true, true, true]')\ndef double(a):\n    print('x' * 1000)\n    return 2 * a\n",
        "11111",
    ),
    "fails when loaded": ("def double(a):\n    return 2 * a\n1 / 0\n", "00000"),
    "no Python": ("def double(a:\n", "00000"),
    "sleeps at a number": (
        "import time\ndef double(a):\n    if a == 0:\n        time.sleep(60)\n    return 2 * a\n",
        "10111",
    ),
    "hangs": ("def double(a):\n    while True:\n        pass\n", "00000"),
}


@pytest.mark.parametrize("name", DOUBLES)
def test_the_tests_of_a_record_are_run_one_by_one(
    name: str, run: AnswerRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tests_of_records, "TEST_S", 0.5)
    program = parse_tests(TESTS)
    assert program is not None and program.count == 5 and "double" in program.names
    code, expected = DOUBLES[name]
    found = run(AnswerToRun(fenced(code), STOP, program))
    # in the order: the asserts, then the functions and methods in the order of the file
    assert found.passed is not None and "".join("01"[one] for one in found.passed) == expected


def test_tests_that_mean_harm_stay_in_the_jail(run: AnswerRunner) -> None:
    steps = (
        (True, "import socket; socket.socket()"),
        (True, "open('/etc/passwd').read()"),
        (True, "import os; os.fork()"),
    )
    found = run(AnswerToRun(fenced("x = 1\n"), STOP, TestProgram(steps, ())))
    assert found.passed == (False, False, False)
