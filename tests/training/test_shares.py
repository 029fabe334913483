"""Several commands of train.py in one folder: every student is trained once, whoever is killed."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stand_in_trainer import SIZES, calls, run_folder, stand_in
from support import ROOT, Command, offline
from training import training_loop

SCRIPT = "training/train.py"
# train.py as it is, with owners that are taken for dead after 2 s, not 60
QUICK = """
import runpy, sys
from seedkit import claims
claims.BEAT_S = 0.5
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def started(arguments: list[object], share: str, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", QUICK, str(ROOT / "Code" / SCRIPT), *map(str, arguments), "--share", share],
        env={**offline(), "PYTHONPATH": str(ROOT / "Code"), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.heavy
def test_two_commands_train_every_student_once(tmp_path: Path, arguments: list[object]) -> None:
    both = [started(arguments, share) for share in ("1/2", "2/2")]
    said = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert [calls(run_folder(tmp_path, name)) for name in SIZES] == [1, 1, 1]
    study = tmp_path / "runs" / "llama-full"
    assert all(claim.read_text().endswith("ended\n") for claim in (study / ".claims").iterdir())
    assert any("curves in" in err and "final loss" in out for out, err in said)
    assert sum(err.count(": finished in") for _, err in said) == 3


def test_what_a_killed_command_had_is_taken_over(tmp_path: Path, arguments: list[object]) -> None:
    first = started(arguments, "1/2", STAND_IN="hang=HIGH")  # the longest, with which the first share begins
    folder = run_folder(tmp_path, "HIGH")
    deadline = time.monotonic() + 120
    while not (folder / "model" / "checkpoint-15" / "trainer_state.json").exists():
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    second = started(arguments, "2/2")
    while not (run_folder(tmp_path, "LOW") / "run.json").exists():
        assert second.poll() is None, second.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert calls(folder) == 1  # it is alive, and passed over
    first.kill()
    first.communicate()
    _, err = second.communicate(timeout=200)
    assert second.returncode == 0, err
    assert [calls(run_folder(tmp_path, name)) for name in SIZES] == [1, 1, 2]
    assert "EVOL_HIGH_seed42: 17 records, 15 steps, from step 15" in err
    claims = tmp_path / "runs" / "llama-full" / ".claims"
    assert [path.name for path in sorted(claims.glob("EVOL_HIGH*"))] == ["EVOL_HIGH_seed42.1", "EVOL_HIGH_seed42.2"]


def test_with_and_without_shares_exclude_each_other(
    tmp_path: Path, arguments: list[object], script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_loop, "GRACE_S", 1)  # whoever is there gets two of them to end, not 20 s
    alone = started(arguments, "1/1", STAND_IN="hang=LOW")
    deadline = time.monotonic() + 120
    while not (run_folder(tmp_path, "LOW") / "model").exists():
        assert alone.poll() is None, alone.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    done = script_main(SCRIPT, *arguments)
    alone.kill()
    alone.communicate()
    assert done.returncode == 2
    assert "another run is training here" in done.stderr


def test_the_plan_says_what_a_share_begins_with(arguments: list[object], script_main: Command) -> None:
    done = script_main(SCRIPT, *arguments, "--dry_run", "--share", "1/2")
    assert done.returncode == 0, done.stderr
    assert "Share 1 of 2 begins with EVOL_HIGH_seed42, EVOL_LOW_seed42 (about" in done.stdout
    for wrong in ("0/2", "3/2", "2"):
        refused = script_main(SCRIPT, *arguments, "--share", wrong)
        assert refused.returncode == 2
        assert f"expected I/N, from 1/N to N/N, got '{wrong}'" in refused.stderr


@pytest.mark.heavy
def test_students_side_by_side_have_gpus_of_their_own(tmp_path: Path, arguments: list[object]) -> None:
    many = stand_in(tmp_path / "node", ["NVIDIA H100"] * 5)
    command = [sys.executable, str(ROOT / "Code" / SCRIPT), *map(str, arguments), "--environment", str(many)]
    command += ["--device", "cuda", "--seed", "1", "2", "--gpus_per_run"]
    # 6 s each, so that all are at work at once
    variables = {**offline(), "CUDA_VISIBLE_DEVICES": "7,6,5,4,3", "STAND_IN": "slow=EVOL"}
    # as in QUICK, for the commands that this one starts
    (tmp_path / "sitecustomize.py").write_text("from seedkit import claims\nclaims.BEAT_S = 0.5\n")
    variables["PYTHONPATH"] = f"{tmp_path}:{ROOT / 'Code'}"

    def run(gpus: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*command, gpus], env=variables, capture_output=True, text=True, timeout=250, check=False)

    done = run("2")
    assert done.returncode == 0, done.stderr
    assert "--gpus_per_run 2: 1 of 5 GPUs stay idle" in done.stderr
    folders = sorted((tmp_path / "runs" / "llama-full").glob("EVOL_*"))
    assert [calls(folder) for folder in folders] == [1] * 6
    started = [json.loads((folder / "started.json").read_text()) for folder in folders]
    assert {one["CUDA_VISIBLE_DEVICES"] for one in started} == {"7,6", "5,4"}
    assert {one["NPROC_PER_NODE"] for one in started} == {"2"}
    refused = run("6")
    assert refused.returncode == 2
    assert "--gpus_per_run 6: expected as many GPUs, got 5" in refused.stderr
