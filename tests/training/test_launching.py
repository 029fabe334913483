"""How LLaMA-Factory is started on several GPUs, on one of several, and with DeepSpeed."""

import json
import shutil
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from stand_in_trainer import run_folder, stand_in
from support import Command
from training import launching

SCRIPT = "training/train.py"


def test_several_gpus_go_through_llamafactorys_launcher(
    tmp_path: Path, arguments: list[object], script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    two = stand_in(tmp_path / "two", ["A100", "A100"], deepspeed="0.16.4")
    folder = run_folder(tmp_path, "LOW")
    common = [*arguments, "--subsets", "*_LOW", "--environment", two, "--device", "cuda", "--redo"]
    for more, started, spread in (
        (["--deepspeed_stage", "3"], ("1", "2", None), (2, 1)),
        ([], ("1", "2", None), (2, 1)),
        (["--gpus", "1"], (None, None, "0"), (4, 1)),
    ):
        shutil.rmtree(folder, ignore_errors=True)
        done = script_main(SCRIPT, *common, *more)
        assert done.returncode == 0, done.stderr
        assert tuple(json.loads((folder / "started.json").read_text()).values()) == started
        settings = yaml.safe_load((folder / "train.yaml").read_text())
        assert (settings["per_device_train_batch_size"], settings["gradient_accumulation_steps"]) == spread
        assert settings["bf16"] and not settings["use_cpu"]
        assert ("deepspeed" in settings) == bool("3" in more)
    zero = json.loads((folder.parent / "deepspeed_stage3.json").read_text())["zero_optimization"]
    assert zero["stage"] == 3
    assert json.loads((folder / "run.json").read_text())["hardware"]["gpus"] == ["A100"]


def test_a_run_says_how_far_it_is_from_the_first(
    tmp_path: Path, arguments: list[object], script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first step is logged, and while a step takes long."""
    monkeypatch.setattr(launching, "REPORT_S", 1)
    monkeypatch.setenv("STAND_IN", "slow=LOW")
    done = script_main(SCRIPT, *arguments, "--subsets", "*_LOW")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("1/1 EVOL_LOW_seed42: ")]
    assert sum("no step logged in " in line for line in lines) >= 1
    assert sum("step 9 of 9, loss 7.000" in line for line in lines) >= 2
