"""train.py: what it refuses, what it writes, what it skips; and, with --heavy, what LLaMA-Factory really does with it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from seedkit.errors import InputError
from seedkit.files import file_facts
from seedkit.manifest import OutputFolder
from seedkit.models import model_revision
from seedkit.records import json_lines
from support import ROOT, Command, offline, reseal, rows
from training import launching, losses, planned_runs, presets, student_run
from training.presets import Student

SCRIPT = "training/train.py"
REQUIREMENTS = ROOT / "Code" / "training" / "requirements.txt"
SIZES = {"LOW": 9, "MIDDLE": 12, "HIGH": 17}
# what LLaMA-Factory leaves, without training: fast, and it can be told to fail, to lose a record or to take its time
STAND_IN = """#!{python}
import json, os, sys, time
from pathlib import Path
import yaml
settings = yaml.safe_load(Path(sys.argv[2]).read_text())
info = json.loads((Path(settings["dataset_dir"]) / "dataset_info.json").read_text())[settings["dataset"]]
told = {{part.split("=")[0]: part.split("=")[1] for part in os.environ.get("STAND_IN", "").split() if "=" in part}}
model = Path(settings["output_dir"])
model.mkdir(exist_ok=True)
with open(Path(settings["dataset_dir"]) / "calls", "a") as calls:
    calls.write(f"{{sorted(path.name for path in model.iterdir())}}\\n")
names = ("FORCE_TORCHRUN", "NPROC_PER_NODE", "CUDA_VISIBLE_DEVICES")
(Path(settings["dataset_dir"]) / "started.json").write_text(json.dumps({{name: os.environ.get(name) for name in names}}))
if told.get("fail", "-") in settings["dataset"]:
    sys.exit("CUDA out of memory, says the stand-in")
lines = Path(info["file_name"]).read_bytes().count(b"\\n") - (told.get("lose", "-") in settings["dataset"])
print(f"[INFO] Num examples = {{lines:,}}", file=sys.stderr)
steps = settings["max_steps"]
with open(model / "trainer_log.jsonl", "a") as log:
    for step in range(1, steps + 1):
        loss = float("nan") if told.get("nan", "-") in settings["dataset"] else 8.0 - step / steps
        log.write(json.dumps({{"current_steps": step, "total_steps": steps, "loss": loss}}) + "\\n")
checkpoint = model / f"checkpoint-{{steps}}"
checkpoint.mkdir(exist_ok=True)
(checkpoint / "trainer_state.json").write_text(json.dumps({{"global_step": steps}}))
if told.get("hang", "-") in settings["dataset"]:
    time.sleep(60)
(model / "trainer_state.json").write_text(json.dumps({{"global_step": steps}}))
(model / "train_results.json").write_text(json.dumps({{"epoch": 3.0, "train_loss": 7.5}}))
(model / "model.safetensors").write_bytes(b"weights" * 10)
"""


@pytest.fixture
def partition(tmp_path: Path) -> Path:
    """A finished output folder with three subsets, and a file that holds no records."""
    folder = tmp_path / "RQ1" / "EVOL"
    files = {f"{name}.jsonl": size for name, size in SIZES.items()}
    with OutputFolder(folder, "RQ1_complexity", [*files, "scores.jsonl"], sources=[]) as output:
        for name, size in files.items():
            records = [
                {"id": f"{name}{n}", "instruction": f"add {n}", "input": "", "output": f"print({n})\n" * 8}
                for n in range(size)
            ]
            output.write(name, json_lines(records))
        output.write("scores.jsonl", json_lines([{"id": "a", "complexity": 1.0}]))
        output.finish({"source": "EVOL"})
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Looks like LLaMA-Factory's environment on a machine without a GPU."""
    pins = [line.split("==") for line in REQUIREMENTS.read_text().splitlines() if "==" in line]
    return stand_in(tmp_path / "environment", {"gpus": [], "installed": {name: version for name, version in pins}})


def stand_in(folder: Path, facts: dict[str, Any]) -> Path:
    (folder / "bin").mkdir(parents=True)
    probed = {"python": "3.11.7", "cpus": 2, "machine": "x86_64", **facts}
    for name, text in (
        ("python", f"#!/bin/sh\necho '{json.dumps(probed)}'\n"),
        ("llamafactory-cli", STAND_IN.format(python=sys.executable)),
    ):
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    return folder


@pytest.fixture
def arguments(partition: Path, environment: Path, tiny_llama: Path, tmp_path: Path) -> list[object]:
    return [
        "--partitions",
        partition,
        "--student",
        tiny_llama,
        "--output_dir",
        tmp_path / "runs",
        "--batch_size",
        4,
        "--environment",
        environment,
        "--device",
        "cpu",
    ]


def run_folder(tmp_path: Path, name: str) -> Path:
    return tmp_path / "runs" / "llama-full" / f"EVOL_{name}_seed42"


def calls(folder: Path) -> int:
    """How often the trainer was started there."""
    path = folder / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_settings_are_llamafactorys_own(
    tmp_path: Path, partition: Path, tiny_llama: Path, arguments: list[object], script_main: Command
) -> None:
    done = script_main(SCRIPT, *arguments, "--learning_rate", "1e-3", "--seed", 7, "--subsets", "*_MIDDLE")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "llama-full" / "EVOL_MIDDLE_seed7"
    assert json.loads((folder / "dataset_info.json").read_text()) == {
        "EVOL_MIDDLE": {
            "file_name": str(partition / "MIDDLE.jsonl"),
            "columns": {"prompt": "instruction", "query": "input", "response": "output"},
        }
    }
    settings = yaml.safe_load((folder / "train.yaml").read_text())
    assert settings == {
        "model_name_or_path": str(tiny_llama),
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full",
        "template": "default",
        "cutoff_len": 2048,
        "num_train_epochs": 3.0,
        "lr_scheduler_type": "cosine",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "learning_rate": 0.001,
        "max_steps": 9,
        "warmup_steps": 1,
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 1,
        "seed": 7,
        "bf16": False,
        "use_cpu": True,
        "packing": False,
        "overwrite_cache": True,
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_steps": 1,
        "save_total_limit": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "dataset_dir": str(folder),
        "dataset": "EVOL_MIDDLE",
        "output_dir": str(folder / "model"),
    }
    assert done.stdout.splitlines()[1].split() == ["EVOL_MIDDLE_seed7", "12", "9", "3.00", "7.8889", "7.0000", "0"]
    assert (folder.parent / "losses.png").read_bytes().startswith(b"\x89PNG")


def test_small_numbers_are_numbers_in_yaml() -> None:
    for value in (1e-05, 1e-3, 5e-324, 1e22, 3.0, 42, True, "none", 'a "b": #c', "/with space/\u00fc"):
        (line,) = student_run.yaml_lines({"key": value})
        read = yaml.safe_load(line)["key"]
        assert read == pytest.approx(value) if isinstance(value, float) else read == value
        assert type(read) is type(value)


def test_run_json_says_what_it_was_made_from(
    tmp_path: Path, partition: Path, tiny_llama: Path, arguments: list[object], script_main: Command
) -> None:
    assert script_main(SCRIPT, *arguments).returncode == 0
    for name, size in SIZES.items():
        folder = run_folder(tmp_path, name)
        made = json.loads((folder / "run.json").read_text())
        assert made["records"] == {"manifest": size, "trained": size}
        assert made["plan"]["data"]["sha256"] == file_facts(partition / f"{name}.jsonl").sha256
        assert made["plan"]["student"] == {"model": "llama", "revision": model_revision(str(tiny_llama))}
        assert made["plan"]["settings"]["batch_size"] == 4
        assert made["loss"]["final"] == 7.0
        assert made["versions"]["llamafactory"] == "0.9.5"
        assert made["hardware"] == {"machine": "x86_64", "cpus": 2, "gpus": []}
        assert made["model"]["revision"] == model_revision(str(folder / "model"))
        assert not list((folder / "model").glob("checkpoint-*"))
        assert str(tmp_path) not in (folder / "run.json").read_text()


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
    for told, message in (
        ("fail=MIDDLE", "ended with code 1"),
        ("lose=MIDDLE", "trained on 11 records, the manifest says 12"),
        ("nan=MIDDLE", "a loss is not finite"),
    ):
        monkeypatch.setenv("STAND_IN", told)
        done = script_main(SCRIPT, *arguments)
        assert done.returncode == 1
        assert f"2/3 EVOL_MIDDLE_seed42: FAILED: {'llamafactory-cli ' if 'fail' in told else ''}" in done.stderr
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


def test_data_that_change_under_way_are_noticed(
    tmp_path: Path, partition: Path, tiny_llama: Path, environment: Path
) -> None:
    (found,) = planned_runs.subsets([partition], "*_LOW", None, 2048)
    assert planned_runs.unchanged(found)
    path = partition / "LOW.jsonl"
    path.write_bytes(path.read_bytes().replace(b"add 1", b"add 2"))
    assert not planned_runs.unchanged(found)


def test_what_a_kill_left_is_cleared_and_whole_checkpoints_are_kept(tmp_path: Path, partition: Path) -> None:
    (found,) = planned_runs.subsets([partition], "*_LOW", None, 2048)
    run = planned_runs.Run("r", found, 1, 9, {})
    folder = tmp_path / "r"
    assert student_run.state(folder, {}) == "new"
    assert student_run.begin(folder, run, {"format": 1}) == 0
    model = folder / "model"
    for step in (2, 4, 10):
        (model / f"checkpoint-{step}").mkdir(parents=True)
    (model / "checkpoint-2" / "trainer_state.json").write_text('{"global_step": 2}')
    (model / "checkpoint-4" / "trainer_state.json").write_text('{"global_st')
    assert student_run.begin(folder, run, {"format": 1}) == 2
    assert [path.name for path in model.iterdir()] == ["checkpoint-2"]
    (model / "checkpoint-2" / "trainer_state.json").unlink()
    assert student_run.begin(folder, run, {"format": 1}) == 0
    assert not model.exists()  # LLaMA-Factory refuses a folder with weights and no checkpoint


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_killed_at_any_time_it_takes_its_trainer_along(
    tmp_path: Path, arguments: list[object], script_main: Command, end: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "Code" / SCRIPT), *map(str, arguments)],
        env={**offline(), "STAND_IN": "hang=MIDDLE"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    folder = run_folder(tmp_path, "MIDDLE")
    wait_for(lambda: (folder / "model" / "checkpoint-9" / "trainer_state.json").exists(), process, 60)
    assert (run_folder(tmp_path, "LOW") / "run.json").exists()
    os.kill(process.pid, end)
    process.wait()
    assert not (folder / "run.json").exists()
    start = time.monotonic()
    done = script_main(SCRIPT, *arguments)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start < 30  # the trainer would have slept for 60 s, and kept the folder
    assert "2/3 EVOL_MIDDLE_seed42: 12 records, 9 steps, from step 9" in done.stderr
    assert [calls(run_folder(tmp_path, name)) for name in SIZES] == [1, 2, 1]
    assert json.loads((folder / "run.json").read_text())["resumed_from_step"] == 9


def wait_for(condition: Any, process: "subprocess.Popen[Any]", timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_dry_run_shows_the_matrix_and_writes_nothing(
    tmp_path: Path, partition: Path, tiny_llama: Path, arguments: list[object], script_main: Command
) -> None:
    done = script_main(SCRIPT, *arguments, "--dry_run", "--seed", 1, 2)
    assert done.returncode == 0, done.stderr
    table = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.startswith("EVOL_")}
    assert list(table) == [f"EVOL_{name}_seed{seed}" for seed in (1, 2) for name in ("LOW", "MIDDLE", "HIGH")]
    # records, truncated, steps = 3 x ceil(records / 4), epochs, state
    assert [table["EVOL_HIGH_seed1"][n] for n in (1, 3, 4, 5, 7)] == ["17", "0", "15", "3.00", "new"]
    assert int(table["EVOL_HIGH_seed1"][2].replace(",", "")) > 17 * 20
    assert not (tmp_path / "runs").exists()
    missing = script_main(
        SCRIPT,
        "--partitions",
        partition,
        "--student",
        "qwen2.5-coder-7b",
        "--output_dir",
        tmp_path / "runs",
        "--dry_run",
        "--environment",
        tmp_path / "none",
    )
    assert missing.returncode == 0, missing.stderr
    assert "GPU hours unknown" in missing.stdout
    assert "no tokens are counted" in missing.stderr


def test_gpu_hours_by_hand() -> None:
    subset = planned_runs.Subset("s", Path("s"), "", 1000, "", tokens=1_000_000)
    student = Student("m", "default", 8, "full", {"batch_size": 100}, 1_000_000_000)
    run = planned_runs.Run("r", subset, 1, 30, {})
    # 3 passes x 1e6 tokens x 1e9 parameters x 8 operations at 124.8e12 a second
    assert planned_runs.gpu_hours(run, student) == pytest.approx(3e6 * 1e9 * 8 / 124.8e12 / 3600)
    assert planned_runs.gpu_hours(run, Student("m", "default", 8, "lora", {"batch_size": 100}, None)) is None


def test_equal_steps_and_batches_over_gpus(partition: Path, tiny_llama: Path) -> None:
    found = planned_runs.subsets([partition], "*", None, 2048)
    student = presets.student(str(tiny_llama), "full").with_settings(None, batch_size=12)

    def made(gpus: int = 1, equal_steps: bool = False, max_steps: int | None = None) -> list[planned_runs.Run]:
        return planned_runs.matrix(
            found, [1], student, gpus=gpus, cpu=False, equal_steps=equal_steps, max_steps=max_steps, save_steps=None
        )

    assert [run.steps for run in made()] == [3, 3, 6]
    assert [run.steps for run in made(equal_steps=True)] == [3, 3, 3]
    assert [run.steps for run in made(equal_steps=True, max_steps=5)] == [5, 5, 5]
    for gpus, split in ((1, (6, 2)), (2, (6, 1)), (3, (4, 1)), (4, (3, 1))):
        settings = made(gpus)[0].settings
        assert (settings["per_device_train_batch_size"], settings["gradient_accumulation_steps"]) == split
        assert settings["bf16"]
    with pytest.raises(InputError, match="expected a multiple of the 5 GPUs"):
        made(5)
    # the same student, however its batch is spread
    plans = [student_run.plan(made(gpus)[0], {}, 12) for gpus in (1, 4)]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("finetuning", presets.FINETUNING)
def test_every_preset_is_whole(finetuning: str) -> None:
    assert len(presets.names()) == 5
    for name in presets.names():
        student = presets.student(name, finetuning)
        assert student.settings["cutoff_len"] == 2048
        assert student.settings["num_train_epochs"] == 3.0
        assert student.settings["lr_scheduler_type"] == "cosine"
        assert ("lora_rank" in student.settings) == (finetuning == "lora")
        text = (presets.FOLDER / f"{name}.yaml").read_text()
        assert f"https://huggingface.co/{student.model}\n# Licence: " in text
        assert float(name.rpartition("-")[2].removesuffix("b")) == pytest.approx(
            (student.parameters or 0) / 1e9, rel=0.1
        )


def test_refusals_are_one_line_and_exit_code_2(
    tmp_path: Path, partition: Path, environment: Path, tiny_llama: Path, arguments: list[object], script_main: Command
) -> None:
    (tmp_path / "empty").mkdir()
    tampered, lossy = tmp_path / "tampered", tmp_path / "lossy"
    for copy in (tampered, lossy):
        shutil.copytree(partition, copy)
        with (copy / "LOW.jsonl").open("ab") as file:
            file.write(b'{"id": "x", "instruction": "a", "input": "", "output": null}\n')
    reseal(lossy)
    lost = tmp_path / "lost"
    shutil.copytree(partition, lost)
    (lost / "LOW.jsonl").write_bytes((lost / "LOW.jsonl").read_bytes() + b'{"instruction": 1, "output": "b"}\n')
    reseal(lost)
    weightless = tmp_path / "weightless"
    shutil.copytree(tiny_llama, weightless)
    (weightless / "model.safetensors").unlink()
    pins = [line.split("==") for line in REQUIREMENTS.read_text().splitlines() if "==" in line]
    old = stand_in(tmp_path / "old", {"gpus": [], "installed": {**dict(pins), "llamafactory": "0.9.3"}})
    gpu = stand_in(tmp_path / "gpu", {"gpus": ["A100"], "installed": dict(pins)})
    setup = f"run {launching.SETUP}, or name another with --environment or {launching.VARIABLE}"
    for changed, message in (
        (["--partitions", tmp_path / "empty"], "manifest.json: no such file; the folder is unfinished"),
        (["--partitions", tmp_path / "none"], "expected a finished output folder, got none"),
        (["--partitions", tampered], "not what its manifest says, nothing is trained"),
        (["--partitions", lossy], 'LLaMA-Factory would lose 1 of 10 records: "output" is missing or null'),
        (["--partitions", lost], "LLaMA-Factory would lose the whole file"),
        (["--partitions", partition, partition], "2 data files would have that name"),
        (["--student", "gpt-5"], "expected a model folder, or one of codellama-7b, deepseek-coder-1.3b"),
        (["--student", tmp_path / "none"], "expected a model folder"),
        (["--student", tmp_path / "empty"], "found no config.json in it"),
        (["--student", weightless], "found no weights"),
        (["--student", "codellama-7b"], "codellama/CodeLlama-7b-hf: no such folder, and not to be had from"),
        (["--environment", tmp_path / "none"], f"found no bin/python in it; {setup}"),
        (["--environment", old], f"llamafactory is 0.9.3, expected 0.9.5; {setup}"),
        (["--environment", gpu, "--device", "auto", "--gpus", "2"], "--gpus 2: torch sees 1"),
        (["--environment", gpu, "--device", "cuda", "--deepspeed_stage", "3"], "bin/pip install deepspeed"),
        (["--device", "cuda"], "torch sees no GPU"),
        (["--gpus", "1"], "--device cpu: expected neither --gpus"),
        (["--subsets", "*none*"], "--subsets *none*: matches none of the data files"),
        (["--template", "guess"], "--template guess: expected one of alpaca"),
        (["--seed", "1", "1"], "expected different seeds"),
        (["--learning_rate", "-1"], "expected a number above 0"),
        (["--cutoff_len", "20", "--strict"], "are longer than --cutoff_len 20"),
        (["--output_dir", partition / "LOW.jsonl"], "expected a folder to write to, got a file"),
    ):
        done = script_main(SCRIPT, *arguments, *changed)
        assert done.returncode == 2, (changed, done.stderr)
        assert message in done.stderr.splitlines()[-1], done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()
    required = script_main(SCRIPT, "--partitions", partition)
    assert "the following arguments are required: --student, --output_dir" in required.stderr


def test_several_gpus_go_through_llamafactorys_launcher(
    tmp_path: Path, arguments: list[object], script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = dict(line.split("==") for line in REQUIREMENTS.read_text().splitlines() if "==" in line)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    two = stand_in(tmp_path / "two", {"gpus": ["A100", "A100"], "installed": {**pins, "deepspeed": "0.16.4"}})
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


def test_truncation_is_reported_and_trained(arguments: list[object], script_main: Command) -> None:
    done = script_main(SCRIPT, *arguments, "--cutoff_len", 40, "--subsets", "*_LOW")
    assert done.returncode == 0, done.stderr
    assert "EVOL_LOW: 9 of 9 records are longer than --cutoff_len 40; " in done.stderr


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


def test_the_log_of_an_interrupted_run(tmp_path: Path) -> None:
    written = [(1, 8.0), (2, 7.0), (3, 6.0), (2, 7.5), (3, 6.5), (4, 6.0)]
    text = "".join(json.dumps({"current_steps": step, "total_steps": 4, "loss": loss}) + "\n" for step, loss in written)
    (tmp_path / losses.LOG).write_text(text + '{"current_steps": 4, "epoch": 1.0}\n{"current_st')
    found = losses.log_rows(tmp_path)
    assert [(row["current_steps"], row["loss"]) for row in found] == [(1, 8.0), (2, 7.5), (3, 6.5), (4, 6.0)]
    assert losses.loss_summary(found) == {"first": 8.0, "last": 6.0, "final": 6.0}
    assert losses.log_rows(tmp_path / "none") == []
    many = {f"run{n}": found for n in range(losses.LEGEND + 1)}
    assert losses.curves("t", many) == losses.curves("t", many)


def test_the_tiny_student_is_the_same_every_time(tmp_path: Path, script_main: Command) -> None:
    small = ["--vocab_size", 400, "--hidden_size", 32, "--layers", 1, "--input_file", ROOT / "Datas/sample/EVOL.jsonl"]
    for name in ("one", "two"):
        done = script_main("training/tiny_student.py", "--output_dir", tmp_path / name, *small)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    assert model_revision(str(tmp_path / "one")) == model_revision(str(tmp_path / "two"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("a")
    for more, message in (
        (["--output_dir", tmp_path / "mine"], "expected a new or empty folder"),
        (["--output_dir", tmp_path / "x", "--hidden_size", 30], "expected a multiple of 8"),
        (["--output_dir", tmp_path / "x", "--vocab_size", 10], "expected at least 300"),
    ):
        done = script_main("training/tiny_student.py", *small, *more)
        assert done.returncode == 2
        assert message in done.stderr.splitlines()[-1]


# What follows trains for real.


@pytest.fixture(scope="session")
def real_environment() -> str:
    folder = os.environ.get(launching.VARIABLE)
    if not folder:
        pytest.skip("no environment with LLaMA-Factory: bash tests/run.sh --all makes it")
    return folder


@pytest.fixture(scope="session")
def thirds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The bundled sample's thirds by complexity, and a student to train on them."""
    folder = tmp_path_factory.mktemp("thirds")
    for script, more in (
        (
            "RQ1_complexity/complexity_scorer.py",
            [
                "--input_file",
                "Datas/sample/EVOL.jsonl",
                "--source_name",
                "EVOL",
                "--output_dir",
                folder / "EVOL",
                "--scorer",
                "embedded",
                "--device",
                "cpu",
            ],
        ),
        ("training/tiny_student.py", ["--output_dir", folder / "tiny"]),
    ):
        command = [sys.executable, f"Code/{script}", *map(str, more)]
        done = subprocess.run(command, cwd=ROOT, env=offline(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder / "EVOL", folder / "tiny"


def real_command(thirds: tuple[Path, Path], environment: str, output: Path, *more: object) -> list[str]:
    parts = [
        sys.executable,
        ROOT / "Code" / SCRIPT,
        "--partitions",
        thirds[0],
        "--student",
        thirds[1],
        "--output_dir",
        output,
        "--environment",
        environment,
        "--device",
        "cpu",
        "--batch_size",
        4,
        "--max_steps",
        16,
        "--save_steps",
        2,
        "--cutoff_len",
        256,
        "--learning_rate",
        "3e-3",
        *more,
    ]
    return list(map(str, parts))


ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # two that wait for each other are slower where the machine is shared


@pytest.mark.heavy
def test_real_students_killed_and_resumed(tmp_path: Path, thirds: tuple[Path, Path], real_environment: str) -> None:
    command = real_command(thirds, real_environment, tmp_path / "runs out")
    variables = {**offline(), **ONE_THREAD}
    folder = tmp_path / "runs out" / "tiny-full"
    process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    second = folder / "EVOL_RQ1_COMPLEXITY_T2_MIDDLE_seed42"
    wait_for(lambda: (second / "model" / "checkpoint-6" / "trainer_state.json").exists(), process, 300)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    first = folder / "EVOL_RQ1_COMPLEXITY_T1_LOWER_seed42"
    before = (first / "run.json").stat().st_mtime_ns, file_facts(first / "model" / "model.safetensors")
    assert not (second / "run.json").exists()
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    assert "1/3 EVOL_RQ1_COMPLEXITY_T1_LOWER_seed42: finished earlier, skipped" in done.stderr
    assert before == ((first / "run.json").stat().st_mtime_ns, file_facts(first / "model" / "model.safetensors"))
    lines = {
        name: facts["lines"] for name, facts in json.loads((thirds[0] / "manifest.json").read_text())["files"].items()
    }
    for name in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER"):
        made = json.loads((folder / f"EVOL_RQ1_COMPLEXITY_{name}_seed42" / "run.json").read_text())
        assert made["records"]["manifest"] == made["records"]["trained"] == lines[f"RQ1_COMPLEXITY_{name}.jsonl"]
        assert made["steps"] == 16
        assert made["loss"]["final"] < made["loss"]["first"] - 0.5
        assert (made["resumed_from_step"] >= 6) == (name == "T2_MIDDLE")
        log = rows(folder / made["run"] / "model" / "trainer_log.jsonl")
        assert {row["current_steps"] for row in log} == set(range(1, 17))
    assert (folder / "losses.png").read_bytes().startswith(b"\x89PNG")
    assert generated(first / "model")
    whole = real_command(thirds, real_environment, tmp_path / "whole", "--subsets", "*_T2_*")
    subprocess.run(whole, env=variables, capture_output=True, timeout=400, check=True)
    weights = second.relative_to(tmp_path / "runs out") / "model" / "model.safetensors"
    assert file_facts(tmp_path / "whole" / weights) == file_facts(tmp_path / "runs out" / weights)


def generated(model: Path) -> str:
    """What the trained student answers, loaded as anyone would."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(model)
    student = AutoModelForCausalLM.from_pretrained(model)
    prompt = [{"role": "user", "content": "Write a function that adds two numbers."}]
    asked = tokens.apply_chat_template(prompt, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answer = student.generate(**asked, max_new_tokens=16, min_new_tokens=4, do_sample=False)
    text: str = tokens.decode(answer[0][asked["input_ids"].shape[1] :])
    return text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB: one student fits with its first checkpoint, a second checkpoint does not."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here: that needs root and the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.heavy
def test_a_full_disk_leaves_nothing_that_looks_finished(
    small_disk: Path, thirds: tuple[Path, Path], real_environment: str
) -> None:
    command = real_command(thirds, real_environment, small_disk / "runs", "--subsets", "*_T1_*")
    done = subprocess.run(
        command, env={**offline(), **ONE_THREAD}, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr.splitlines()[-1]
    assert not list(small_disk.rglob("run.json"))
