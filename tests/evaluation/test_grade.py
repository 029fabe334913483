"""grade.py as a command: verdicts and pass@k, what it says without a sandbox, and what is left when it is killed."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from grading_cases import PROBLEMS, grade_flags, right, sample, write
from seedkit.display import Progress
from seedkit.verify import verify
from support import ROOT, Command, contents, offline, rows

SCRIPT = "evaluation/grade.py"


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    return write(tmp_path / "problems.jsonl", PROBLEMS)


def test_verdicts_counts_and_pass_at_k(tmp_path: Path, problems: Path, script_main: Command) -> None:
    samples = [
        sample(1, right(1)),
        sample(0, "    return 0\n"),
        sample(0, f"\ndef add0(a, b):\n{right(0)}"),
        sample(1, "    return (\n"),
        sample(2, "    while True: pass\n", sample=5),
        sample(2, right(2), sample=0),
    ]
    flags = grade_flags(write(tmp_path / "s.jsonl", samples), problems, tmp_path / "out", "--workers", 2)
    done = script_main(SCRIPT, *flags, "--k", 1, 2, "--min_seconds", 0.5)
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
    assert {row["sandbox"] for row in rows(tmp_path / "out" / "results.jsonl")} <= {"bubblewrap", "landlock"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["pass_at_k"]["2"]["value"] == 1.0 and summary["pass_at_k"]["1"]["value"] == 0.5
    assert summary["final"] and summary["isolated"] and summary["missing"] == [f"HumanEval/{n}" for n in (3, 4, 5)]
    assert summary["verdicts"] | {"pass": 3, "fail": 1, "syntax": 1, "timeout": 1} == summary["verdicts"]
    assert verify(tmp_path / "out") == []


def test_more_than_the_samples_of_any_problem_is_refused(tmp_path: Path, problems: Path, script_main: Command) -> None:
    """Of some problems fewer are there: then that one figure is missing, and why is said."""
    path = write(tmp_path / "s.jsonl", [sample(0, right(0)), sample(1, right(1)), sample(1, "    return 0\n")])
    arguments = grade_flags(path, problems, tmp_path / "out")
    for given, least in ((["1", "10"], 10), (["3"], 3)):
        done = script_main(SCRIPT, *arguments, "--k", *given)
        assert done.returncode == 2
        expected = f"--k {least}: expected at least {least} samples of a problem in {path}, got at most 2"
        assert done.stderr == f"error: {expected}\n"
        assert not (tmp_path / "out").exists()
    done = script_main(SCRIPT, *arguments, "--k", 1, 2)
    assert done.returncode == 0 and "pass@2: not computed, 1 problems have fewer than 2 samples" in done.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["pass_at_k"]["2"]["value"] is None and summary["pass_at_k"]["1"]["value"] == 0.75


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "the following arguments are required: --samples, --benchmark"),
        (["--samples", "s.jsonl", "--benchmark", "humaneval", "--k", "0"], "argument --k: expected a whole number"),
        (["--samples", "s.jsonl", "--benchmark", "humaneval", "--kk", "1"], "unrecognized arguments: --kk 1"),
    ],
    ids=str,
)
def test_a_wrong_command_line_is_one_line(given: list[str], said: str, script_main: Command) -> None:
    done = script_main(SCRIPT, *given)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and done.stderr.startswith(f"error: {said}")


def test_it_says_how_far_it_is_while_one_sample_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script_main: Command
) -> None:
    monkeypatch.setattr(Progress, "EVERY_S", 0.3)
    slow = {"canonical_solution": f"    import time\n    time.sleep(0.5)\n{right(0)}"}  # called twice
    problems = write(tmp_path / "problems.jsonl", [{**PROBLEMS[0], **slow}])
    samples = write(tmp_path / "s.jsonl", [sample(0, slow["canonical_solution"])])
    done = script_main(
        SCRIPT, "--samples", samples, "--benchmark", "humaneval", "--benchmark_file", problems, "--workers", 1
    )
    assert done.returncode == 0, done.stderr
    for step in ("humaneval, controls: 0 of 2 records, at work", "humaneval: 0 of 1 records, at work"):
        assert step in done.stderr


def test_verdicts_on_another_benchmark_are_not_replaced(tmp_path: Path, problems: Path, script_main: Command) -> None:
    out = tmp_path / "grades"  # the default for samples in tmp_path
    row = {
        "task_id": 2,
        "prompt": "Write a function f that returns its argument plus 2.",
        "code": "def f(x): return x + 2",
    }
    mbpp = write(tmp_path / "mbpp.jsonl", [{**row, "test_imports": [], "test_list": ["assert f(3) == 5"]}])
    first = ["--samples", write(tmp_path / "s.jsonl", [sample(0, right(0))]), "--workers", 1]
    first += ["--benchmark", "humaneval", "--benchmark_file", problems]
    second = ["--samples", write(tmp_path / "t.jsonl", [{"task_id": 2, "completion": row["code"]}]), "--workers", 1]
    second += ["--benchmark", "mbpp", "--benchmark_file", mbpp]
    assert script_main(SCRIPT, *first).returncode == 0
    before = contents(out)
    refused = script_main(SCRIPT, *second)
    assert refused.returncode == 2
    said = refused.stderr.splitlines()[-1]
    assert f"{out}: holds results.jsonl of another run" in said and "humaneval" in said and "--overwrite" in said
    assert contents(out) == before
    assert script_main(SCRIPT, *first).returncode == 0  # the same benchmark again is a rerun
    done = script_main(SCRIPT, *second, "--overwrite")
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "summary.json").read_text())["benchmark"] == "mbpp" and verify(out) == []


def test_an_interval_of_none_is_not_certain(tmp_path: Path, problems: Path, script_main: Command) -> None:
    path = write(tmp_path / "s.jsonl", [sample(number, "    return 0\n") for number in range(1, 6)])
    done = script_main(SCRIPT, *grade_flags(path, problems, tmp_path / "out"))
    assert "pass@1: 0.0% (95% interval 0.0% to 43.4%)" in done.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["pass_at_k"]["1"]["interval_95"] == [0.0, pytest.approx(0.4345, abs=1e-4)]


def test_without_isolation_it_is_marked(tmp_path: Path, problems: Path, script_main: Command) -> None:
    samples = write(tmp_path / "s.jsonl", [sample(0, right(0))])
    done = script_main(SCRIPT, *grade_flags(samples, problems, tmp_path / "out", "--unsafe_no_isolation"))
    assert done.returncode == 0 and "WITHOUT ISOLATION" in done.stdout and "NO ISOLATION" in done.stderr
    assert rows(tmp_path / "out" / "results.jsonl")[0]["sandbox"] == "none"
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["isolated"] is False
    assert (summary["environment"]["sandbox"], summary["environment"]["sandbox_version"]) == ("none", "none")


def test_it_refuses_where_no_sandbox_works(
    tmp_path: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, script_main: Command
) -> None:
    monkeypatch.setattr("sandbox.judging.self_check.failing", lambda name: "not on this machine")
    samples = write(tmp_path / "s.jsonl", [sample(0, right(0))])
    done = script_main(SCRIPT, *grade_flags(samples, problems, tmp_path / "out"))
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "bubblewrap: not on this machine; landlock: not" in done.stderr and "--unsafe_no_isolation" in done.stderr


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
    flags = grade_flags(write(tmp_path / "s.jsonl", samples), problems, tmp_path / "out", "--workers", 2)
    command = [sys.executable, str(ROOT / "Code" / SCRIPT), *map(str, flags)]
    for seconds in (0.2, 1.2, 2.1):
        process = subprocess.Popen(command, env=offline(), stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        children = below(process.pid) - {process.pid}
        process.kill()
        process.wait()
        deadline = time.monotonic() + 5
        while alive(children) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not alive(children)
    subprocess.run(command, env=offline(), check=True, capture_output=True)
    found = [row["verdict"] for row in rows(tmp_path / "out" / "results.jsonl")]
    assert found[:120] == ["pass" if n % 2 else "fail" for n in range(120)] and found[120] == "fail"
