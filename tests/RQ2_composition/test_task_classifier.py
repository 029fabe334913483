"""The real command, as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from RQ2_composition.categories import CATEGORIES, task_type
from seedkit.verify import verify
from support import ROOT, Command, contents, offline, rows

SCRIPT = "RQ2_composition/task_classifier.py"
QUICK = ("--prototypes", "names")  # ten texts to embed, not hundreds
SAMPLE = ROOT / "Datas" / "sample" / "OSS.jsonl"


def test_the_sample_with_the_bundled_encoder(tmp_path: Path, script_command: Command) -> None:
    out = tmp_path / "out" / "classified.jsonl"
    result = script_command(SCRIPT, "--input_file", SAMPLE, "--output_file", out, "--device", "cpu", "--limit", 60)
    assert result.returncode == 0, result.stderr
    assert "embedder: minilm (no CUDA device)" in result.stderr
    assert "prototypes: described" in result.stderr
    assert sorted(contents(out.parent)) == ["classified.jsonl", "classified.png", "classified.svg", "manifest.json"]
    assert verify(out.parent) == []
    classified = rows(out)
    for row, source in zip(classified, rows(SAMPLE)[:60], strict=True):
        assert {key: row[key] for key in source} == source
        assert list(row) == [*source, "assigned_category", "category_similarity", "category_margin", "task_type"]
        assert row["assigned_category"] in CATEGORIES
        assert row["task_type"] == task_type(row["assigned_category"])
        assert 0 <= row["category_margin"] <= row["category_similarity"] + 1 <= 2
    assert (out.parent / "classified.png").read_bytes().startswith(b"\x89PNG")
    chart = (out.parent / "classified.svg").read_text()
    assert "OSS, n = 60" in chart
    for category in CATEGORIES:  # share beside count
        count = sum(row["assigned_category"] == category for row in classified)
        assert f">{count} ({count / 60:.1%})<" in chart
    manifest = json.loads((out.parent / "manifest.json").read_text())
    assert manifest["models"]["tasks"]["encoder"] == "minilm"


def test_computed_anew_it_is_the_same_to_the_byte(tmp_path: Path, script_main: Command) -> None:
    out = tmp_path / "classified.jsonl"
    found = []
    for flag in ("--resume", "--no-resume"):
        result = script_main(
            SCRIPT, "--input_file", SAMPLE, "--output_file", out, "--device", "cpu", *QUICK, "--limit", 40, flag
        )
        assert result.returncode == 0, result.stderr
        found.append(contents(tmp_path))
    assert found[0] == found[1]


def test_an_instructor_folder_uses_the_names_and_the_papers_instructions(
    tmp_path: Path, tiny_instructor: Path, script_main: Command
) -> None:
    out = tmp_path / "classified.jsonl"
    result = script_main(
        SCRIPT, "--input_file", SAMPLE, "--output_file", out, "--model_name", tiny_instructor, "--device", "cpu"
    )
    assert result.returncode == 0, result.stderr
    assert "embedder: instructor (--model_name is given)" in result.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["prototypes"]["kind"] == "names"
    assert manifest["prototypes"]["count"] == 10
    assert manifest["models"]["tasks"]["instruction"] == "Represent coding category of the programming task:"
    assert manifest["models"]["prototypes"]["instruction"] == "Represent the topic for coding category:"
    assert verify(tmp_path) == []


def test_two_sources_share_a_folder(tmp_path: Path, script_main: Command) -> None:
    for name in ("EVOL", "OSS"):
        out = tmp_path / f"{name}.jsonl"
        result = script_main(
            SCRIPT, "--source_name", name, "--output_file", out, "--limit", 5, "--device", "cpu", *QUICK
        )
        assert result.returncode == 0, result.stderr
    assert verify(tmp_path) == []
    assert len(json.loads((tmp_path / "manifest.json").read_text())["others"]) == 1


def test_rejects_of_two_outputs_in_one_folder(tmp_path: Path, script_main: Command) -> None:
    for name in ("a", "b"):
        data = tmp_path / f"{name}_in.jsonl"
        lines = [json.dumps({"instruction": f"Sort {n} lists in {name}.", "output": "o"}) for n in range(4)]
        data.write_text("\n".join([*lines, "{bad"]))
        command = [
            "--input_file",
            data,
            "--output_file",
            tmp_path / f"{name}.jsonl",
            "--on_bad_record",
            "reject",
            *QUICK,
        ]
        result = script_main(SCRIPT, *command, "--device", "cpu")
        assert result.returncode == 0, result.stderr
    assert len(rows(tmp_path / "rejects.jsonl")) == len(rows(tmp_path / "b_rejects.jsonl")) == 1
    assert verify(tmp_path) == []


@pytest.mark.heavy
def test_killed_it_ends_with_the_same_bytes(tmp_path: Path, script_main: Command) -> None:
    words = "sort list tree cache of the and with index file parse query graph".split()
    data = tmp_path / "data.jsonl"
    texts = [f"task {n} " + " ".join(words[: n % 3]) for n in range(1400)]
    data.write_text("".join(json.dumps({"instruction": text, "output": "o"}) + "\n" for text in texts))
    common = ["--input_file", data, "--device", "cpu", "--prototypes", "names"]
    out = tmp_path / "cut" / "c.jsonl"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "Code" / SCRIPT), *map(str, common), "--output_file", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=offline(),
        start_new_session=True,
    )
    while process.poll() is None and not list(out.parent.glob(".scores/tasks-*.chunks/*.npy")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    done = len(list(out.parent.glob(".scores/tasks-*.chunks/*.npy")))
    assert done == 1  # of two
    for folder in ("cut", "whole"):
        result = script_main(SCRIPT, *common, "--output_file", tmp_path / folder / "c.jsonl")
        assert result.returncode == 0, result.stderr
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_an_empty_instruction_is_a_failure_with_a_reason(tmp_path: Path, script_main: Command) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "out" / "c.jsonl"
    lines = [json.dumps({"instruction": text, "output": "o"}) for text in ("Sort a list.", " ", "Join two tables.")]
    data.write_text("\n".join(lines))
    command = [SCRIPT, "--input_file", data, "--output_file", out, "--device", "cpu", *QUICK]
    result = script_main(*command)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"error: {data}:2: the instruction is empty; 1 of 3 records")
    assert not out.exists()
    assert script_main(*command, "--max_failure_rate", "0.34").returncode == 0
    assert [row["line"] for row in rows(out.parent / "rejects.jsonl")] == [2]
    assert len(rows(out)) == 2
    assert verify(out.parent) == []


USAGE = [
    (["--output_file", "OUT/c.jsonl"], "one file for 2 sources; expected --output_dir with them"),
    (["--output_file", "OUT/c.jsonl", "--output_dir", "OUT"], "expected it or --output_dir, got both"),
    (["--output_file", "OUT", "--input_file", SAMPLE], "expected the name of a .jsonl file"),
    (["--output_file", "OUT/rejects.jsonl", "--input_file", SAMPLE], "expected the name of a .jsonl file"),
    (["--input_file", "OUT/none.jsonl", "--output_file", "OUT/c.jsonl"], "none.jsonl: no such file"),
    (["--input_file", SAMPLE, "--output_file", SAMPLE], "the output would overwrite the input"),
    (
        ["--input_file", SAMPLE, "--output_file", "OUT/c.jsonl", "--embedder", "minilm", "--model_name", "x"],
        "own model",
    ),
    (["--input_file", SAMPLE, "--output_file", "OUT/c.jsonl", "--model_name", "OUT/no_model"], "model "),
    (["--input_file", SAMPLE, "--output_file", "OUT/c.jsonl", "--device", "cuda"], "no CUDA device is visible"),
    (["--input_file", SAMPLE, "--output_file", "OUT/c.jsonl", "--max_failure_rate", "2"], "from 0 to 1"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=[message for _, message in USAGE])
def test_usage_errors_are_one_line_and_exit_code_2(
    tmp_path: Path, arguments: list[object], message: str, script_main: Command
) -> None:
    result = script_main(SCRIPT, *(str(argument).replace("OUT", str(tmp_path)) for argument in arguments))
    assert result.returncode == 2
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not list(tmp_path.glob("*.json*"))
