"""SmolLM2 as the teacher of 30 instructions: through transformers, through vLLM, through vLLM's server, and on to a student."""

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from seedkit.verify import verify
from study_cases import finished, train_flags
from support import ROOT, Command, offline, rows

pytestmark = pytest.mark.heavy
ANSWER, VERIFY = "teacher/answer_seeds.py", "teacher/verify_answers.py"
COUNT = 30
TOKENS = 128
KEY = "sk-that-the-server-knows"
SHORT = "Answer with one short Python program and nothing else."  # SmolLM2 goes on for long otherwise
SAMPLE = ROOT / "Datas" / "sample"


@pytest.fixture(scope="module")
def instructions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of EVOL and of OSS, half of them each."""
    path = tmp_path_factory.mktemp("instructions") / "SAMPLE.jsonl"
    files = [(SAMPLE / f"{name}.jsonl").read_bytes().splitlines() for name in ("EVOL", "OSS")]
    lines = [line for file in files for line in file[: COUNT // 2]]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def by_transformers(smollm2: Path, instructions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transformers") / "answers"
    finished(ANSWER, *asked(instructions, smollm2, folder), "--device", "cpu", "--engine", "transformers")
    return folder


def asked(instructions: Path, teacher: object, folder: Path) -> list[object]:
    asked = ["--input_file", instructions, "--teacher", teacher, "--max_new_tokens", TOKENS, "--output_dir", folder]
    return [*asked, "--system_prompt", SHORT]


def checked(folder: Path, script_command: Command) -> dict[str, int]:
    """Verify the answers in a folder; returns the verdicts, which must vary."""
    assert verify(folder) == []
    assert len(rows(folder / "answers.jsonl")) == COUNT
    done = script_command(VERIFY, "--answers", folder, "--seconds", 5)
    assert done.returncode == 0, done.stderr
    assert verify(folder / "verified") == []
    verdicts = json.loads((folder / "verified" / "manifest.json").read_text())["verdicts"]
    found = {name: count for name, count in verdicts.items() if count}
    print(done.stdout)
    assert len(found) >= 3 and sum(found.values()) == COUNT and "infra_error" not in found
    return found


def test_through_transformers(by_transformers: Path, script_command: Command) -> None:
    checked(by_transformers, script_command)


def alike(first: Path, second: Path) -> float:
    """The share of answers that two engines give in the same words; each must have read prompts of the same length."""
    pairs = list(zip(rows(first / "answers.jsonl"), rows(second / "answers.jsonl"), strict=True))
    assert all(a["id"] == b["id"] and a["prompt_tokens"] == b["prompt_tokens"] for a, b in pairs)
    return [a["text"] == b["text"] for a, b in pairs].count(True) / len(pairs)


def test_through_vllm(
    smollm2: Path,
    instructions: Path,
    by_transformers: Path,
    script_command: Command,
    vllm_environment: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "Code"))
    python = f"{vllm_environment}/bin/python"
    more = ["--device", "cpu", "--engine", "vllm", "--dtype", "float32"]
    done = script_command(
        ANSWER, *asked(instructions, smollm2, tmp_path / "vllm"), *more, python=python, timeout_s=1500
    )
    assert done.returncode == 0, done.stderr
    checked(tmp_path / "vllm", script_command)
    assert alike(by_transformers, tmp_path / "vllm") > 0.8  # both in float32 and greedy


def test_through_the_server_of_vllm(
    smollm2: Path,
    instructions: Path,
    by_transformers: Path,
    script_command: Command,
    vllm_environment: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with served(smollm2, vllm_environment, tmp_path / "log") as url:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        done = script_command(
            ANSWER, *asked(instructions, "smollm2", tmp_path / "served"), "--endpoint", url, timeout_s=1500
        )
        assert done.returncode == 0, done.stderr
        wrong = script_command(ANSWER, *asked(instructions, "another", tmp_path / "wrong"), "--endpoint", url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-another-than-it-knows")
        no_key = script_command(ANSWER, *asked(instructions, "smollm2", tmp_path / "no_key"), "--endpoint", url)
    checked(tmp_path / "served", script_command)
    assert alike(by_transformers, tmp_path / "served") > 0.8
    assert wrong.returncode == 2 and "no such model" in wrong.stderr and "does not exist" in wrong.stderr
    assert no_key.returncode == 2 and "it refuses OPENAI_API_KEY" in no_key.stderr and "sk-another" not in no_key.stderr


@contextlib.contextmanager
def served(model: Path, environment: str, log: Path) -> Iterator[str]:
    """The base URL of vLLM's server on loopback: what `vllm serve` runs, a command that vLLM's CPU build does not have."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    flags = ["--served-model-name", "smollm2", "--host", "127.0.0.1", "--port", port, "--dtype", "float32"]
    flags += ["--enforce-eager", "--max-model-len", 2048, "--generation-config", "vllm", "--api-key", KEY]
    command = [f"{environment}/bin/python", "-m", "vllm.entrypoints.openai.api_server", "--model", model, *flags]
    environ = {**offline(), "PATH": f"{environment}/bin:{os.environ['PATH']}"}
    with log.open("wb") as file:
        server = subprocess.Popen(
            list(map(str, command)), stdout=file, stderr=file, env=environ, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline and server.poll() is None:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).status == 200:
                    break
            time.sleep(1)
        else:
            raise AssertionError(log.read_text(errors="replace")[-5000:])
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def test_from_the_teacher_to_a_student(
    by_transformers: Path, smollm2: Path, script_command: Command, trainer_environment: str, tmp_path: Path
) -> None:
    """teacher -> RQ1 -> train -> evaluate."""
    checked(by_transformers, script_command)
    records = by_transformers / "verified" / "SAMPLE_TEACHER.jsonl"
    finished("RQ1_complexity/complexity_scorer.py", "--input_file", records, "--scorer", "embedded",
             "--perplexity_model", "embedded", "--device", "cpu", "--output_dir", tmp_path / "RQ1" / "SAMPLE")  # fmt: skip
    more = ["--finetuning", "lora", "--max_steps", 2, "--save_steps", 2]
    flags = train_flags((tmp_path / "RQ1" / "SAMPLE", smollm2), trainer_environment, tmp_path / "runs", *more)
    finished("training/train.py", *flags, "--subsets", "*T1*")
    (model,) = (tmp_path / "runs").glob("*-lora/*/model")
    finished("evaluation/generate.py", "--model", model, "--benchmark", "humaneval", "--limit", 2, "--max_new_tokens", 64,
             "--device", "cpu", "--output_dir", tmp_path / "samples")  # fmt: skip
    done = script_command(
        "evaluation/grade.py", "--samples", tmp_path / "samples" / "samples.jsonl", "--benchmark", "humaneval"
    )
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path / "samples" / "grades" / "results.jsonl")) == 2
