"""Grading on HumanEval+ and MBPP+: base and plus in one run, answers to the base benchmarks, and going on after a kill."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from grading_cases import write
from python_problems import MBPP_PLUS, PLUS
from seedkit.manifest import OutputFolder
from support import ROOT, Command, offline, rows

SCRIPT = "evaluation/grade.py"
RIGHT, BASE_ALONE, WRONG = "    return a + b\n", "    return a + b if a else 7\n", "    return 0\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    return write(tmp_path / "HumanEvalPlus.jsonl", [{**PLUS, "task_id": f"HumanEval/{n}"} for n in range(3)])


def answers(folder: Path, benchmark: str, samples: list[dict[str, Any]]) -> Path:
    """A folder as generate.py leaves it, as far as grade.py looks."""
    with OutputFolder(folder, "generate", ("samples.jsonl",), sources=[]) as output:
        output.write("samples.jsonl", [json.dumps(sample).encode() + b"\n" for sample in samples])
        output.finish({"benchmark": benchmark})
    return folder / "samples.jsonl"


def flags(samples: Path, problems: Path, out: Path, name: str = "humaneval-plus", workers: int = 1) -> list[object]:
    named = ["--samples", samples, "--benchmark", name, "--benchmark_file", problems]
    return [*named, "--output_dir", out, "--workers", workers]


def samples(*bodies: str, prefix: str = "HumanEval") -> list[dict[str, Any]]:
    return [{"task_id": f"{prefix}/{number}", "completion": body} for number, body in enumerate(bodies)]


@pytest.mark.parametrize("benchmark", ["humaneval", "humaneval-plus"])
def test_one_run_gives_both_figures(benchmark: str, tmp_path: Path, problems: Path, script_main: Command) -> None:
    path = answers(tmp_path / "answers", benchmark, samples(RIGHT, BASE_ALONE, WRONG))
    done = script_main(SCRIPT, *flags(path, problems, tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert "pass@1: 33.3%" in done.stdout and "pass@1 on the base tests alone: 66.7%" in done.stdout
    found = rows(tmp_path / "out" / "results.jsonl")
    assert [(row["verdict"], row["base"]) for row in found] == [("pass", "pass"), ("fail", "pass"), ("fail", "fail")]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["pass_at_k"]["1"]["value"] == pytest.approx(1 / 3)
    assert summary["base_pass_at_k"]["1"]["value"] == pytest.approx(2 / 3)
    assert summary["base_pass_at_k"].keys() == summary["pass_at_k"].keys()
    (journal,) = (tmp_path / "out" / ".grades").iterdir()
    assert [row["base"] for row in rows(journal)[1:]] == ["pass", "pass", "fail"]
    again = script_main(SCRIPT, *flags(path, problems, tmp_path / "out"))
    assert "3 verdicts taken from earlier runs" in again.stderr and again.stdout == done.stdout
    assert rows(tmp_path / "out" / "results.jsonl") == found


def test_answers_to_another_benchmark_are_refused(tmp_path: Path, problems: Path, script_main: Command) -> None:
    path = answers(tmp_path / "answers", "mbpp", samples(RIGHT))
    done = script_main(SCRIPT, *flags(path, problems, tmp_path / "out"))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"error: {path}: answers to mbpp, got --benchmark humaneval-plus"


def test_answers_to_humaneval_plus_are_none_to_humaneval(tmp_path: Path, script_main: Command) -> None:
    """What they were asked may differ: the other way round nothing is known of the base benchmark's wording."""
    path = answers(tmp_path / "answers", "humaneval-plus", samples(RIGHT))
    done = script_main(SCRIPT, "--samples", path, "--benchmark", "humaneval", "--output_dir", tmp_path / "out")
    assert done.returncode == 2 and "answers to humaneval-plus, got --benchmark humaneval" in done.stderr


def test_answers_to_problems_of_mbpp_that_mbpp_plus_lacks(tmp_path: Path, script_main: Command) -> None:
    problems = write(tmp_path / "MbppPlus.jsonl", [MBPP_PLUS])
    given = [{"task_id": f"Mbpp/{number}", "completion": "def twice(x): return x + x"} for number in (11, 12, 13)]
    path = answers(tmp_path / "answers", "mbpp", given)
    done = script_main(SCRIPT, *flags(path, problems, tmp_path / "out", "mbpp-plus"))
    assert done.returncode == 0, done.stderr
    assert f"{path}: 2 samples are of problems outside the selection and left out" in done.stderr
    (row,) = rows(tmp_path / "out" / "results.jsonl")
    assert (row["task_id"], row["verdict"], row["base"]) == ("Mbpp/12", "pass", "pass")
    # of somebody else's samples nobody knows which benchmark they answer: there a problem that is none is a mistake
    other = write(tmp_path / "other.jsonl", given)
    done = script_main(SCRIPT, *flags(other, problems, tmp_path / "other", "mbpp-plus"))
    assert done.returncode == 2 and "other.jsonl:1: \"task_id\" 'Mbpp/11' is no problem of mbpp-plus" in done.stderr


def test_a_reference_that_fails_is_named_and_nothing_is_graded(tmp_path: Path, script_main: Command) -> None:
    broken = {**PLUS, "task_id": "HumanEval/1", "plus_input": [["a", 1]]}
    problems = write(tmp_path / "p.jsonl", [PLUS, broken])
    path = answers(tmp_path / "answers", "humaneval-plus", samples(RIGHT, RIGHT))
    done = script_main(SCRIPT, *flags(path, problems, tmp_path / "out"))
    assert done.returncode == 1
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert "e.g. HumanEval/1: the reference must pass, got infra_error the reference of add fails: TypeError" in said
    assert not (tmp_path / "out" / "results.jsonl").exists()


@pytest.mark.heavy
def test_killed_it_goes_on(tmp_path: Path, problems: Path) -> None:
    bodies = [RIGHT, BASE_ALONE, WRONG]
    given = [{"task_id": f"HumanEval/{n % 3}", "completion": f"{bodies[n % 3]}# {n}\n"} for n in range(90)]
    path = answers(tmp_path / "answers", "humaneval-plus", given)
    command = [sys.executable, str(ROOT / "Code" / SCRIPT), *map(str, flags(path, problems, tmp_path / "out"))]
    journal, done = tmp_path / "out" / ".grades", 0
    process = subprocess.Popen(command, env=offline(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and done < 20:
        time.sleep(0.05)
        done = sum(len(file.read_bytes().splitlines()) - 1 for file in journal.iterdir()) if journal.exists() else 0
    process.kill()
    process.wait()
    assert 20 <= done < 90
    whole = subprocess.run(command, env=offline(), check=True, capture_output=True, text=True)
    assert "verdicts taken from earlier runs" in whole.stderr
    found = [(row["verdict"], row["base"]) for row in rows(tmp_path / "out" / "results.jsonl")]
    assert found == [("pass", "pass"), ("fail", "pass"), ("fail", "fail")] * 30
