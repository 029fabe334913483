"""The processes that judge: one that dies is replaced, one that computes too long is ended."""

import json
import os
import signal
from pathlib import Path

import pytest
from benchmarks import humaneval
from benchmarks.contract import Problem
from evaluation.grading import judge_watch, workers
from grading_cases import grade_flags, right, sample, write
from sandbox.contract import Limits
from sandbox.judging.self_check import choose
from sandbox.judging.verdict import INFRA_ERROR
from support import Command, rows

# tests whose work on a large answer is one call of the interpreter's C code, where no signal of the judge gets in
ENDLESS = {
    "a sum": "sum(range(candidate(1, 2)))",
    "a set of numbers with one hash": "set(map((2**61 - 1).__mul__, range(candidate(1, 2))))",
    "the largest of a long range": "max(range(candidate(1, 2)))",
}
LARGE = "    return 10**12\n"


def endless(problems: Path, expression: str, number: int = 0) -> list[Problem]:
    """The problems; the test of the first does that with what the candidate returns."""
    rows = [json.loads(line) for line in problems.read_text().splitlines()]
    rows[number]["test"] = f"def check(candidate):\n    {expression}\n    assert candidate(1, 2) == 3 + {number}\n"
    write(problems, rows)
    return humaneval.HumanEval().load(problems)


def signalled(problems: Path, signal_number: int, seconds: float) -> dict[int, str]:
    """The verdicts on four right answers, by number, of a worker that gets the signal after the first."""
    loaded = humaneval.HumanEval().load(problems)
    with workers.JudgePool("humaneval", loaded, choose(), 1) as pool:
        jobs = [workers.JudgeJob(n, n, right(n), Limits(seconds)) for n in range(4)]
        found = {}
        for job, verdict in pool.judge(jobs):
            found[job.name] = verdict.name
            if job.name == 0:
                [worker] = pool._workers.values()
                assert worker.process.pid is not None
                os.kill(worker.process.pid, signal_number)
    return found


def test_a_worker_that_dies_is_replaced(problems: Path) -> None:
    found = signalled(problems, signal.SIGKILL, 5)
    assert found[0] == "pass" and found[3] == "pass" and INFRA_ERROR in found.values()
    assert list(found.values()).count(INFRA_ERROR) == 1  # the one that it was at, and none behind it


@pytest.mark.parametrize(
    "expression",
    [pytest.param(code, id=name, marks=[] if "hash" in name else pytest.mark.heavy) for name, code in ENDLESS.items()],
)
def test_a_judge_that_computes_too_long_is_the_timeout_of_its_sample(problems: Path, expression: str) -> None:
    loaded = endless(problems, expression)
    with workers.JudgePool("humaneval", loaded, choose(), 1) as pool:
        jobs = [workers.JudgeJob(n, n, right(n) if n else LARGE, Limits(3)) for n in range(3)]
        found = {job.name: verdict for job, verdict in pool.judge(jobs)}
    assert {name: verdict.name for name, verdict in found.items()} == {0: "timeout", 1: "pass", 2: "pass"}, found
    assert 3 < found[0].seconds < 100  # 8 of processor time, which is as long on a quiet machine


def test_it_is_judged_once_and_the_score_is_final(
    tmp_path: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, script_main: Command
) -> None:
    monkeypatch.setattr(judge_watch, "ALLOWANCE_S", 1.5)
    endless(problems, ENDLESS["a sum"], 1)
    answers = [sample(0, right(0)), sample(1, LARGE), sample(1, right(1))]
    flags = grade_flags(write(tmp_path / "s.jsonl", answers), problems, tmp_path / "out", "--min_seconds", 1)
    done = script_main("evaluation/grade.py", *flags)
    assert done.returncode == 0, done.stderr
    assert "infra_error" not in done.stderr
    found = rows(tmp_path / "out" / "results.jsonl")
    assert [row["verdict"] for row in found] == ["pass", "timeout", "pass"], found


def test_a_judge_that_gets_no_processor_is_the_fault_of_the_machine(
    problems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_PATIENCE", 1)
    found = signalled(problems, signal.SIGSTOP, 0.2)
    assert sorted(found.values()) == [INFRA_ERROR, "pass", "pass", "pass"]
