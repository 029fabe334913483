"""One student after another: what is skipped, what is replaced, and what a failed run leaves of the others."""

import json
import shutil
from pathlib import Path

import pytest
from seedkit.claims import take
from stand_in_trainer import SIZES, calls, run_folder
from support import Command, reseal

SCRIPT = "training/train.py"


def test_finished_students_are_skipped_and_others_never_taken_for_them(
    tmp_path: Path, partition: Path, arguments: list[object], script_main: Command
) -> None:
    assert script_main(SCRIPT, *arguments).returncode == 0
    again = script_main(SCRIPT, *arguments)
    assert again.returncode == 0
    assert again.stderr.count("finished earlier, skipped") == 3
    assert "EVOL_HIGH_seed42" in again.stdout
    assert [calls(run_folder(tmp_path, name)) for name in SIZES] == [1, 1, 1]
    other = script_main(SCRIPT, *arguments, "--learning_rate", "0.5")
    assert other.returncode == 2
    assert other.stderr.splitlines()[-1].endswith(
        "was made with settings learning_rate 1e-05, not 0.5; choose another --output_dir, or --redo to replace it"
    )
    assert [calls(run_folder(tmp_path, name)) for name in SIZES] == [1, 1, 1]
    with (partition / "HIGH.jsonl").open("ab") as file:
        file.write(b'{"id": "new", "instruction": "a", "input": "", "output": "b"}\n')
    reseal(partition)
    changed = script_main(SCRIPT, *arguments)
    assert changed.returncode == 2
    assert "EVOL_HIGH_seed42: was made with data sha256" in changed.stderr.splitlines()[-1]
    redone = script_main(SCRIPT, *arguments, "--redo")
    assert redone.returncode == 0, redone.stderr
    assert redone.stderr.count("finished earlier, skipped") == 2
    assert json.loads((run_folder(tmp_path, "HIGH") / "run.json").read_text())["records"]["trained"] == 18
    (run_folder(tmp_path, "LOW") / "model" / "model.safetensors").write_bytes(b"")
    damaged = script_main(SCRIPT, *arguments)
    assert damaged.returncode == 2
    assert "run.json says 70 bytes, got 0; --redo trains it again" in damaged.stderr


def test_a_failed_run_is_reported_and_the_others_go_on(
    tmp_path: Path, arguments: list[object], script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fault, message in (
        ("fail=MIDDLE", "ended with code 1"),
        ("lose=MIDDLE", "trained on 11 records, the manifest says 12"),
        ("nan=MIDDLE", "a loss is not finite"),
    ):
        monkeypatch.setenv("STAND_IN", fault)
        done = script_main(SCRIPT, *arguments)
        assert done.returncode == 1
        assert f"2/3 EVOL_MIDDLE_seed42: FAILED: {'llamafactory-cli ' if 'fail' in fault else ''}" in done.stderr
        assert message in done.stderr
        last = done.stderr.splitlines()[-1]
        assert last.startswith("error: 1 of 3 students are not trained: EVOL_MIDDLE_seed42;")
        assert not (run_folder(tmp_path, "MIDDLE") / "run.json").exists()
        assert "EVOL_HIGH_seed42" in done.stdout
        assert "MIDDLE" not in done.stdout
        shutil.rmtree(run_folder(tmp_path, "MIDDLE"))
    monkeypatch.delenv("STAND_IN")
    assert script_main(SCRIPT, *arguments).returncode == 0
    assert [calls(run_folder(tmp_path, name)) for name in SIZES] == [1, 1, 1]


def test_the_last_words_of_a_failed_run_are_shown(
    arguments: list[object], script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN", "fail=LOW")
    assert "    CUDA out of memory, says the stand-in\n" in script_main(SCRIPT, *arguments).stderr


def test_a_foreign_folder_is_left_alone(tmp_path: Path, arguments: list[object], script_main: Command) -> None:
    mine = run_folder(tmp_path, "HIGH") / "thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("years")
    for more in ([], ["--redo"]):
        done = script_main(SCRIPT, *arguments, *more)
        assert done.returncode == 2
        assert "expected an earlier run of train.py or nothing" in done.stderr.splitlines()[-1]
    assert mine.read_text() == "years"
    assert calls(run_folder(tmp_path, "LOW")) == 0


def test_what_commands_with_shares_have_is_refused_without_one(
    tmp_path: Path, arguments: list[object], script_main: Command
) -> None:
    study = tmp_path / "runs" / "llama-full"
    with take(study / ".claims", "EVOL_HIGH_seed42") or pytest.fail(
        "it is free"
    ):  # on a machine that the lock does not reach
        refused = script_main(SCRIPT, *arguments)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].endswith("with --share have EVOL_HIGH_seed42; wait for them to end")
    assert [calls(run_folder(tmp_path, name)) for name in SIZES] == [0, 0, 0]
    assert script_main(SCRIPT, *arguments).returncode == 0
