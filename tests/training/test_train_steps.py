"""What train.py says before it trains: the table of a dry run, and truncated records."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from stand_in_trainer import SIZES, run_folder
from support import Command
from tiny_models import llama, tokenizer
from training import presets
from training.encoding import NAMES, TEMPLATES, TOKENIZER, RecordEncoder

SCRIPT = "training/train.py"


def test_a_dry_run_shows_the_runs_and_writes_nothing(
    tmp_path: Path, partition: Path, tiny_llama: Path, arguments: list[object], script_main: Command
) -> None:
    done = script_main(SCRIPT, *arguments, "--dry_run", "--seed", 1, 2)
    assert done.returncode == 0, done.stderr
    table = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.startswith("EVOL_")}
    assert list(table) == [f"EVOL_{name}_seed{seed}" for seed in (1, 2) for name in ("LOW", "MIDDLE", "HIGH")]
    # records, truncated, steps = 3 x ceil(records / 4), epochs, steps to take, state
    assert [table["EVOL_HIGH_seed1"][n] for n in (1, 4, 5, 6, 7, 9)] == ["17", "0", "15", "3.00", "15", "new"]
    assert int(table["EVOL_HIGH_seed1"][2].replace(",", "")) > 17 * 20
    assert f"{partition}: its manifest has no balance table" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("With 2 students of each subset, ") and "12.2 points on 164 problems (HumanEval)" in last
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


def test_a_dry_run_shows_in_what_else_the_subsets_differ(
    tmp_path: Path, arguments: list[object], partition: Path, script_main: Command
) -> None:
    files = {f"{name}.jsonl": 0.1 * number for number, name in enumerate(SIZES)}
    manifest = json.loads((partition / "manifest.json").read_text())
    rows = {
        name: {"records": 9, "answer_tokens": {"mean": 100 * (1 + share), "sd": 20, "median": 9}, "python": {"mean": share, "sd": 0.4}}
        for name, share in files.items()
    }  # fmt: skip
    manifest["balance"] = {"subsets": rows}
    (partition / "manifest.json").write_text(json.dumps(manifest))
    done = script_main(SCRIPT, *arguments, "--dry_run")
    assert done.returncode == 0, done.stderr
    assert "balance: means  answer tokens  Python\nEVOL_LOW                100.0    0.0%\n" in done.stdout
    assert "above 0.25: answer tokens +1.00 (HIGH against LOW), Python +0.50 (HIGH against LOW)" in done.stdout
    two = script_main(SCRIPT, *arguments, "--dry_run", "--subsets", "*_M*")
    assert "WARNING" not in two.stdout  # of those that are trained


def test_a_dry_run_on_the_cpu_says_the_hours_and_the_steps_that_are_left(
    tmp_path: Path, arguments: list[object], tiny_llama: Path, script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry = [*arguments, "--dry_run"]
    first = script_main(SCRIPT, *dry)
    header, *table = [line for line in first.stdout.splitlines() if line.startswith(("student ", "EVOL_"))]
    assert "CPU hours" in header and "A100" not in first.stdout
    _, records, tokens, padding, _, steps, passes, left, hours, _, seen = table[2].split()
    assert header.endswith("state  answer tokens seen")
    assert (
        0.5 < int(seen.replace(",", "")) / (3 * int(tokens.replace(",", ""))) < 1
    )  # three passes, the prompts left out
    assert (records, steps, passes, left) == ("17", "15", "3.00", "15")
    parameters = presets.student(str(tiny_llama), "full").parameters
    assert parameters
    assert float(hours) == pytest.approx(
        8 * parameters * int(tokens.replace(",", "")) / (1 - float(padding.rstrip("%")) / 100) * 3 / (2 * 56e9) / 3600,
        rel=0.05,
    )
    assert "A step of 4: 1 at a time on the CPU\n" in first.stdout
    assert "on each of 2 cores" in first.stdout
    assert first.stdout.splitlines()[-1].startswith(
        "With one seed, subsets of one draw cannot be told from their seeds"
    )
    assert script_main(SCRIPT, *arguments, "--subsets", "*_LOW").returncode == 0
    monkeypatch.setenv("STAND_IN", "fail=MIDDLE")
    assert script_main(SCRIPT, *arguments, "--subsets", "*_MIDDLE").returncode == 1
    checkpoint = run_folder(tmp_path, "MIDDLE") / "model" / "checkpoint-4"
    checkpoint.mkdir(parents=True)
    (checkpoint / "trainer_state.json").write_text('{"global_step": 4}')
    (checkpoint.parent / "checkpoint-8").mkdir()  # not whole
    second = script_main(SCRIPT, *dry)
    table = [line for line in second.stdout.splitlines() if line.startswith("EVOL_")]
    assert [(line.split()[5], line.split()[7], line.split()[9]) for line in table] == [
        ("9", "0", "finished"),
        ("9", "5", "unfinished"),
        ("15", "15", "new"),
    ]
    assert (checkpoint.parent / "checkpoint-8").exists()  # a dry run removes nothing


def test_a_dry_run_fails_where_the_run_would(
    tmp_path: Path, arguments: list[object], environment: Path, script_main: Command
) -> None:
    assert script_main(SCRIPT, *arguments, "--subsets", "*_LOW").returncode == 0
    (run_folder(tmp_path, "HIGH")).mkdir()
    (run_folder(tmp_path, "HIGH") / "thesis.txt").write_text("years")
    for more in (
        ["--subsets", "*_LOW", "--learning_rate", "0.5"],
        ["--subsets", "*_HIGH"],
        ["--subsets", "*_HIGH", "--redo"],
        ["--environment", tmp_path / "none"],
        ["--student", "qwen2.5-coder-7b"],
        ["--output_dir", tmp_path / "environment" / "bin" / "python"],
    ):
        done = [script_main(SCRIPT, *arguments, *more, *dry) for dry in ([], ["--dry_run"])]
        assert [one.returncode for one in done] == [2, 2], (more, done[1].stderr)
        assert done[0].stderr.splitlines()[-1] == done[1].stderr.splitlines()[-1]
    redo = ["--subsets", "*_LOW", "--learning_rate", "0.5", "--redo", "--dry_run"]
    assert script_main(SCRIPT, *arguments, *redo).stdout.count(" other ") == 1


def test_a_plan_for_gpus_is_made_where_there_are_none(
    tmp_path: Path, arguments: list[object], environment: Path, script_main: Command
) -> None:
    """A login node: with LLaMA-Factory's environment or without one, but no GPU."""
    plan = [*arguments, "--device", "auto", "--dry_run", "--student", "qwen2.5-coder-7b", "--batch_size", 64]
    no_environment = [*plan, "--environment", tmp_path / "none"]
    done = script_main(SCRIPT, *no_environment, "--gpus", 8, "--gpu_memory_gb", 80)
    assert done.returncode == 0, done.stderr
    assert (
        "A step of 64: 2 at a time on each of 8 GPUs, which takes about 27 GB (17 for weights, gradients and Adam's "
        "moments in ZeRO stage 3) of 80; 90% are counted on\n"
    ) in done.stdout
    for more, message in (
        (["--gpus", 1], "needs about 142 GB (122 for"),
        (["--gpus", 8, "--gpu_memory_gb", 24], "needs about 22 GB (17 for"),
        (["--gpus", 3], "--batch_size 64: expected a multiple of the 3 GPUs"),
    ):
        refused = script_main(SCRIPT, *no_environment, *more)
        assert refused.returncode == 2
        assert message in refused.stderr.splitlines()[-1]
    fewest = script_main(SCRIPT, *no_environment)
    assert "A step of 64: 1 at a time on each of 2 GPUs, which takes about 68 GB" in fewest.stdout, fewest.stderr
    lora = script_main(SCRIPT, *no_environment, "--finetuning", "lora")
    assert "on the GPU, which takes about 27 GB (16 for" in lora.stdout, lora.stderr
    small = [*arguments, "--device", "auto", "--dry_run"]
    done = script_main(SCRIPT, *small, "--gpus", 2)
    assert "A step of 4: 2 at a time on each of 2 GPUs, which takes about 0 GB" in done.stdout, done.stderr
    lacking = script_main(SCRIPT, *plan, "--gpus", 8)
    assert lacking.returncode == 2
    (line,) = [line for line in lacking.stderr.splitlines() if line.startswith("error: ")]
    assert f"{environment}: DeepSpeed, because without it the students do not fit into the memory of 8 GPUs" in line
    assert "needs deepspeed>=0.10.0,<=0.18.4, got none; on a machine with nvcc" in line


def test_truncation_is_reported_and_trained(arguments: list[object], script_main: Command) -> None:
    done = script_main(SCRIPT, *arguments, "--cutoff_len", 40, "--subsets", "*_LOW")
    assert done.returncode == 0, done.stderr
    assert "EVOL_LOW: 9 of 9 records are longer than --cutoff_len 40; " in done.stderr


CHAT = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system message') }}{% endif %}" + CHAT


def student(folder: Path, chat_template: Any) -> Path:
    return llama(folder, tokenizer(eos_token="<|end|>", chat_template=chat_template))


@pytest.mark.parametrize(
    ("chat_template", "flags", "said", "written"),
    [
        (CHAT, [], "template tokenizer: the tokenizer has a chat template of its own", None),
        (None, [], "template default: the tokenizer has no chat template of its own", "default"),
        (
            CHAT,
            ["--template", "alpaca"],
            "template alpaca, named by --template; the tokenizer's own chat template is not taken",
            "alpaca",
        ),
        (NO_SYSTEM, ["--template", "alpaca"], "template alpaca, named by --template; the tokenizer's own", "alpaca"),
        (CHAT, ["--template", "tokenizer"], "template tokenizer, named by --template\n", None),
        (
            None,
            ["--template", "tokenizer"],
            "template tokenizer, named by --template: the tokenizer has no chat template of its own, LLaMA-Factory "
            "takes empty",
            None,
        ),
        # LLaMA-Factory reads a chat template that is one text
        (
            [{"name": "default", "template": CHAT}, {"name": "tools", "template": CHAT}],
            [],
            "template default: the tokenizer has no chat template of its own",
            "default",
        ),
    ],
)
def test_which_template_is_taken_and_why(
    tmp_path: Path,
    arguments: list[object],
    script_main: Command,
    chat_template: Any,
    flags: list[str],
    said: str,
    written: str | None,
) -> None:
    folder = student(tmp_path / "chat", chat_template)
    done = script_main(SCRIPT, *arguments, "--student", folder, "--subsets", "*_LOW", *flags)
    assert done.returncode == 0, done.stderr
    assert said in done.stderr
    settings = yaml.safe_load((tmp_path / "runs" / "chat-full" / "EVOL_LOW_seed42" / "train.yaml").read_text())
    assert settings.get("template") == written  # none: LLaMA-Factory takes the tokenizer's
    seen = script_main("training/llamafactory_doctor.py", arguments[1], "--tokenizer", folder, *flags)
    assert said in seen.stderr


def test_a_chat_template_that_cannot_be_used_is_named_before_anything_is_trained(
    tmp_path: Path, arguments: list[object], script_main: Command
) -> None:
    folder = student(tmp_path / "chat", NO_SYSTEM)
    done = script_main(SCRIPT, *arguments, "--student", folder)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "no system message" in line
    assert line.endswith(f"name another with --template ({', '.join(TEMPLATES)})")
    assert not (tmp_path / "runs").exists()


def test_a_template_that_a_preset_names_is_taken_and_said(tmp_path: Path) -> None:
    encoder = RecordEncoder(str(student(tmp_path / "chat", CHAT)), "qwen")
    assert encoder.why("the preset qwen2.5-coder-1.5b") == (
        "template qwen, named by the preset qwen2.5-coder-1.5b; the tokenizer's own chat template is not taken"
    )


@pytest.mark.parametrize("script", [SCRIPT, "training/llamafactory_doctor.py"])
def test_help_lists_the_templates(script_main: Command, script: str) -> None:
    text = " ".join(script_main(script, "--help").stdout.split())
    assert f"{', '.join(NAMES)} (the tokenizer's own)" in text
    assert TOKENIZER in NAMES
