"""grade.py: controls, partial sets, resuming, what is left when it is killed, and what it says of bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks import humaneval
from evaluation.grading import controls, workers
from evaluation.grading import steps as grading
from evaluation.grading.settings import GradingSettings
from sandbox.judging.verdict import INFRA_ERROR, Verdict
from seedkit.verify import verify
from support import ROOT, Command, offline, rows

SCRIPT = "evaluation/grade.py"
PROBLEMS = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": f'def add{number}(a, b):\n    """Add {number} too."""\n',
        "entry_point": f"add{number}",
        "canonical_solution": f"    return a + b + {number}\n",
        "test": f"def check(candidate):\n    assert candidate(1, 2) == {number + 3}\n    assert candidate(0, 0) == {number}\n",
    }
    for number in range(6)
]


def write(path: Path, values: list[Any]) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    return write(tmp_path / "problems.jsonl", PROBLEMS)


def sample(number: int, completion: str, **more: Any) -> dict[str, Any]:
    return {"task_id": f"HumanEval/{number}", "completion": completion, **more}


def right(number: int) -> str:
    return f"    return a + b + {number}\n"


def test_verdicts_counts_and_pass_at_k(tmp_path: Path, problems: Path, script_main: Command) -> None:
    samples = [
        sample(1, right(1)),
        sample(0, "    return 0\n"),
        sample(0, f"\ndef add0(a, b):\n{right(0)}"),
        sample(1, "    return (\n"),
        sample(2, "    while True: pass\n", sample=5),
        sample(2, right(2), sample=0),
    ]
    done = script_main(
        SCRIPT,
        "--samples",
        write(tmp_path / "s.jsonl", samples),
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        problems,
        "--output_dir",
        tmp_path / "out",
        "--workers",
        2,
        "--k",
        1,
        2,
        10,
        "--min_seconds",
        0.5,
    )
    assert done.returncode == 0, done.stderr
    assert "pass@1: 50.0%" in done.stdout and "over 3 of 6 problems" in done.stdout
    found = [(row["task_id"], row["sample"], row["verdict"]) for row in rows(tmp_path / "out" / "results.jsonl")]
    assert found == [
        ("HumanEval/1", 0, "pass"),
        ("HumanEval/0", 0, "fail"),
        ("HumanEval/0", 1, "pass"),
        ("HumanEval/1", 1, "syntax"),
        ("HumanEval/2", 5, "timeout"),
        ("HumanEval/2", 0, "pass"),
    ]
    assert {row["rung"] for row in rows(tmp_path / "out" / "results.jsonl")} <= {"bubblewrap", "landlock"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["pass_at_k"]["2"]["value"] == 1.0 and summary["pass_at_k"]["1"]["value"] == 0.5
    assert summary["pass_at_k"]["10"]["value"] is None and "fewer than 10" in summary["pass_at_k"]["10"]["reason"]
    assert summary["final"] and summary["isolated"] and summary["missing"] == [f"HumanEval/{n}" for n in (3, 4, 5)]
    assert summary["verdicts"] | {"pass": 3, "fail": 1, "syntax": 1, "timeout": 1} == summary["verdicts"]
    assert verify(tmp_path / "out") == []


def settings(tmp_path: Path, problems: Path, samples: list[Any], **more: Any) -> GradingSettings:
    path = write(tmp_path / "s.jsonl", samples)
    return GradingSettings(path, "humaneval", problems, workers=1, min_seconds=1.0, **more)


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


def test_nothing_is_graded_where_a_control_goes_wrong(tmp_path: Path, script_main: Command) -> None:
    for key, value, said in (
        ("canonical_solution", "    return 5\n", "the reference must pass, got fail"),
        ("test", "def check(candidate):\n    pass\n", "a wrong program must fail, got pass"),
    ):
        problems = write(tmp_path / "problems.jsonl", [PROBLEMS[0], {**PROBLEMS[1], key: value}])
        done = script_main(
            SCRIPT,
            "--samples",
            write(tmp_path / "s.jsonl", [sample(1, right(1))]),
            "--benchmark",
            "humaneval",
            "--benchmark_file",
            problems,
            "--output_dir",
            tmp_path / "out",
            "--workers",
            1,
        )
        assert done.returncode == 1 and said in done.stderr and "HumanEval/1" in done.stderr
        assert not (tmp_path / "out" / "results.jsonl").exists()


def test_an_infra_error_is_tried_again_and_never_a_fail(
    tmp_path: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, script_main: Command
) -> None:
    calls = []
    real = workers.Workers.judge

    def flaky(self: workers.Workers, jobs: Any, *, count: int | None = None) -> Any:
        for job, outcome in real(self, jobs, count=count):
            calls.append(count)
            broken = isinstance(job.name, tuple) is False and job.completion == right(1)
            yield job, Verdict(INFRA_ERROR, 0.0, "no jail") if broken else outcome

    monkeypatch.setattr(workers.Workers, "judge", flaky)
    arguments = [
        SCRIPT,
        "--samples",
        write(tmp_path / "s.jsonl", [sample(0, right(0)), sample(1, right(1))]),
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        problems,
        "--output_dir",
        tmp_path / "out",
        "--workers",
        1,
    ]
    done = script_main(*arguments)
    assert done.returncode == 3 and "NOT FINAL" in done.stdout
    assert calls.count(1) == controls.RETRIES
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert not summary["final"] and summary["verdicts"]["fail"] == 0 and "HumanEval/1" in summary["missing"]
    monkeypatch.setattr(workers.Workers, "judge", real)
    done = script_main(*arguments)
    assert done.returncode == 0 and "1 verdicts taken" in done.stderr and "pass@1: 100.0%" in done.stdout


def test_a_worker_that_dies_is_replaced(problems: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.contract import Limits
    from sandbox.judging.self_check import choose

    loaded = humaneval.HumanEval().load(problems)
    with workers.Workers("humaneval", loaded, choose(), 1) as pool:
        jobs = [workers.Job(n, n, right(n), Limits(5)) for n in range(4)]
        found = {}
        for job, outcome in pool.judge(jobs):
            found[job.name] = outcome.name
            if job.name == 0:
                [worker] = pool._workers.values()
                assert worker.process.pid is not None
                os.kill(worker.process.pid, signal.SIGKILL)
        assert found[0] == "pass" and found[3] == "pass" and INFRA_ERROR in found.values()


def test_without_isolation_it_is_marked(tmp_path: Path, problems: Path, script_main: Command) -> None:
    done = script_main(
        SCRIPT,
        "--samples",
        write(tmp_path / "s.jsonl", [sample(0, right(0))]),
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        problems,
        "--output_dir",
        tmp_path / "out",
        "--workers",
        1,
        "--unsafe_no_isolation",
    )
    assert done.returncode == 0 and "WITHOUT ISOLATION" in done.stdout and "NO ISOLATION" in done.stderr
    assert rows(tmp_path / "out" / "results.jsonl")[0]["rung"] == "none"
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["isolated"] is False


def test_it_refuses_where_no_rung_holds(
    tmp_path: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, script_main: Command
) -> None:
    monkeypatch.setattr("sandbox.judging.self_check.failing", lambda rung: "not on this machine")
    done = script_main(
        SCRIPT,
        "--samples",
        write(tmp_path / "s.jsonl", [sample(0, right(0))]),
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        problems,
        "--output_dir",
        tmp_path / "out",
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "bubblewrap: not on this machine; landlock: not" in done.stderr and "--unsafe_no_isolation" in done.stderr


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "the file is empty"),
        ([sample(9, "x")], "s.jsonl:1: \"task_id\" 'HumanEval/9' is no problem of humaneval"),
        ([{"task_id": "Mbpp/2", "completion": "x"}], "is no problem of humaneval"),
        ([{"task_id": "HumanEval/0"}], 'expected a string in "completion", got keys: task_id'),
        ([sample(0, "x"), {"task_id": "HumanEval/0", "completion": None}], "s.jsonl:2: expected a string"),
        ([sample(0, "x", sample=1), sample(0, "y", sample=1)], "s.jsonl:2: sample 1 of HumanEval/0 is there already"),
        ([sample(0, "x", sample=-1)], "must be a whole number from 0"),
        ([1], "expected an object, got int"),
    ],
)
def test_bad_samples(tmp_path: Path, problems: Path, script_main: Command, lines: list[Any], said: str) -> None:
    done = script_main(
        SCRIPT,
        "--samples",
        write(tmp_path / "s.jsonl", lines),
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        problems,
    )
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_samples_of_other_tools_are_read(tmp_path: Path, problems: Path) -> None:
    from evaluation.grading.samples import read_samples

    benchmark = humaneval.HumanEval()
    loaded = benchmark.load(problems)
    path = write(tmp_path / "s.jsonl", [{"task_id": "HumanEval/0", "solution": "x"}, {"task_id": 0, "completion": "y"}])
    assert [(one.task_id, one.number, one.completion) for one in read_samples(path, benchmark, loaded)] == [
        ("HumanEval/0", 0, "x"),
        ("HumanEval/0", 1, "y"),
    ]


def test_a_completion_that_is_no_text_is_syntax(tmp_path: Path, problems: Path) -> None:
    samples = [sample(0, "    return '\ud800'\n"), sample(1, right(1))]
    summary = grading.grade(settings(tmp_path, problems, samples), tmp_path / "out")
    assert summary.verdicts["syntax"] == 1 and summary.verdicts["pass"] == 1


def below(pid: int) -> set[int]:
    """All processes that this one has started, directly or not."""
    from sandbox.processes import descendants

    return set(descendants([pid]))


def alive(pids: set[int]) -> set[int]:
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found.add(pid)
    return found


def test_killed_it_leaves_no_process_and_goes_on(tmp_path: Path, problems: Path) -> None:
    samples = [sample(n % 6, right(n % 6) if n % 2 else f"    return {n}\n") for n in range(120)]
    samples += [sample(0, "    import time\n    time.sleep(1.5)\n")]
    command = [
        sys.executable,
        str(ROOT / "Code" / SCRIPT),
        "--samples",
        str(write(tmp_path / "s.jsonl", samples)),
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        str(problems),
        "--workers",
        "2",
        "--output_dir",
    ]
    for seconds in (0.2, 1.2, 2.1):
        process = subprocess.Popen([*command, str(tmp_path / "out")], env=offline(), stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        children = below(process.pid) - {process.pid}
        process.kill()
        process.wait()
        deadline = time.monotonic() + 5
        while alive(children) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not alive(children)
    subprocess.run([*command, str(tmp_path / "out")], env=offline(), check=True, capture_output=True)
    found = [row["verdict"] for row in rows(tmp_path / "out" / "results.jsonl")]
    assert found[:120] == ["pass" if n % 2 else "fail" for n in range(120)] and found[120] == "fail"
