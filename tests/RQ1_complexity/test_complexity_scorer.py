"""The real command, as a user runs it: what it writes, what it says when something is wrong, what a kill costs."""

import argparse
import functools
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from RQ1_complexity import complexity_scorer_steps as steps
from RQ1_complexity import scorers
from RQ1_complexity.complexity import XCODER
from seedkit import digit_scorer_plan
from seedkit.digit_scorers import TransformersDigits
from seedkit.files import file_facts
from seedkit.records import read_records
from seedkit.verify import verify
from support import ROOT, SCORER, SHARED, Command, contents, killed, rows

OUTPUTS = [
    "RQ1_COMPLEXITY_T1_LOWER.jsonl",
    "RQ1_COMPLEXITY_T2_MIDDLE.jsonl",
    "RQ1_COMPLEXITY_T3_HIGHER.jsonl",
    "complexity_histogram.png",
    "complexity_histogram.svg",
    "complexity_scatter.png",
    "complexity_scatter.svg",
    "complexity_scores.jsonl",
    "manifest.json",
]


def seeds(path: Path, count: int) -> Path:
    """Records of many lengths, Evol-Instruct's schema."""
    pick = random.Random(1)
    words = "sort list tree cache of the and with index file parse query graph".split()
    with path.open("w") as file:
        for number in range(count):
            text = f"Task {number}: " + " ".join(pick.choices(words, k=pick.randrange(1, 30)))
            file.write(json.dumps({"instruction": text, "response": f"answer {number}"}) + "\n")
    return path


def models(llama: Path, gpt2: Path) -> list[object]:
    return ["--scorer", "xcoder", "--scoring_model", llama, "--perplexity_model", gpt2, "--device", "cpu"]


def test_without_gpu_or_hub_on_the_sample(tmp_path: Path, scorer_command: Command, scorer_main: Command) -> None:
    result = scorer_command("--output_dir", tmp_path, "--source_name", "OSS", "--device", "cpu", "--limit", 60)
    assert result.returncode == 0, result.stderr
    assert "scorer: embedded (no CUDA device)" in result.stderr
    folder = tmp_path / "OSS"
    assert sorted(contents(folder)) == sorted(OUTPUTS)
    assert verify(folder) == []
    assert "Spearman with the result: semantic" in result.stdout
    for name in ("complexity_histogram.svg", "complexity_scatter.svg"):
        assert "OSS, n = 60" in (folder / name).read_text()

    scores = rows(folder / "complexity_scores.jsonl")
    source = list(read_records(ROOT / "Datas" / "sample" / "OSS.jsonl"))[:60]
    assert [row["id"] for row in scores] == [record.id for record in source]
    assert list(scores[0]) == ["id", "line", "semantic", "linguistic", "complexity", "tertile", "status", "reason"]
    written = [row for name in OUTPUTS[:3] for row in rows(folder / name)]
    assert {str(row["id"]): row["output"] for row in written} == {record.id: record.output for record in source}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["models"]["semantic"]["scorer"] == "embedded"
    # what is written reads as it is, and splits again to the same tertiles
    again = scorer_main("--input_file", folder / OUTPUTS[0], "--output_dir", tmp_path / "again", "--device", "cpu")
    assert again.returncode == 0, again.stderr


def test_complexity_is_the_mean_of_the_normalised_measures(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command
) -> None:
    data = seeds(tmp_path / "seeds.jsonl", 50)
    for how in ("minmax", "rank"):
        command = [
            "--input_file",
            data,
            "--output_dir",
            tmp_path / "out",
            *models(tiny_llama, tiny_gpt2),
            "--normalize",
            how,
        ]
        result = scorer_main(*command)
        assert result.returncode == 0, result.stderr
        scores = rows(tmp_path / "out" / "complexity_scores.jsonl")
        mean = [0.0] * len(scores)
        for measure in ("semantic", "linguistic"):
            column = [float(str(row[measure])) for row in scores]
            if how == "rank":
                column = [float(sorted(column).index(value)) for value in column]
            low, high = min(column), max(column)
            mean = [total + (value - low) / (high - low) / 2 for total, value in zip(mean, column, strict=True)]
        assert [row["complexity"] for row in scores] == pytest.approx(mean, abs=1e-6)
    assert "100 taken from earlier runs" in result.stdout  # another normalisation computes no score anew


def stored(out: Path) -> int:
    """Lines in the journals of a folder: the scores that are kept, and their headers."""
    return sum(path.read_bytes().count(b"\n") for path in (out / ".scores").glob("*")) if out.exists() else 0


def reached(out: Path, wanted: int) -> bool:
    return stored(out) >= wanted


@pytest.mark.parametrize("moments", [1, pytest.param(3, marks=pytest.mark.heavy)])
def test_killed_at_any_moment_it_ends_with_the_same_bytes(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command, moments: int
) -> None:
    data, out = seeds(tmp_path / "seeds.jsonl", 1200), tmp_path / "killed"
    common = ["--input_file", data, *models(tiny_llama, tiny_gpt2)]
    whole = scorer_main(*common, "--output_dir", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    assert "2,400 scores computed" in whole.stdout

    command = [sys.executable, str(SCORER), *map(str, common), "--output_dir", str(out)]
    pick = random.Random(os.urandom(8))
    before = 0
    for moment in range(moments):  # random ones; of three, one in the beginning, one in the middle, one towards the end
        wanted = int(2400 * 0.8 * (moment + pick.random()) / moments)
        killed(command, begun=functools.partial(reached, out, wanted))
        now = stored(out)
        assert now >= max(before, wanted)
        before = now
    last = scorer_main(*common, "--output_dir", out)
    assert last.returncode == 0, last.stderr
    computed = int(last.stdout.split(" scores computed")[0].split("\n")[-1].replace(",", ""))
    assert computed <= 2400 - max(0, before - 2) + 1024  # headers are lines too; at most one chunk is done again
    assert contents(out) == contents(tmp_path / "whole")
    assert verify(out) == []


def test_a_changed_model_starts_anew(tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command) -> None:
    data = seeds(tmp_path / "seeds.jsonl", 30)
    command = ["--input_file", data, "--output_dir", tmp_path / "out"]
    assert "60 scores computed" in scorer_main(*command, *models(tiny_llama, tiny_gpt2)).stdout
    assert "0 scores computed" in scorer_main(*command, *models(tiny_llama, tiny_gpt2)).stdout
    assert "30 scores computed" in scorer_main(*command, *models(tiny_llama, tiny_llama)).stdout
    assert "60 scores computed" in scorer_main(*command, *models(tiny_llama, tiny_gpt2), "--no-resume").stdout


def test_failures_are_rejected_with_a_reason_or_stop_the_run(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command
) -> None:
    data = seeds(tmp_path / "seeds.jsonl", 40)
    bad = [
        {"instruction": "word " * 600, "response": "long"},
        {"instruction": " \n", "response": "empty"},
        {"instruction": "a", "response": "one token"},
    ]
    with data.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in bad)
        file.write("{broken\n")
    command = [
        "--input_file",
        data,
        "--output_dir",
        tmp_path / "out",
        *models(tiny_llama, tiny_gpt2),
        "--on_bad_record",
        "reject",
    ]
    stopped = scorer_main(*command)
    assert stopped.returncode == 1
    assert stopped.stderr.count("error: ") == 1
    assert f"{data}:41: semantic: the prompt has" in stopped.stderr
    assert "--max_failure_rate 0.0698" in stopped.stderr
    assert not (tmp_path / "out" / "manifest.json").exists()

    result = scorer_main(*command, "--max_failure_rate", "0.0698")
    assert result.returncode == 0, result.stderr
    assert "0 scores computed" in result.stdout
    rejects = rows(tmp_path / "out" / "rejects.jsonl")
    assert [(row["line"], str(row["reason"]).split(":")[0]) for row in rejects] == [
        (41, "semantic"),
        (42, "semantic"),
        (43, "linguistic"),
        (44, "expected one JSON object, got malformed JSON"),
    ]
    assert rejects[3]["record"] == "{broken"
    failed = [row for row in rows(tmp_path / "out" / "complexity_scores.jsonl") if row["status"] == "failed"]
    assert [(row["complexity"], row["tertile"]) for row in failed] == [(None, None)] * 3
    assert verify(tmp_path / "out") == []

    # without them the next run leaves no stale rejects behind
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:40]))
    assert scorer_main(*command).returncode == 0
    assert sorted(contents(tmp_path / "out")) == sorted(OUTPUTS)


def test_a_column_that_cannot_order_the_records_stops_the_split(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command
) -> None:
    data = tmp_path / "same.jsonl"
    data.write_text("".join(json.dumps({"instruction": "Same.", "response": str(n)}) + "\n" for n in range(9)))
    result = scorer_main("--input_file", data, "--output_dir", tmp_path / "out", *models(tiny_llama, tiny_gpt2))
    assert result.returncode == 1
    assert "error: semantic: 9 of 9 records have the same score" in result.stderr
    assert contents(tmp_path / "out") == {}


USAGE = [
    (["--input_file", "none.jsonl"], "no such file"),
    (["--source_name", "OTHER"], "expected one of EVOL, OSS"),
    (["--scorer", "embedded", "--scoring_model", "x"], "has its own model"),
    (["--scorer", "embedded", "--use_vllm"], "no use for it"),
    (["--use_vllm", "--engine", "transformers"], "contradict"),
    (["--device", "cuda"], "no CUDA device is visible"),
    (["--device", "toaster"], "expected auto, cpu, cuda"),
    (["--device", "mps"], "expected auto, cpu, cuda"),
    (["--scoring_model", "no/such"], "model no/such: no such folder"),
    (["--perplexity_model", "no/such"], "model no/such: no such folder"),
    (["--limit", "0"], "expected a whole number of at least 1"),
    (["--max_failure_rate", "2"], "expected a number from 0 to 1"),
    (["--scorer", "guess"], "invalid choice"),
    (["--limit", "2"], "expected at least 3"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=lambda value: value if isinstance(value, str) else " ")
def test_usage_errors_are_one_line_and_exit_code_2(
    tmp_path: Path, arguments: list[str], message: str, scorer_main: Command
) -> None:
    result = scorer_main("--output_dir", tmp_path, *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_the_output_never_overwrites_the_input(tmp_path: Path, scorer_main: Command) -> None:
    data = seeds(tmp_path / OUTPUTS[0], 9)
    before = data.read_bytes()
    for path in (data, tmp_path / "link.jsonl"):
        if path != data:
            path.symlink_to(data)
        result = scorer_main("--input_file", path, "--output_dir", tmp_path)
        assert result.returncode == 2
        assert "overwrite the input" in result.stderr
    assert data.read_bytes() == before


def test_a_scoring_model_that_is_not_the_known_one_is_custom(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command
) -> None:
    data = seeds(tmp_path / "seeds.jsonl", 12)
    command = ["--input_file", data, "--output_dir", tmp_path / "out", "--device", "cpu"]
    # named like the scorer, but nothing says that it is the scorer
    (named := tmp_path / XCODER).parent.mkdir()
    named.symlink_to(tiny_llama)
    for model in (tiny_llama, named):
        result = scorer_main(*command, "--scoring_model", model, "--perplexity_model", tiny_gpt2)
        assert result.returncode == 0, result.stderr
        assert f"scoring model: custom, {model} instead of {XCODER};" in result.stderr
        manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
        assert manifest["models"]["semantic"]["scorer"] == "custom"
    assert "custom" not in scorer_main(*command, "--scorer", "embedded").stderr


def test_the_known_scoring_model_is_no_custom_one(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scorers, "XCODER", str(tiny_llama))  # 16 GB otherwise
    for scoring_model in (None, str(tiny_llama)):
        assert scorers.plan(asked(scoring_model), 9)["semantic"].identity["scorer"] == "xcoder"
    assert "custom" not in capsys.readouterr().err


def asked(scoring_model: object, **flags: object) -> argparse.Namespace:
    """What the flags of complexity_scorer.py say, as far as they choose models."""
    defaults = {
        "scorer": "xcoder", "scoring_model": scoring_model and str(scoring_model), "engine": None, "use_vllm": False,
        "device": "cpu", "dtype": "auto", "max_batch_tokens": None, "perplexity_model": "embedded",
        "tensor_parallel_size": 1, "data_parallel_size": None,
    }  # fmt: skip
    return argparse.Namespace(**(defaults | flags))


FLOAT32_IDENTITY = {"scorer", "model", "revision", "dtype", "engine", "prompt"}


def test_in_float32_scores_are_kept_whatever_the_batches(tiny_llama: Path) -> None:
    plans = [scorers.plan(asked(tiny_llama, dtype="float32", max_batch_tokens=budget), 9) for budget in (None, 77)]
    assert plans[0]["semantic"].identity.keys() == FLOAT32_IDENTITY
    assert plans[0]["linguistic"].identity.keys() == {"model", "revision", "dtype", "engine"}
    for measure in ("semantic", "linguistic"):
        assert plans[0][measure].identity == plans[1][measure].identity


def test_in_low_precision_scores_belong_to_what_they_depend_on(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As planned on a node with two GPUs; nothing runs there."""
    import torch

    monkeypatch.setattr(scorers, "devices", lambda wanted: [f"cuda:{number}" for number in range(int(wanted))])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H200")

    def identity(records: int, **flags: object) -> dict[str, str]:
        return scorers.plan(asked(tiny_llama, **{"device": "1", **flags}), records)["semantic"].identity

    monkeypatch.setattr(digit_scorer_plan, "why_not_compiled", lambda: None)
    few = identity(100)
    assert few.items() >= {"dtype": "bfloat16", "batch_tokens": "16384", "device": "NVIDIA H200"}.items()
    assert few.keys() == FLOAT32_IDENTITY | {"batch_tokens", "device"}
    assert identity(100, max_batch_tokens=500) == few | {"batch_tokens": "500"}
    assert identity(15_000) == few | {"compiled": "layers"}
    assert identity(15_000, device="2") == few | {"compiled": "layers"}  # on more GPUs they are the same scores
    assert identity(15_000, dtype="float32").keys() == FLOAT32_IDENTITY
    several = identity(15_000, device="2", engine="vllm", tensor_parallel_size=2)
    assert several == few | {"engine": "vllm", "tensor_parallel_size": "2"}
    assert "not compiled" not in capsys.readouterr().err
    monkeypatch.setattr(digit_scorer_plan, "why_not_compiled", lambda: "there is no C compiler")
    assert identity(15_000) == few
    assert (
        capsys.readouterr().err.count("its layers are not compiled, which would save a fifth of the time: there is")
        == 1
    )


def test_perplexity_is_float32_on_a_gpu_unless_asked_otherwise(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(scorers, "devices", lambda _: ["cuda:0"])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H200")
    dtypes = {}
    for dtype in ("auto", "bfloat16", "float32"):
        specs = scorers.plan(asked(tiny_llama, dtype=dtype), 9)
        dtypes[dtype] = tuple(specs[measure].identity["dtype"] for measure in ("semantic", "linguistic"))
    assert dtypes == {
        "auto": ("bfloat16", "float32"),
        "bfloat16": ("bfloat16", "bfloat16"),
        "float32": ("float32", "float32"),
    }


def test_halved_batches_are_told_at_the_end_also_by_a_later_run(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    data = seeds(tmp_path / "seeds.jsonl", 60)
    command = [
        "--input_file",
        data,
        "--output_dir",
        tmp_path / "out",
        *models(tiny_llama, tiny_gpt2),
        *("--max_batch_tokens", 4096),
    ]
    whole = TransformersDigits._forward

    def short(self: TransformersDigits, rows: list[list[int]]) -> list[float]:
        if len(rows) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self, rows)

    with monkeypatch.context() as patched:
        patched.setattr(TransformersDigits, "_forward", short)
        first = scorer_main(*command)
    assert first.returncode == 0, first.stderr
    manifest = contents(tmp_path / "out")["manifest.json"]
    (count,) = [json.loads(manifest)["halved"][measure] for measure in ("semantic",)]
    assert 20 < count <= 60
    assert f"semantic: memory did not hold whole batches of {count} scores" in first.stdout
    again = scorer_main(*command)
    assert "0 scores computed" in again.stdout
    assert f"semantic: memory did not hold whole batches of {count} scores" in again.stdout
    assert contents(tmp_path / "out")["manifest.json"] == manifest
    assert verify(tmp_path / "out") == []
    fresh = scorer_main(*command, "--no-resume")
    assert "memory did not hold" not in fresh.stdout
    assert "halved" not in json.loads(contents(tmp_path / "out")["manifest.json"])


def test_a_gpu_that_torch_cannot_use_stops_auto_but_not_the_cpu(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("torch sees a GPU")
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'NVIDIA H200'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    command = ["--input_file", seeds(tmp_path / "seeds.jsonl", 12), "--output_dir", tmp_path / "out"]
    stopped = scorer_main(*command)
    assert stopped.returncode == 2
    assert stopped.stderr.count("error: ") == 1
    assert "nvidia-smi finds NVIDIA H200, but torch" in stopped.stderr
    assert scorer_main(*command, *models(tiny_llama, tiny_gpt2)).returncode == 0  # with --device cpu


@pytest.mark.parametrize("far", [40, 10**6])
def test_a_measure_with_next_to_no_say_is_told(far: int) -> None:
    semantic = np.arange(999.0)
    linguistic = np.append(np.roll(np.arange(998.0), 300), far * 1000)
    said = {}
    for how in ("minmax", "rank"):
        mean = steps.combine(semantic, linguistic, how)
        found = {
            "semantic": steps.rank_correlation(semantic, mean),
            "linguistic": steps.rank_correlation(linguistic, mean),
        }
        said[how] = (found, steps.no_say(found, how))
    found, lines = said["minmax"]
    assert found["linguistic"] < 0.1 < found["semantic"]
    assert [line.split(":")[0] for line in lines] == [
        f"linguistic has next to no say in the result (Spearman {found['linguistic']:.2f})"
    ]
    assert "--normalize rank" in lines[0]
    assert said["rank"][1] == []


def test_outputs_of_another_source_are_refused_unless_overwrite(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command
) -> None:
    first, second = seeds(tmp_path / "first.jsonl", 30), seeds(tmp_path / "second.jsonl", 20)
    command = ["--output_dir", tmp_path / "out", *models(tiny_llama, tiny_gpt2), "--input_file"]
    assert scorer_main(*command, first).returncode == 0
    before = contents(tmp_path / "out")
    for further in ([second], [second, "--source_name", "FIRST"], [first, "--source_name", "OTHER"]):
        refused = scorer_main(*command, *further)
        assert refused.returncode == 2
        assert f"error: {tmp_path / 'out'}: holds {OUTPUTS[0]} of another run, " in refused.stderr.splitlines()[-1]
        assert "first.jsonl" in refused.stderr or "FIRST" in refused.stderr
        assert contents(tmp_path / "out") == before
    again = scorer_main(*command, first, "--normalize", "rank")  # a rerun
    assert again.returncode == 0, again.stderr
    assert "other contents" not in again.stderr
    seeds(first, 25)
    changed = scorer_main(*command, first)
    assert changed.returncode == 0, changed.stderr
    assert "were made from other contents of first.jsonl; they are replaced" in changed.stderr
    assert scorer_main(*command, second, "--overwrite").returncode == 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["source"] == "SECOND"
    assert verify(tmp_path / "out") == []


def test_a_file_name_that_is_not_utf8_and_a_rate_that_is_no_binary_fraction(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command
) -> None:
    data = seeds(Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.jsonl")), 21)
    with data.open("a") as file:
        file.writelines(json.dumps({"instruction": "", "response": str(number)}) + "\n" for number in range(29))
    command = ["--input_file", data, "--output_dir", tmp_path / "out", *models(tiny_llama, tiny_gpt2)]
    result = scorer_main(*command, "--max_failure_rate", "0.58")  # 0.58 * 50 < 29 in floating point
    assert result.returncode == 0, result.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["input"]["file"] == "b\\xff.jsonl"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import runpy, sys\nsys.argv = ['x', '--help']\n"
        f"try: runpy.run_path({str(SCORER)!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'torch', 'transformers', 'vllm', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_git_lfs_round_trip(tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command) -> None:
    def git(*arguments: object, folder: Path, **environment: str) -> str:
        home = {**os.environ, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", **environment}
        command = [
            "git",
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "protocol.file.allow=always",
            *map(str, arguments),
        ]
        done = subprocess.run(command, cwd=folder, env=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    if subprocess.run(["git", "lfs", "version"], capture_output=True, check=False).returncode:
        pytest.skip("git-lfs is not installed")
    remote, work, clone = (tmp_path / name for name in ("remote.git", "work", "clone"))
    git("init", "-q", "--bare", "-b", "main", remote, folder=tmp_path)
    git("clone", "-q", remote, work, folder=tmp_path)
    git("lfs", "install", "--local", folder=work)
    (work / ".gitattributes").write_bytes((ROOT / ".gitattributes").read_bytes())
    (work / "Datas" / "seeds").mkdir(parents=True)
    data = seeds(work / "Datas" / "seeds" / "EVOL.jsonl", 30)
    git("add", "-A", folder=work)
    git("commit", "-q", "-m", "seeds", folder=work)
    assert "EVOL.jsonl" in git("lfs", "ls-files", folder=work)
    git("push", "-q", "origin", "HEAD:main", folder=work)

    git("clone", "-q", "-b", "main", remote, clone, folder=tmp_path, GIT_LFS_SKIP_SMUDGE="1")
    pulled = clone / "Datas" / "seeds" / "EVOL.jsonl"
    command = ["--input_file", pulled, "--output_dir", tmp_path / "out", *models(tiny_llama, tiny_gpt2)]
    pointer = scorer_main(*command)
    assert pointer.returncode == 2
    assert f"{pulled}: a Git LFS pointer, not the data; run: git lfs pull" in pointer.stderr
    git("lfs", "install", "--local", folder=clone)
    git("lfs", "pull", folder=clone)
    assert pulled.read_bytes() == data.read_bytes()
    assert scorer_main(*command).returncode == 0
    assert verify(tmp_path / "out") == []


@pytest.mark.heavy
def test_real_evol_data_ends_verified(tmp_path: Path, scorer_command: Command) -> None:
    path = SHARED / "seeds" / "evol_instruct_code.jsonl"
    if not path.exists():
        pytest.skip(f"no data at {path}")
    limit = 1900  # the second empty output is record 1,860
    flags = ("--input_file", path, "--limit", limit, "--scorer", "embedded", "--device", "cpu")
    result = scorer_command(*flags, "--output_dir", tmp_path, timeout_s=1200)
    assert result.returncode == 0, result.stderr
    assert "2 records with empty outputs, kept" in result.stderr
    assert verify(tmp_path) == []
    ids = [row["id"] for name in OUTPUTS[:3] for row in rows(tmp_path / name)]
    assert len(ids) == len(set(ids)) == limit


@pytest.mark.heavy
def test_vllm_agrees_with_transformers(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, vllm_environment: str, scorer_command: Command
) -> None:
    data = seeds(tmp_path / "seeds.jsonl", 300)
    with data.open("a") as file:
        file.write(json.dumps({"instruction": "word " * 600, "response": "too long"}) + "\n")
    common = ["--input_file", data, "--max_failure_rate", "0.01", *models(tiny_llama, tiny_gpt2)]
    found = {}
    for engine, python in (("transformers", sys.executable), ("vllm", f"{vllm_environment}/bin/python")):
        out = tmp_path / engine
        result = scorer_command(
            *common, "--engine", engine, "--dtype", "float32", "--output_dir", out, python=python, timeout_s=900
        )
        assert result.returncode == 0, result.stderr
        assert verify(out) == []
        found[engine] = [row["semantic"] for row in rows(out / "complexity_scores.jsonl")]
    assert found["vllm"][-1] is None
    assert found["transformers"][-1] is None
    assert found["vllm"][:-1] == pytest.approx(found["transformers"][:-1], abs=1e-4)


def test_matched_tertiles_lie_beside_the_others_and_take_their_scores(
    tmp_path: Path, tiny_llama: Path, tiny_gpt2: Path, scorer_main: Command
) -> None:
    """Answers grow with instructions here, so plain tertiles differ in length, and those within bins of it do not."""
    data, out = tmp_path / "seeds.jsonl", tmp_path / "out"
    instructions = [row["instruction"] for row in rows(seeds(data, 120))]
    answers = [f"x = {len(text)}\n" * (1 + len(text) // 4) for text in instructions]
    data.write_text(
        "".join(
            json.dumps({"instruction": text, "response": answer, "generation": len(text) % 3}) + "\n"
            for text, answer in zip(instructions, answers, strict=True)
        )
    )
    command = ["--input_file", data, "--source_name", "EVOL", "--output_dir", out, *models(tiny_llama, tiny_gpt2)]
    plain = scorer_main(*command)
    assert plain.returncode == 0, plain.stderr
    before = contents(out)
    result = scorer_main(*command, "--match", "answer_tokens")
    assert result.returncode == 0, result.stderr
    assert "0 scores computed" in result.stdout
    assert {name: data for name, data in contents(out).items() if name in before and name != "manifest.json"} == {
        name: data for name, data in before.items() if name != "manifest.json"
    }
    assert verify(out) == []
    manifest = json.loads((out / "manifest.json").read_text())
    (other,) = manifest["others"]
    assert (manifest["source"], other["source"]) == ("EVOL_MATCHED", "EVOL")
    assert manifest["arguments"]["match"] == "answer_tokens"
    matched = manifest["tertiles"]["matched"]
    assert (matched["on"], matched["bins"]) == ("answer_tokens", 20)
    assert 0 < matched["contrast_kept"] < 1
    assert f"{matched['contrast_kept']:.0%} of the contrast in complexity is kept" in result.stdout
    assert "matched" not in other["tertiles"]

    differing = [
        abs(float(output["balance"]["largest_differences"]["answer_tokens"]["smd"])) for output in (other, manifest)
    ]
    assert differing[1] < 0.1 < 0.25 < differing[0]
    assert "WARNING: standardised mean differences above 0.25" in plain.stdout
    balance = other["balance"]["subsets"]
    assert [row["records"] for row in balance.values()] == [40, 40, 40]
    assert sum(row["generation"]["mean"] for row in balance.values()) == pytest.approx(
        sum(len(text) % 3 for text in instructions) / 40, abs=1e-3
    )
    scores = rows(out / "complexity_scores_matched.jsonl")
    assert list(scores[0]) == [
        *("id", "line", "semantic", "linguistic", "answer_tokens", "complexity", "tertile", "status", "reason")
    ]
    # a record in another tertile than its bin puts it in is noticed, and so is a length that is not the answer's
    for field, fault in (("tertile", "belongs in tertile"), ("answer_tokens", "tokens, its row says")):
        damaged = [dict(row) for row in scores]
        damaged[0][field] = 3 if damaged[0]["tertile"] == 1 and field == "tertile" else 1
        path = out / "complexity_scores_matched.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in damaged))
        reseal_all(out)
        assert any(fault in line for line in verify(out)), field
    assert scorer_main(*command, "--match", "answer_tokens").returncode == 0  # and is replaced by a rerun
    assert verify(out) == []


def reseal_all(folder: Path) -> None:
    """As `reseal`, of every output in the folder's manifest."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for output in (manifest, *manifest["others"]):
        for name in output["files"]:
            facts = file_facts(folder / name)
            output["files"][name] = {"sha256": facts.sha256, "bytes": facts.bytes, "lines": facts.lines}
    (folder / "manifest.json").write_text(json.dumps(manifest))
