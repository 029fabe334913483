"""The real command, as a user runs it."""

import json
from pathlib import Path

import numpy as np
import pytest
from RQ3_density import k_center
from seedkit.verify import verify
from support import ROOT, Command, contents, rows

SCRIPT = "RQ3_density/diversity_scorer.py"
SAMPLE = ROOT / "Datas" / "sample" / "EVOL.jsonl"
TERTILES = [f"RQ3_DIVERSITY_{name}.jsonl" for name in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER")]
OUTPUTS = [
    *TERTILES,
    "diversity_map.png",
    "diversity_map.svg",
    "diversity_scores.jsonl",
    "embeddings.json",
    "embeddings.npy",
    "manifest.json",
]


def test_the_sample_with_the_bundled_encoder(tmp_path: Path, script_command: Command, script_main: Command) -> None:
    command = [SCRIPT, "--input_file", SAMPLE, "--output_dir", tmp_path / "out", "--device", "cpu", "--limit", 60]
    result = script_command(*command)
    assert result.returncode == 0, result.stderr
    assert "embedder: minilm (no CUDA device)" in result.stderr
    out = tmp_path / "out"
    assert sorted(contents(out)) == sorted(OUTPUTS)
    assert verify(out) == []
    scores, source = rows(out / "diversity_scores.jsonl"), rows(SAMPLE)[:60]
    assert list(scores[0]) == ["id", "line", "diversity", "tertile", "status", "reason"]
    assert [row["id"] for row in scores] == [row["id"] for row in source]
    vectors = np.load(out / "embeddings.npy").astype(np.float64)
    assert vectors.shape == (60, 384)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, np.nan)
    assert [row["diversity"] for row in scores] == pytest.approx(1 - np.nanmean(cosines, axis=1), abs=1e-6)
    assert [len(rows(out / name)) for name in TERTILES] == [20, 20, 20]
    sidecar = json.loads((out / "embeddings.json").read_text())
    assert sidecar["ids"] == [row["id"] for row in source]
    spread = json.loads((out / "manifest.json").read_text())["spread"]
    assert [found["vendi_sample"] for found in spread] == [20, 20, 20]
    assert all(1 < found["vendi_score"] <= 20 for found in spread)
    assert all(value == round(value, 6) for found in spread for value in found.values())  # on any number of cores
    assert "mean neighbour distance" in result.stdout
    assert "EVOL, n = 60" in (out / "diversity_map.svg").read_text()

    before = contents(out)
    again = script_main(*command)
    assert again.returncode == 0, again.stderr
    assert "0 texts embedded in this run" in again.stdout
    assert contents(out) == before


def test_far_from_the_centre_is_not_far_from_each_other(tmp_path: Path, script_main: Command) -> None:
    """Two odd topics are far from the centroid, and each is the same few words again and again: a random third is more diverse."""
    topics = ("sort", "parse", "count", "merge", "print", "split", "reverse", "filter")
    plain = [f"Write a Python function to {topics[n % 8]} a list of {n % 11} numbers, variant {n}." for n in range(80)]
    odd = [f"{'Recipe for apple pie' if n % 2 else 'The history of Rome'}, again {n}" for n in range(40)]
    data, out = tmp_path / "data.jsonl", tmp_path / "out"
    data.write_text("".join(json.dumps({"instruction": text, "output": "x"}) + "\n" for text in plain + odd))
    command = [SCRIPT, "--input_file", data, "--source_name", "S", "--output_dir", out, "--device", "cpu"]
    result = script_main(*command)
    assert result.returncode == 0, result.stderr
    assert (
        "the highest tertile is no more diverse than a random third: the score ranks records by their" in result.stdout
    )
    manifest = json.loads((out / "manifest.json").read_text())
    others = manifest["spread_of_other_thirds"]
    assert list(others) == ["a random third", "a k-center third"]
    distance = {name: found["mean_neighbour_distance"] for name, found in others.items()}
    highest = manifest["spread"][2]["mean_neighbour_distance"]
    assert highest < distance["a random third"] < distance["a k-center third"]

    taken = script_main(*command, "--method", "k_center")
    assert taken.returncode == 0, taken.stderr
    assert "0 texts embedded" in taken.stdout and "no more diverse" not in taken.stdout
    assert verify(out) == []
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["source"], manifest["others"][0]["source"]) == ("S_K_CENTER", "S")
    assert manifest["arguments"]["method"] == "k_center"
    assert manifest["spread"][2]["mean_neighbour_distance"] == pytest.approx(distance["a k-center third"], rel=0.02)
    scores = rows(out / "diversity_scores_k_center.jsonl")
    lowest_taken = min(row["diversity"] for row in scores if row["tertile"] == 3)
    assert all(row["diversity"] <= lowest_taken for row in scores if row["tertile"] < 3)
    both = script_main(*command, "--method", "k_center", "--match", "answer_tokens")
    assert both.returncode == 0, both.stderr
    assert (out / "RQ3_DIVERSITY_T3_HIGHER_K_CENTER_MATCHED.jsonl").exists() and verify(out) == []


def test_of_many_records_the_k_center_third_is_taken_in_parts(
    tmp_path: Path, script_main: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(k_center, "PART", 20)
    out = tmp_path / "out"
    result = script_main(SCRIPT, "--input_file", SAMPLE, "--output_dir", out, "--device", "cpu", "--limit", 60)
    assert result.returncode == 0, result.stderr
    assert "a k-center third: of 3 random parts of the records, a third of each" in result.stdout
    found = json.loads((out / "manifest.json").read_text())
    assert found["k_center_parts"] == 3
    assert found["spread_of_other_thirds"]["a k-center third"]["neighbours_of"] == 20


def test_an_instructor_folder_and_any_transformer(
    tmp_path: Path, tiny_instructor: Path, tiny_gpt2: Path, script_main: Command
) -> None:
    for model, embedder in ((tiny_instructor, "auto"), (tiny_gpt2, "transformer")):
        out = tmp_path / embedder
        result = script_main(
            SCRIPT,
            "--input_file",
            SAMPLE,
            "--output_dir",
            out,
            "--device",
            "cpu",
            "--embedder",
            embedder,
            "--model_name",
            model,
            "--dtype",
            "float32",
            "--limit",
            30,
        )
        assert result.returncode == 0, result.stderr
        assert verify(out) == []
    encoder = json.loads((tmp_path / "auto" / "manifest.json").read_text())["models"]["encoder"]
    assert encoder["instruction"] == "Represent the programming task:"


def test_a_record_without_instruction_has_no_row_of_numbers(tmp_path: Path, script_main: Command) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "out"
    texts = ["Sort a list.", "", "Join two tables.", "Draw a button.", "Add two numbers."]
    data.write_text("".join(json.dumps({"instruction": text, "output": "o"}) + "\n" for text in texts))
    command = [SCRIPT, "--input_file", data, "--output_dir", out, "--device", "cpu"]
    failed = script_main(*command)
    assert failed.returncode == 1
    assert f"error: {data}:2: the instruction is empty" in failed.stderr
    assert not (out / "manifest.json").exists()
    result = script_main(*command, "--max_failure_rate", "0.2")
    assert result.returncode == 0, result.stderr
    assert verify(out) == []
    assert rows(out / "diversity_scores.jsonl")[1]["diversity"] is None
    vectors = np.load(out / "embeddings.npy")
    assert np.isnan(vectors).any(axis=1).tolist() == [False, True, False, False, False]


def test_data_that_cannot_be_ordered_is_not_split(tmp_path: Path, script_main: Command) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "out"
    data.write_text("".join(json.dumps({"instruction": "Sort.", "output": str(n)}) + "\n" for n in range(9)))
    result = script_main(SCRIPT, "--input_file", data, "--output_dir", out, "--device", "cpu")
    assert result.returncode == 1
    assert "9 of 9 records have the same score" in result.stderr
    assert not list(out.glob("*.jsonl"))


def test_usage_errors_are_one_line_and_exit_code_2(tmp_path: Path, tiny_gpt2: Path, script_main: Command) -> None:
    for arguments, message in (
        (["--limit", "2"], "expected at least 3"),
        (["--input_file", tmp_path / "none"], "no such file"),
        (["--source_name", "X"], "expected one of EVOL, OSS"),
        (["--embedder", "instructor", "--model_name", tiny_gpt2], "expected --embedder transformer for it"),
        (["--embedder", "instructor"], "not to be had from the model hub"),
    ):
        result = script_main(SCRIPT, "--output_dir", tmp_path / "out", "--device", "cpu", *arguments)
        assert result.returncode == 2
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        assert result.stdout == ""
