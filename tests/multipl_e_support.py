"""What the tests of MultiPL-E share: completions, which stand as text in benchmarks/multipl_e/, and a few short cuts.

In answers/, readings/, around/ and attacks/ there is a file a language. `### NAME` begins a completion; the new line before it, and the
last one of the file, belong to no completion. answers/: right and wrong completions of ten problems, by their number, where
`«right|wrong»` stands for the one or the other; a completion follows the prompt's signature and ends where the tests begin.
readings/: right completions of the control problem next_number(n), in every form that models give them; with `- 1` in place of
`+ 1` they are wrong. around/: what models put around the body of the control problem's function: `before` the prompt; behind it
what closes the function (`closing`), the same with a helper and a main function (`main`), and with one that does not compile
(`broken`). attacks/: hostile completions of that problem, or in LANGUAGE_list.txt of one that returns a list, for use
in a jail only.
"""

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks import BENCHMARKS
from benchmarks.contract import Problem
from benchmarks.dataset_rows import Row
from benchmarks.multipl_e.benchmark import MultiplE
from benchmarks.multipl_e.languages.base import control_row
from benchmarks.multipl_e.languages.registry import LANGUAGES, missing
from sandbox.contract import Limits, Sandbox
from sandbox.judging.verdict import INFRA_ERROR, PASS, Verdict

_TEXTS = Path(__file__).parent / "benchmarks" / "multipl_e"
_EITHER = re.compile(r"«([^|«]*)\|([^»]*)»")

PATIENCE_S = 60


def _sections(path: Path) -> dict[str, str]:
    _, *found = re.split(r"^### (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.removesuffix("\n") for name, text in zip(found[::2], found[1::2], strict=True)}


def _by_language(folder: str) -> dict[str, dict[str, str]]:
    return {path.stem: _sections(path) for path in sorted((_TEXTS / folder).glob("*.txt"))}


ANSWERS = {
    language: {int(number): text for number, text in answers.items()}
    for language, answers in _by_language("answers").items()
}
READINGS = _by_language("readings")
AROUND = _by_language("around")
ATTACKS = _by_language("attacks")
LISTS = {language: ATTACKS[f"{language}_list"] for language in ("cpp", "java")}


def completion(language: str, number: int, *, right: bool) -> str:
    return _EITHER.sub(r"\1" if right else r"\2", ANSWERS[language][number])


def benchmark(language: str) -> MultiplE:
    found = BENCHMARKS[f"multipl-e-{language}"]()
    assert isinstance(found, MultiplE)
    return found


def own(language: str) -> Problem:
    return benchmark(language).own_problems()[0]


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def needs(language: str) -> None:
    if why := missing(language):
        pytest.skip(f"not run: {why}")


def judged(language: str, problem: Problem, text: str, sandbox: Sandbox, seconds: float = 10) -> Verdict:
    return benchmark(language).judge(problem, text, sandbox, Limits(seconds))


def none_passes(language: str, problem: Problem, attacks: dict[str, str], sandbox: Sandbox) -> None:
    """No hostile completion passes or is the machine's fault, and nothing of it runs on."""
    needs(language)
    holes = {}
    for name, text in attacks.items():
        verdict = judged(language, problem, text, sandbox, 3)
        left = _left_of(sandbox)
        if verdict.name in (PASS, INFRA_ERROR) or left:
            holes[name] = (verdict, left)
    assert holes == {}


def _left_of(sandbox: Sandbox) -> list[str]:
    """The commands of what runs on as the jail's user, or as a `sleep 987` of an attack.

    Tests beside this one have such processes too, for less than PATIENCE_S; what is left runs longer.
    """
    until = time.monotonic() + PATIENCE_S
    left = _running(sandbox)
    while left and time.monotonic() < until:
        time.sleep(0.2)
        now = _running(sandbox)
        left = {process: command for process, command in left.items() if process in now}
    return list(left.values())


def _running(sandbox: Sandbox) -> dict[tuple[str, str], str]:
    """What runs as the jail's user or is a `sleep 987`, by process id and start."""
    user, found = getattr(sandbox, "_user", None), {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            facts, command = os.stat(f"/proc/{pid}"), Path(f"/proc/{pid}/cmdline").read_text()
            start = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        except OSError:
            continue
        if facts.st_uid == user or "987" in command.split("\0"):
            found[pid, start] = command
    return found


def lists_are_not_forged(language: str, sandbox: Sandbox) -> None:
    """The attacks on a problem that returns a list, to which there is also a right answer."""
    prompt, tests, answer = (LISTS[language][name] for name in ("prompt", "tests", "answer"))
    attacks = {name: text for name, text in LISTS[language].items() if name not in ("prompt", "tests", "answer")}
    row, _ = control_row(LANGUAGES[language], "humaneval")
    problem = LANGUAGES[language].problem(Row("x", {**row, "prompt": prompt, "tests": tests}), "humaneval")
    assert judged(language, problem, answer, sandbox).name == PASS
    none_passes(language, problem, attacks, sandbox)
