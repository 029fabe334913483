"""How LLaMA-Factory is started on several GPUs, on one of several, and with DeepSpeed."""

import json
import shutil
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from stand_in_trainer import run_folder, stand_in
from support import Command
from training import launching, presets
from training.estimates import gpu_memory
from training.placement import USABLE

SCRIPT = "training/train.py"


def test_several_gpus_go_through_llamafactorys_launcher(
    tmp_path: Path, arguments: list[object], script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    two = stand_in(tmp_path / "two", ["A100", "A100"], deepspeed="0.18.4", liger_kernel="0.6.4")
    folder = run_folder(tmp_path, "LOW")
    common = [*arguments, "--subsets", "*_LOW", "--environment", two, "--device", "cuda", "--redo"]
    for more, started, spread in (
        (["--deepspeed_stage", "3"], ("1", "2", None, "1"), (2, 1)),
        (["--liger"], ("1", "2", None, "1"), (2, 1)),
        (["--gpus", "1"], (None, None, "0", "1"), (4, 1)),
    ):
        shutil.rmtree(folder, ignore_errors=True)
        done = script_main(SCRIPT, *common, *more)
        assert done.returncode == 0, done.stderr
        assert tuple(json.loads((folder / "started.json").read_text()).values()) == started
        settings = yaml.safe_load((folder / "train.yaml").read_text())
        assert (settings["per_device_train_batch_size"], settings["gradient_accumulation_steps"]) == spread
        assert settings["bf16"] and not settings["use_cpu"]
        made = json.loads((folder / "run.json").read_text())
        assert made["plan"]["settings"].get("enable_liger_kernel") == settings.get("enable_liger_kernel")
        assert settings.get("enable_liger_kernel") == ("--liger" in more or None)
        assert made["zero_stage"] == (3 if "3" in more else None)
        if "3" in more:
            assert settings["deepspeed"] == str(folder / "deepspeed.json")
            assert json.loads((folder / "deepspeed.json").read_text())["zero_optimization"]["stage"] == 3
        else:
            assert "deepspeed" not in settings
            assert not (folder / "deepspeed.json").exists()
    assert made["hardware"]["gpus"] == ["A100"]
    assert made["versions"]["liger-kernel"] == "0.6.4"


def test_the_users_own_order_of_attention_kernels_stands(
    tmp_path: Path, arguments: list[object], script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_CUDNN_SDPA_DEPRIORITIZED", "0")
    assert script_main(SCRIPT, *arguments, "--subsets", "*_LOW").returncode == 0
    started = json.loads((run_folder(tmp_path, "LOW") / "started.json").read_text())
    assert started["TORCH_CUDNN_SDPA_DEPRIORITIZED"] == "0"


def test_zero_stage_3_is_taken_where_memory_asks_for_it(
    tmp_path: Path, arguments: list[object], script_main: Command
) -> None:
    """GPUs so small that half of the tiny student fits, but not the whole of it."""
    student = presets.student(str(arguments[arguments.index("--student") + 1]), "full")
    sizes = {at: gpu_memory(student, 1, 40, 2, at) for at in (None, 3)}
    whole, third = (memory.total for memory in sizes.values() if memory)
    assert whole > 1.2 * third
    two = stand_in(tmp_path / "two", ["A100", "A100"], gpu_bytes=(whole + third) / 2 / USABLE, deepspeed="0.18.4")
    common = [*arguments, "--subsets", "*_LOW", "--cutoff_len", 40, "--environment", two, "--device", "cuda"]
    done = script_main(SCRIPT, *common)
    assert done.returncode == 0, done.stderr
    assert (
        "ZeRO stage 3: DeepSpeed, because without it the students do not fit into the memory of 2 GPUs" in done.stderr
    )
    assert json.loads((run_folder(tmp_path, "LOW") / "run.json").read_text())["zero_stage"] == 3
    lone = stand_in(tmp_path / "lone", ["A100"], gpu_bytes=third / 2)
    done = script_main(SCRIPT, *common, "--environment", lone)
    assert done.returncode == 2
    assert "llama: full fine-tuning with one sample of 40 tokens at a time needs about" in done.stderr.splitlines()[-1]


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
