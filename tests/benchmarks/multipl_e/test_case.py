"""Completions that stand without the prompt, and those that follow it, in every form that models give them."""

import re

import pytest
from benchmarks.multipl_e.case import Reading
from benchmarks.multipl_e.extraction import completion_in
from benchmarks.multipl_e.languages.registry import LANGUAGES
from multipl_e_support import AROUND, READINGS, judged, needs, own
from sandbox.contract import Sandbox
from sandbox.judging.verdict import FAIL, PASS, Verdict

WHOLE = {
    "js": "const one = 1;\nconst next_number = (n) => n + one;\n",
    "ts": "interface Box { n: number }\nexport function next_number(n: number): number {\n  const box: Box = { n: n + 1 };\n  return box.n as number;\n}\n",
    "sh": '#!/bin/bash\nhelp() { echo $(($1 + 1)); }\nfunction next_number {\n    help "$1"\n}\n',
    "cpp": "#include <vector>\nusing namespace std;\n\nstatic int one() { return 1; }\n\nint next_number(const long& n) {\n    return n + one();\n}\n\n"
    "int main() {\n    return next_number(1);\n}\n",
    "java": "package x;\nimport java.util.function.*;\n\npublic class Solution {\n    private static long one = 1;\n"
    "    public long nextNumber(long n) { return n + Solution.one; }\n    public static void main(String[] args) { }\n}\n",
    "cs": "using System;\nnamespace Answers {\n    public class Solution {\n        static long One() { return 1; }\n"
    "        static long NextNumber(long n) { return n + One(); }\n    }\n}\n",
    "go": 'package main\n\nimport "math"\n\nfunc one() int { return int(math.Abs(-1)) }\n\nfunc next_number(n int) int {\n\treturn n + one()\n}\n\nfunc main() {}\n',
    "rs": "use std::cmp::max;\n\nfn one() -> isize { max(0, 1) }\n\npub fn next_number(n: isize) -> isize {\n    n + one()\n}\n\nfn main() { }\n",
    "php": "<?php\nfunction one() { return 1; }\nfunction next_number(int $n): int {\n    return $n + one();\n}\n",
    "rb": "ONE = 1\n\ndef next_number(n)\n  n + ONE\nend\n",
    "pl": "use strict;\nuse warnings;\n\nsub next_number {\n    my ($n) = @_;\n    return $n + 1;\n}\n",
    "lua": "local one = 1\nfunction next_number(n)\n  return n + one\nend\n",
    "r": "one <- 1\nnext_number = function(n) n + one\n",
    "d": "long one() { return 1; }\nlong next_number(long n) {\n    return n + one();\n}\n",
    "rkt": "(define one 1)\n(define (next_number n)\n  (+ n one))\n",
}


def whole_program_passes(language: str, sandbox: Sandbox) -> None:
    needs(language)
    problem = own(language)
    text = completion_in(problem.tests, f"```{LANGUAGES[language].fences[0]}\n{WHOLE[language]}```")
    assert text == WHOLE[language]
    assert judged(language, problem, text, sandbox).name == PASS
    assert judged(language, problem, text.replace("+ ", "- "), sandbox).name != PASS


@pytest.mark.parametrize("language", ["js", "sh", "pl"])
def test_a_whole_program_takes_the_place_of_the_prompt(language: str, sandbox: Sandbox) -> None:
    whole_program_passes(language, sandbox)


@pytest.mark.heavy
@pytest.mark.parametrize("language", [name for name in WHOLE if name not in ("js", "sh", "pl")])
def test_a_whole_program_takes_the_place_of_the_prompt_in(language: str, sandbox: Sandbox) -> None:
    whole_program_passes(language, sandbox)


def readings_are_judged(language: str, sandbox: Sandbox) -> None:
    needs(language)
    problem, fence = own(language), LANGUAGES[language].fences[0]
    found = {
        (name, form, verdict)
        for name, text in READINGS[language].items()
        for form, raw in (
            ("alone", text),
            ("chat", completion_in(problem.tests, f"So:\n```{fence}\n{text.rstrip()}\n```\nIt is.\n")),
        )
        for wanted, judged_text in ((True, raw), (False, raw.replace("+ 1", "- 1")))
        if ((verdict := judged(language, problem, judged_text, sandbox).name) == PASS) is not wanted
        or not wanted
        and verdict != FAIL
    }
    assert found == set()


@pytest.mark.parametrize("language", ["sh"])
def test_bodies_and_whole_programs_are_told_apart(language: str, sandbox: Sandbox) -> None:
    readings_are_judged(language, sandbox)


@pytest.mark.heavy
@pytest.mark.parametrize("language", [name for name in READINGS if name != "sh"])
def test_bodies_and_whole_programs_are_told_apart_in(language: str, sandbox: Sandbox) -> None:
    readings_are_judged(language, sandbox)


def with_its_prompt(language: str) -> dict[str, str]:
    """A right completion of the control problem in the forms in which models repeat the prompt, and close what it opens."""
    problem, around = own(language), AROUND[language]
    prompt, body = problem.prompt, problem.reference.rstrip("\n") + "\n"
    closed, main = body + around.get("closing", ""), body + around["main"]
    first = re.match(r"(?:package .*\n|#!.*\n|<\?php\n|#lang .*\n)?", prompt)  # which must stay the first line
    at = first.end() if first else 0
    comments = problem.tests.syntax.comments
    code = re.sub(r"/\*.*?\*/\n", "", prompt, flags=re.DOTALL).splitlines(True)
    return {
        "prompt and body": prompt + body,
        "closed": prompt + closed,
        "a main function": prompt + main,
        "more imports": prompt[:at] + around.get("before", "") + prompt[at:] + main,
        "no comments": "".join(line for line in code if not line.lstrip().startswith(comments)) + main,
        "other white space": re.sub(r"\n\n+", "\n", prompt).replace("    ", "\t") + main,
        "stripped": (prompt + main).strip(),
        "a body that is closed": closed,
        "a body and a main function": main,
        "the prompt twice": prompt + prompt + main,
        **({"broken tests of its own": prompt + body + around["broken"]} if "broken" in around else {}),
    }


def prompts_are_found(language: str, sandbox: Sandbox) -> None:
    needs(language)
    problem, fence = own(language), LANGUAGES[language].fences[0]
    found = {}
    verdicts: dict[
        tuple[Reading, ...], Verdict
    ] = {}  # judged once where two forms are read alike: the prompt is taken off
    for name, text in with_its_prompt(language).items():
        forms = {text: "alone"}
        if name in ("closed", "a main function"):
            chat = completion_in(problem.tests, f"Sure!\n\n```{fence}\n{text.rstrip()}\n```\n\nIt adds `1`.\n")
            forms[chat] = "chat"
        for form, raw in forms.items():
            wrong = form.replace("+ 1", "- 1").replace("(+ n 1)", "(- n 1)")
            for wanted, judged_text in ((PASS, form), (FAIL, wrong)):
                readings = problem.tests.readings(judged_text)
                if readings not in verdicts:
                    verdicts[readings] = judged(language, problem, judged_text, sandbox)
                if verdicts[readings].name != wanted:
                    found[name, raw, wanted] = verdicts[readings]
    assert found == {}


@pytest.mark.parametrize("language", ["sh"])
def test_a_program_that_repeats_the_prompt(language: str, sandbox: Sandbox) -> None:
    prompts_are_found(language, sandbox)


@pytest.mark.heavy
@pytest.mark.parametrize("language", [name for name in AROUND if name != "sh"])
def test_a_program_that_repeats_the_prompt_in(language: str, sandbox: Sandbox) -> None:
    prompts_are_found(language, sandbox)
