import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from seedkit.errors import InputError, RunError, UsageError
from studies import study_steps as steps
from studies.planning import StudyRecipe, StudyStage, plan
from studies.settings import read
from study_cases import finished
from support import ROOT, Command, rows

SETTINGS = ROOT / "Code" / "studies"


def asked(**flags: Any) -> argparse.Namespace:
    given: dict[str, Any] = dict.fromkeys(("output_dir", "from_dir", "benchmarks", "limit"))
    given |= {"benchmark_file": [], "environment": Path("env")}
    return argparse.Namespace(**{**given, **flags})


def test_every_question_and_source_has_its_stages_and_all_folders_reach_the_report(tmp_path: Path) -> None:
    study = plan(read(SETTINGS / "node.yaml"), asked(output_dir=tmp_path, from_dir=tmp_path / "raw"))
    names = [stage.name for stage in study.stages]
    assert names == [
        *("fetch and clean", "decontaminate EVOL", "decontaminate OSS", "complexity_scorer", "task_classifier"),
        *("composition_mixer", "diversity_scorer", "domain_mixer", "baseline_subsets", "leakage", "doctor", "plan"),
        *("train", "evaluate", "verify", "report"),
    ]
    commands = dict(zip(names, (stage.command for stage in study.stages), strict=True))
    assert str(tmp_path / "raw") in commands["fetch and clean"]
    assert {"ALPACA", "MATH"} <= set(commands["fetch and clean"])
    folders = [
        str(tmp_path / room / source)
        for room in ("RQ1", "RQ2", "RQ3", "RQ4", "baselines")
        for source in ("EVOL", "OSS")
    ]
    for name in ("leakage", "doctor", "train", "report"):
        assert set(folders) <= set(commands[name])
    assert commands["verify"][-1] == str(tmp_path)
    assert {str(tmp_path / one) for one in ("leakage", "runs", "evaluations")} <= set(commands["report"])
    assert str(tmp_path / "study_plan.yaml") in commands["train"]
    doctor = commands["doctor"]
    tokenizer = doctor.index("--tokenizer")
    assert doctor[tokenizer + 1 : tokenizer + 6] == (
        "Qwen/Qwen2.5-Coder-1.5B",
        "--template",
        "qwen",
        "--cutoff_len",
        "2048",
    )


def test_files_of_benchmarks_reach_what_reads_them(tmp_path: Path) -> None:
    given = asked(
        output_dir=tmp_path, benchmarks=[tmp_path / "all"], benchmark_file=[("humaneval", tmp_path / "h.jsonl")]
    )
    commands = {stage.name: stage.command for stage in plan(read(SETTINGS / "laptop.yaml"), given).stages}
    for name in ("decontaminate EVOL", "leakage"):
        assert str(tmp_path / "all") in commands[name]
    at = commands["evaluate"].index("--benchmark_file")
    assert commands["evaluate"][at + 1] == f"humaneval={tmp_path / 'h.jsonl'}"


def test_a_trial_reads_the_sample_and_is_short(tmp_path: Path) -> None:
    study = plan(read(SETTINGS / "laptop.yaml"), asked(output_dir=tmp_path, limit=60))
    commands = {stage.name: list(stage.command) for stage in study.stages}
    assert "fetch and clean" not in commands
    decontaminate = commands["decontaminate EVOL"]
    assert decontaminate[decontaminate.index("--limit") + 1] == "60"
    assert Path(decontaminate[decontaminate.index("--input_file") + 1]).name == "EVOL.jsonl"
    train = commands["train"]
    assert train.count("--max_steps") == 1
    assert train[train.index("--max_steps") + 1] == "4"
    assert train[train.index("--seed") + 1 : train.index("--seed") + 3] == ["42", "--output_dir"]
    assert commands["evaluate"][commands["evaluate"].index("--limit") + 1] == "20"


def test_the_dry_run_says_the_commands_and_hours_and_writes_nothing(tmp_path: Path, script_main: Command) -> None:
    out = tmp_path / "study"
    done = script_main("studies/study.py", SETTINGS / "laptop.yaml", "--dry_run", "--output_dir", out)
    assert done.returncode == 0, done.stderr
    assert "python Code/seeds/fetch_seeds.py --sources EVOL --output_dir $OUTPUT_DIR/seeds" in done.stdout
    assert "train                 0.4" in done.stdout  # 14 students of 16 steps of 7 s
    assert "evaluate              0.8" in done.stdout  # 15 models, 164 problems of 1.1 s
    without = script_main("studies/study.py", SETTINGS / "node.yaml", "--dry_run", "--output_dir", out)
    assert "node: hours unknown, since the settings have no estimates" in without.stdout
    assert not out.exists()


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def run_all(study: StudyRecipe) -> None:
    with steps.opened(study) as log:
        for stage in study.stages:
            log.run(stage)


def test_finished_stages_are_skipped_until_an_earlier_one_runs_again(tmp_path: Path) -> None:
    def stage(name: str, more: str = "") -> StudyStage:
        out = tmp_path / name
        return StudyStage(name, python(f"open({str(out)!r}, 'a').write('x'){more}"), out)

    def made() -> list[str]:
        return [(tmp_path / name).read_text() for name in "abc"]

    study = StudyRecipe(tmp_path, [stage("a"), stage("b"), stage("c")])
    run_all(study)
    run_all(study)
    assert made() == ["x", "x", "x"]
    run_all(StudyRecipe(tmp_path, [stage("a"), stage("b", "; 1"), stage("c")]))  # another command
    assert made() == ["x", "xx", "xx"]
    (tmp_path / "a").unlink()
    run_all(study)
    assert made() == ["x", "xxx", "xxx"]
    log = rows(tmp_path / "log.jsonl")
    assert [row["stage"] for row in log] == [*"abc", *"bc", *"abc"]
    assert {row["exit_code"] for row in log} == {0}


def test_a_stage_that_fails_ends_the_study_and_runs_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mark = tmp_path / "mark"
    code = (
        f"import pathlib, sys; p = pathlib.Path({str(mark)!r}); print('said'); p.exists() or (p.touch(), sys.exit(%d))"
    )
    for exit_code, error in ((1, RunError), (2, UsageError)):
        mark.unlink(missing_ok=True)
        study = StudyRecipe(tmp_path, [StudyStage("one", python(code % exit_code), tmp_path)])
        with pytest.raises(error, match=f"one ended with exit code {exit_code}"):
            run_all(study)
        run_all(study)
    assert [row["exit_code"] for row in rows(tmp_path / "log.jsonl")] == [1, 0, 2, 0]
    assert (tmp_path / "logs" / "one.log").read_text() == "said\n" * 4
    assert "said" in capfd.readouterr().out


def test_what_a_stage_finds_is_no_failure(tmp_path: Path) -> None:
    study = StudyRecipe(tmp_path, [StudyStage("doctor", python("raise SystemExit(1)"), tmp_path, accepted=(0, 1))])
    run_all(study)
    run_all(study)
    assert [(row["exit_code"], row["ended_well"]) for row in rows(tmp_path / "log.jsonl")] == [(1, True)]


def test_a_line_that_a_killed_run_left_half_written_is_no_end(tmp_path: Path) -> None:
    out = tmp_path / "out"
    study = StudyRecipe(tmp_path, [StudyStage("one", python(f"open({str(out)!r}, 'a').write('x')"), out)])
    run_all(study)
    log = tmp_path / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-30])
    run_all(study)
    assert out.read_text() == "xx"
    run_all(study)
    assert out.read_text() == "xx"


def test_two_runs_of_a_study_exclude_each_other(tmp_path: Path) -> None:
    study = StudyRecipe(tmp_path)
    with steps.opened(study), pytest.raises(InputError, match="another run of this study is at work"):
        run_all(study)


def test_a_plan_that_is_there_stays(tmp_path: Path) -> None:
    plan = tmp_path / "study_plan.yaml"
    plan.write_text("mine")
    run_all(StudyRecipe(tmp_path, [StudyStage("plan", python("raise SystemExit(1)"), plan)]))
    assert plan.read_text() == "mine"


def test_usage_errors_are_one_line(tmp_path: Path, script_main: Command) -> None:
    laptop = SETTINGS / "laptop.yaml"
    unheard_of = tmp_path / "mine.yaml"
    unheard_of.write_text(laptop.read_text().replace("[humaneval]", "[humaneval, mbqp]"))
    for arguments, message in (
        ([tmp_path / "none.yaml"], "cannot be read: No such file"),
        ([laptop, "--limit", "0"], "expected a whole number of at least 1"),
        ([laptop, "--benchmark_file", "humaneval"], "expected BENCHMARK=FILE, got 'humaneval'"),
        ([laptop, "--benchmark_file", "mbpp=none.jsonl"], "--benchmark_file mbpp: expected one of humaneval"),
        ([laptop, "--benchmark_file", "humaneval=none.jsonl"], "none.jsonl: no such file; expected JSON Lines"),
        ([laptop, "--benchmarks", "none.jsonl"], "none.jsonl: no such file; expected JSON Lines"),
        ([unheard_of], "--benchmark mbqp: expected one of humaneval"),
    ):
        done = script_main("studies/study.py", *arguments, "--output_dir", tmp_path / "out")
        assert done.returncode == 2, done.stderr
        assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_a_killed_study_takes_its_stage_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    stage = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    code = f"""
from pathlib import Path
from studies import study_steps as steps
from studies.planning import StudyRecipe, StudyStage
folder = Path({str(tmp_path)!r})
with steps.opened(StudyRecipe(folder)) as log:
    log.run(StudyStage("one", ({sys.executable!r}, "-c", {stage!r}), folder))
"""
    with subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT / "Code")}) as study:
        wait_for(lambda: mark.exists() and mark.read_text() != "")
        study.kill()
    wait_for(lambda: not runs(int(mark.read_text())))


def runs(pid: int) -> bool:
    """Whether the process is at work: a zombie, whose end nobody has asked for yet, is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.heavy
def test_a_trial_ends_with_a_report_and_goes_on_where_it_was(
    tmp_path: Path, trainer_environment: str, script_command: Command
) -> None:
    finished("training/tiny_student.py", "--output_dir", tmp_path / "tiny")
    settings, out = tmp_path / "short.yaml", tmp_path / "out"
    laptop = (SETTINGS / "laptop.yaml").read_text()
    for earlier, now in (
        ("[RQ1, RQ3]", "[RQ1]"),
        ("student: smollm2", f"student: {tmp_path / 'tiny'}"),
        ("max_new_tokens: 256", "max_new_tokens: 16"),
    ):
        assert earlier in laptop
        laptop = laptop.replace(earlier, now)
    settings.write_text(laptop)
    command = ("studies/study.py", settings, "--limit", 9, "--output_dir", out, "--environment", trainer_environment)
    done = script_command(*command, timeout_s=1200)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert (out / "report.html").read_text().startswith("<!doctype html>")
    assert len(rows(out / "diagnoses.jsonl")) == 12  # three thirds of 3, and the control
    log = rows(out / "log.jsonl")
    assert log[0]["records"] == 9
    again = script_command(*command)
    assert again.returncode == 0
    assert again.stderr.count("finished earlier") == len(log)
