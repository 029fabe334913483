"""grade(): verdicts of earlier runs, of the last release too, infra_error, and completions that are no text."""

import json
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
import pytest
from benchmarks.multipl_e.languages.base import control_row
from benchmarks.multipl_e.languages.registry import LANGUAGES, missing
from evaluation.grading import controls, workers
from evaluation.grading import steps as grading
from evaluation.grading.settings import GradingSettings
from grading_cases import grade_flags, right, sample, settings, write
from sandbox.judging.self_check import choose
from sandbox.judging.verdict import INFRA_ERROR, Verdict
from seedkit.manifest import versions
from support import Command, rows

SCRIPT = "evaluation/grade.py"
LAST_RELEASE = Path(__file__).parents[1] / "last_release"


def test_verdicts_of_an_earlier_run_are_taken(
    tmp_path: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = [sample(0, right(0)), sample(1, "    return 7\n")]
    grading.grade(settings(tmp_path, problems, samples), tmp_path / "out")
    first = (tmp_path / "out" / "results.jsonl").read_bytes()

    def none(*_: object) -> None:
        raise AssertionError("judged again")

    monkeypatch.setattr(grading, "controls", none)
    grading.grade(settings(tmp_path, problems, samples), tmp_path / "out")
    assert (tmp_path / "out" / "results.jsonl").read_bytes() == first
    assert "2 verdicts taken from earlier runs" in capsys.readouterr().err
    with pytest.raises(AssertionError, match="judged again"):  # another completion is another sample
        grading.grade(settings(tmp_path, problems, [sample(0, right(1))]), tmp_path / "out")


def test_an_infra_error_is_tried_again_and_never_a_fail(
    tmp_path: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, script_main: Command
) -> None:
    calls = []
    real = workers.JudgePool.judge

    def flaky(self: workers.JudgePool, jobs: Any, *, count: int | None = None) -> Any:
        for job, verdict in real(self, jobs, count=count):
            calls.append(count)
            broken = isinstance(job.name, tuple) is False and job.completion == right(1)
            yield job, Verdict(INFRA_ERROR, 0.0, "no jail") if broken else verdict

    monkeypatch.setattr(workers.JudgePool, "judge", flaky)
    samples = write(tmp_path / "s.jsonl", [sample(0, right(0)), sample(1, right(1))])
    arguments = grade_flags(samples, problems, tmp_path / "out")
    done = script_main(SCRIPT, *arguments)
    assert done.returncode == 3 and "NOT FINAL" in done.stdout
    assert calls.count(1) == controls.RETRIES
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert not summary["final"] and summary["verdicts"]["fail"] == 0 and "HumanEval/1" in summary["missing"]
    monkeypatch.setattr(workers.JudgePool, "judge", real)
    done = script_main(SCRIPT, *arguments)
    assert done.returncode == 0 and "1 verdicts taken" in done.stderr and "pass@1: 100.0%" in done.stdout


def test_a_completion_that_is_no_text_is_syntax(tmp_path: Path, problems: Path) -> None:
    samples = [sample(0, "    return '\ud800'\n"), sample(1, right(1))]
    summary = grading.grade(settings(tmp_path, problems, samples), tmp_path / "out")
    assert summary.verdicts["syntax"] == 1 and summary.verdicts["pass"] == 1


def test_the_least_time_limit_is_the_benchmarks_own(tmp_path: Path, problems: Path) -> None:
    asked = replace(settings(tmp_path, problems, [sample(0, right(0))]), min_seconds=None)
    assert grading.grade(asked, tmp_path / "out").limits["min_seconds"] == 3.0
    given = replace(asked, min_seconds=2.5)
    assert grading.grade(given, tmp_path / "out").limits["min_seconds"] == 2.5
    if missing("sh"):
        pytest.skip("no bash that a jail can run")
    row, answer = control_row(LANGUAGES["sh"], "humaneval")
    # each of three calls; together longer than HumanEval's limit, not than that of MultiPL-E's authors
    slow = f"    sleep 1.2\n{answer.lstrip(chr(10))}"
    samples = write(tmp_path / "sh.jsonl", [{"task_id": row["name"], "completion": slow}])
    bash = GradingSettings(samples, "multipl-e-sh", write(tmp_path / "rows.jsonl", [row]), workers=1)
    summary = grading.grade(bash, tmp_path / "sh")
    assert (summary.limits["min_seconds"], summary.verdicts["pass"]) == (15.0, 1), rows(tmp_path / "sh/results.jsonl")


def test_a_journal_of_the_last_release_is_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two of three samples were judged when a run of the last release, which called a sandbox a rung, was killed."""
    header, *lines = (LAST_RELEASE / "verdicts.jsonl").read_bytes().splitlines(keepends=True)
    folder = LAST_RELEASE / "evaluations" / "tiny-full" / "EVOL_RQ1_COMPLEXITY_T2_MIDDLE_seed42" / "humaneval"
    made_on = {**json.loads(header), "rung": choose(), "versions": versions("numpy")}  # as if on this machine
    header = orjson.dumps(made_on, option=orjson.OPT_SORT_KEYS)
    journal = tmp_path / ".grades" / f"grade-{blake2b(header, digest_size=8).hexdigest()}.jsonl"
    journal.parent.mkdir()
    journal.write_bytes(b"".join([header, b"\n", *lines[:2], *lines[3:], lines[2][:20]]))
    asked = GradingSettings(folder / "samples.jsonl", "humaneval", LAST_RELEASE / "HumanEval.jsonl", workers=1, limit=3)
    grading.grade(asked, tmp_path)
    assert "2 verdicts taken from earlier runs" in capsys.readouterr().err
    earlier, now = (rows(path / "results.jsonl") for path in (folder / "grades", tmp_path))
    assert [(row["task_id"], row["sample"], row["verdict"]) for row in now] == [
        (row["task_id"], row["sample"], row["verdict"]) for row in earlier
    ]
    assert [row["seconds"] for row in now][:2] == [row["seconds"] for row in earlier][:2]
    assert [path.name for path in journal.parent.iterdir()] == [journal.name]
