"""train.py: what it writes, what it skips, what it refuses; and, with --heavy, what LLaMA-Factory really does with it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from seedkit.files import file_facts
from seedkit.models import model_revision
from stand_in_trainer import SIZES, calls, run_folder, stand_in
from study_cases import tertiles_and_student, train_flags
from support import ROOT, Command, offline, reseal, rows
from training import llamafactory_environment

SCRIPT = "training/train.py"
ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # two that wait for each other are slower where the machine is shared


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
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 4,
        "seed": 7,
        "bf16": False,
        "use_cpu": True,
        "disable_gradient_checkpointing": True,
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
    *row, _ = done.stdout.splitlines()[1].split()  # the last column is how many seconds it took
    assert row == ["EVOL_MIDDLE_seed7", "12", "9", "3.00", "7.8889", "7.0000"]
    assert (folder.parent / "losses.png").read_bytes().startswith(b"\x89PNG")
    assert b"EVOL_MIDDLE" in (folder.parent / "losses.svg").read_bytes()


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
        assert 0 < made["answer_tokens"] < made["tokens"]
        assert made["answer_tokens_seen"] == 3 * made["answer_tokens"]  # epochs
        assert made["versions"]["llamafactory"] == "0.9.5"
        assert made["hardware"] == {"machine": "x86_64", "cpus": 2, "gpus": []}
        assert made["model"]["revision"] == model_revision(str(folder / "model"))
        assert not list((folder / "model").glob("checkpoint-*"))
        assert str(tmp_path) not in (folder / "run.json").read_text()


def test_with_equal_tokens_every_student_sees_the_same_number_of_them(
    tmp_path: Path, arguments: list[object], script_main: Command
) -> None:
    """The subsets have 9, 12 and 17 records; batches of 4 make 3, 4 and 5 steps a pass, of three passes."""
    assert script_main(SCRIPT, *arguments, "--equal_tokens").returncode == 0
    made = [json.loads((run_folder(tmp_path, name) / "run.json").read_text()) for name in SIZES]
    assert [run["steps"] for run in made] == [9, 7, 8]
    passes, seen = [run["answer_tokens"] for run in made], [run["answer_tokens_seen"] for run in made]
    assert max(passes) / min(passes) > 1.8
    assert max(seen) / min(seen) < 1.06  # a step more or less is a seventh of what the second sees


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
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_llama, damaged)
    (damaged / "config.json").write_text("{")
    old = stand_in(tmp_path / "old", [], llamafactory="0.9.3")
    gpu = stand_in(tmp_path / "gpu", ["A100"])
    new = stand_in(tmp_path / "new", ["A100"], deepspeed="0.18.5")
    no_nvcc = stand_in(tmp_path / "no_nvcc", ["A100"], deepspeed="0.18.4")
    python = no_nvcc / "bin" / "python"
    python.write_text(python.read_text() + "[ \"$2\" != 'import deepspeed' ] || { echo MissingCUDA >&2; exit 1; }\n")
    setup = f"run {llamafactory_environment.SETUP}, or name another with --environment or {llamafactory_environment.VARIABLE}"
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
        (["--student", damaged], "config.json: expected a model's configuration in JSON"),
        (["--student", "codellama-7b"], "codellama/CodeLlama-7b-hf: no such folder, and not to be had from"),
        (["--environment", tmp_path / "none"], f"found no bin/python in it; {setup}"),
        (["--environment", old], f"llamafactory is 0.9.3, expected 0.9.5; {setup}"),
        (["--environment", gpu, "--device", "auto", "--gpus", "2"], "--gpus 2: torch sees 1"),
        (
            ["--environment", gpu, "--device", "cuda", "--deepspeed_stage", "3"],
            "deepspeed>=0.10.0,<=0.18.4, got none; ",
        ),
        (
            ["--environment", new, "--device", "cuda", "--deepspeed_stage", "3"],
            "deepspeed>=0.10.0,<=0.18.4, got 0.18.5; ",
        ),
        (["--environment", gpu, "--device", "cuda", "--liger"], "--liger needs liger-kernel>=0.6.3, got none; "),
        (
            ["--environment", no_nvcc, "--device", "cuda", "--deepspeed_stage", "3"],
            "deepspeed cannot be imported: Missing",
        ),
        (["--device", "cuda"], "torch sees no GPU"),
        (["--gpus", "1"], "--device cpu: expected no --gpus"),
        (
            ["--liger"],
            "--device cpu: expected no --gpus, --gpus_per_run, --gpu_memory_gb, --deepspeed_stage or --liger with it",
        ),
        (["--subsets", "*none*"], "--subsets *none*: matches none of the data files"),
        (["--template", "guess"], "--template guess: expected one of alpaca"),
        (["--seed", "1", "1"], "expected different seeds"),
        (["--learning_rate", "-1"], "expected a number above 0"),
        (["--equal_steps", "--equal_tokens"], "argument --equal_tokens: not allowed with argument --equal_steps"),
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


def test_flags_may_have_llamafactorys_names(
    tmp_path: Path, partition: Path, environment: Path, tiny_llama: Path, script_main: Command
) -> None:
    common = ["--partitions", partition, "--environment", environment, "--device", "cpu", "--dry_run"]
    ours = ["--student", tiny_llama, "--finetuning", "lora", "--epochs", 2, "--output_dir", tmp_path / "runs"]
    named = {"--student": "--model_name_or_path", "--finetuning": "--finetuning_type", "--epochs": "--num_train_epochs"}
    theirs = [named.get(str(word), word) for word in ours]
    done = [script_main(SCRIPT, *common, *flags) for flags in (ours, theirs)]
    assert [one.returncode for one in done] == [0, 0], done[1].stderr
    assert done[0].stdout == done[1].stdout
    assert "num_train_epochs: 2.0" in done[0].stdout
    assert "(lora, " in done[0].stdout


@pytest.mark.parametrize("end", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.heavy)])
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
    wait_for(lambda: (folder / "model" / "checkpoint-9" / "trainer_state.json").exists(), process, 180)
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


def test_a_disk_that_cannot_be_written_is_said_before_anything_is_done(
    arguments: list[object], script_main: Command, disk: Callable[..., Path]
) -> None:
    folder = disk("1m", read_only=True)
    for more in ([], ["--dry_run"]):
        done = script_main(SCRIPT, *arguments, "--output_dir", folder / "runs", *more)
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].endswith(
            f"runs/llama-full: expected a folder to write to, got no permission to write to {folder}"
        )
        assert "template" not in done.stderr  # nothing was read


def test_a_full_disk_is_one_line_and_nothing_looks_finished(
    tmp_path: Path, arguments: list[object], script_main: Command, disk: Callable[..., Path]
) -> None:
    folder = disk("64k")
    (folder / "full").write_bytes(bytes(60 << 10))
    command = [*arguments, "--output_dir", folder / "runs"]
    done = script_main(SCRIPT, *command)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert [path.name for path in folder.rglob("run.json")] == []
    assert list(folder.rglob("*.partial")) == []
    (folder / "full").unlink()
    subprocess.run(["mount", "-o", "remount,size=16m", folder], check=True)
    assert script_main(SCRIPT, *command).returncode == 0


def wait_for(condition: Any, process: "subprocess.Popen[Any]", timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)


# What follows trains for real.


@pytest.fixture(scope="session")
def tertiles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tertiles_and_student(tmp_path_factory.mktemp("tertiles"))


def real_command(tertiles: tuple[Path, Path], environment: str, output: Path, *more: object) -> list[str]:
    steps = ["--max_steps", 16, "--save_steps", 2, "--learning_rate", "3e-3"]
    flags = train_flags(tertiles, environment, output, *steps, *more)
    return [sys.executable, str(ROOT / "Code" / SCRIPT), *map(str, flags)]


@pytest.mark.heavy
def test_real_students_killed_and_resumed(
    tmp_path: Path, tertiles: tuple[Path, Path], trainer_environment: str
) -> None:
    command = real_command(tertiles, trainer_environment, tmp_path / "runs out")
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
        name: facts["lines"] for name, facts in json.loads((tertiles[0] / "manifest.json").read_text())["files"].items()
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
    whole = real_command(tertiles, trainer_environment, tmp_path / "whole", "--subsets", "*_T2_*")
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


@pytest.mark.heavy
def test_a_full_disk_leaves_nothing_that_looks_finished(
    disk: Callable[[str], Path], tertiles: tuple[Path, Path], trainer_environment: str
) -> None:
    """A disk of 16 MB: one student fits with its first checkpoint, a second checkpoint does not."""
    small_disk = disk("16m")
    command = real_command(tertiles, trainer_environment, small_disk / "runs", "--subsets", "*_T1_*")
    done = subprocess.run(
        command, env={**offline(), **ONE_THREAD}, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr.splitlines()[-1]
    assert not list(small_disk.rglob("run.json"))
