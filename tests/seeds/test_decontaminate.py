"""Benchmark problems in training records: the real command as a user runs it."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from seed_problems import CLEAN, LAMP, PROMPT, RIDGE, SOLUTION, TEXT, benchmark_file, partition
from seedkit.verify import verify
from support import Command, contents, rows

SCRIPT = "seeds/decontaminate.py"


def data(path: Path, *pairs: tuple[str, str]) -> Path:
    path.write_text("".join(json.dumps({"instruction": i, "output": o}) + "\n" for i, o in pairs))
    return path


def test_evidence_table_and_manifest(tmp_path: Path, script_command: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", RIDGE, LAMP)
    source = data(tmp_path / "mine.jsonl", CLEAN, (f"Hello.\n{PROMPT}", SOLUTION), (TEXT, "max(log)"), CLEAN)
    command = [SCRIPT, "--input_file", source, "--benchmarks", benchmark]
    out = tmp_path / "out"
    result = script_command(*command, "--output_dir", out)
    assert result.returncode == 0, result.stderr
    assert sorted(contents(out)) == ["evidence.jsonl", "manifest.json"]
    assert verify(out) == []
    evidence = rows(out / "evidence.jsonl")
    assert [list(row) for row in evidence] == [
        ["id", "line", "benchmark", "item", "overlap", "start", "end", "text", "kind"]
    ] * 2
    assert [(row["line"], row["benchmark"], row["item"], row["overlap"], row["kind"]) for row in evidence] == [
        (2, "HumanEval", "HumanEval/900", 1.0, "prompt"),
        (3, "MBPP", "MBPP/77", 1.0, "prompt"),
    ]
    assert f"Hello.\n{PROMPT}"[evidence[0]["start"] : evidence[0]["end"]] == evidence[0]["text"]
    assert "2 of 4 records hold a problem" in result.stdout
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["counts"] == {"records": 4, "flagged": 2, "unreadable": 0}
    assert [(row["benchmark"], row["flagged"], row["indicator_5"]) for row in manifest["leakage"]] == [
        ("all", 2, 1.0),
        ("HumanEval", 1, 1.0),
        ("MBPP", 1, 1.0),
    ]
    script_command(*command, "--output_dir", tmp_path / "again", "--workers", 1)
    assert contents(tmp_path / "again") == contents(out)


def test_nothing_is_removed_unless_asked(tmp_path: Path, script_main: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", RIDGE, LAMP)
    source = data(tmp_path / "mine.jsonl", CLEAN, (TEXT, "max(log)"), ("And now the weather.", "Rain."))
    before = source.read_bytes()
    with source.open("a") as file:
        file.write('{"instruction": 5}\n')
    out = tmp_path / "out"
    command = [
        SCRIPT,
        "--input_file",
        source,
        "--benchmarks",
        benchmark,
        "--output_dir",
        out,
        "--on_bad_record",
        "reject",
    ]
    result = script_main(*command, "--remove")
    assert result.returncode == 0, result.stderr
    assert verify(out) == []
    clean = rows(out / "mine_clean.jsonl")
    assert [list(row) for row in clean] == [["id", "instruction", "input", "output"]] * 2
    assert [row["instruction"] for row in clean] == [CLEAN[0], "And now the weather."]
    rejects = rows(out / "rejects.jsonl")
    assert [(row["line"], row["reason"]) for row in rejects][0] == (2, "holds MBPP MBPP/77 (prompt, 1.00)")
    assert rejects[0]["record"]["instruction"] == TEXT
    assert (rejects[1]["line"], len(rejects)) == (4, 2)
    assert source.read_bytes().startswith(before)
    script_main(*command)  # the clean file of the run before is no output of this one
    assert sorted(contents(out)) == ["evidence.jsonl", "manifest.json", "rejects.jsonl"]


def test_another_source_never_replaces_what_is_there(tmp_path: Path, script_main: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", LAMP)
    out = tmp_path / "out"
    one, two = data(tmp_path / "one.jsonl", CLEAN), data(tmp_path / "two.jsonl", CLEAN, (TEXT, "max(log)"))
    command = [SCRIPT, "--benchmarks", benchmark, "--remove", "--output_dir", out, "--input_file"]
    assert script_main(*command, one).returncode == 0
    before = contents(out)
    done = script_main(*command, two)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert f"{out}: holds evidence.jsonl of another run" in line and "--overwrite" in line
    assert contents(out) == before
    assert script_main(*command, one).returncode == 0  # the same source may be made anew
    assert contents(out) == before
    assert script_main(*command, two, "--overwrite").returncode == 0
    assert "two_clean.jsonl" in contents(out)
    assert verify(out) == []


def test_a_mistake_in_the_last_source_leaves_everything_as_it_was(tmp_path: Path, script_main: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", LAMP)
    out = tmp_path / "out"
    one, two = data(tmp_path / "one.jsonl", CLEAN, (TEXT, "max(log)")), data(tmp_path / "two.jsonl", CLEAN)
    command = [SCRIPT, "--benchmarks", benchmark, "--remove", "--output_dir", out, "--input_file", one, two]
    good = two.read_bytes()
    two.write_bytes(good + b'{"instruction": 5}\n')
    done = script_main(*command)
    assert (done.returncode, done.stderr.splitlines()[-1].split(": ")[:2]) == (2, ["error", f"{two}:2"])
    assert not out.exists()
    two.write_bytes(good)
    assert script_main(*command).returncode == 0
    before = {name: contents(out / name) for name in ("ONE", "TWO")}
    assert len(rows(out / "ONE" / "one_clean.jsonl")) == 1
    two.write_bytes(good + b"{")
    assert script_main(*command).returncode == 2
    assert {name: contents(out / name) for name in ("ONE", "TWO")} == before


def test_repeated_texts_and_empty_outputs_are_said(tmp_path: Path, script_main: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", LAMP)
    source = data(tmp_path / "a.jsonl", CLEAN, CLEAN, ("Sum.", " "), (CLEAN[0], "other"))
    done = script_main(SCRIPT, "--benchmarks", benchmark, "--output_dir", tmp_path / "out", "--input_file", source)
    said = done.stderr.splitlines()
    assert f"A: 4 records from {source}" in said
    assert "A: 2 records with duplicate texts, kept" in said
    assert "A: 1 records with empty outputs, kept" in said


def test_a_benchmark_is_never_written_over(tmp_path: Path, script_main: Command) -> None:
    benchmark = benchmark_file(tmp_path / "evidence.jsonl", LAMP)
    before = benchmark.read_bytes()
    source = data(tmp_path / "a.jsonl", CLEAN)
    result = script_main(SCRIPT, "--input_file", source, "--benchmarks", benchmark, "--output_dir", tmp_path)
    assert result.returncode == 2
    assert "the output would overwrite the input" in result.stderr
    assert benchmark.read_bytes() == before


def test_default_benchmark_is_humaneval(tmp_path: Path, script_main: Command) -> None:
    result = script_main(SCRIPT, "--input_file", data(tmp_path / "a.jsonl", CLEAN), "--output_dir", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "no --benchmarks: taking HumanEval alone" in result.stderr
    assert rows(tmp_path / "out" / "evidence.jsonl") == []
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["leakage"][1]["items"] == 164


def test_usage_errors_are_one_line_and_exit_code_2(tmp_path: Path, script_main: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", LAMP)
    source = data(tmp_path / "a.jsonl", CLEAN)
    (tmp_path / "unfinished").mkdir()
    bare = partition(tmp_path / "bare", {"x.jsonl": [CLEAN]})
    tampered = partition(tmp_path / "t", {"x.jsonl": [CLEAN]}, classified={"file": "x.jsonl"})
    (tampered / "x.jsonl").write_bytes(b"")
    (empty := tmp_path / "empty.json").write_text("[]")
    out = tmp_path / "out"
    for arguments, message in (
        (["--benchmarks", tmp_path / "none.jsonl", "--input_file", source], "no such file"),
        (["--benchmarks", source, "--input_file", source], "expected a problem of HumanEval"),
        (["--benchmarks", benchmark, "--input_file", tmp_path / "none.jsonl"], "no such file"),
        (["--benchmarks", benchmark, "--input_file", benchmark], '"instruction" is missing'),
        (["--benchmarks", benchmark, "--threshold", "2", "--input_file", source], "expected a number from 0 to 1"),
        (
            ["--benchmarks", benchmark, "--threshold", "0", "--input_file", source],
            "expected a number above 0 and up to 1",
        ),
        (["--benchmarks", benchmark, "--threshold", "0.0", "--input_file", source], "above 0 and up to 1, got '0.0'"),
        (["--benchmarks", benchmark, "--workers", "0", "--input_file", source], "at least 1"),
        (["--benchmarks", benchmark, "--report", tmp_path / "unfinished"], "the folder is unfinished"),
        (["--benchmarks", empty, "--input_file", source], "expected problems of HumanEval"),
        (["--benchmarks", benchmark, "--report", tampered], "expected a folder as its manifest says"),
        (["--benchmarks", benchmark, "--report", bare, "--on_bad_record", "reject"], "expected no --on_bad_record"),
        (
            ["--benchmarks", benchmark, "--report", bare],
            "expected tertiles, mixes, baselines, parts of them or classified records",
        ),
        (["--benchmarks", benchmark, "--report", bare, "--remove"], "expected no --remove with it"),
        (["--benchmarks", benchmark, "--report", bare, "--input_file", source], "expected no --input_file with it"),
    ):
        result = script_main(SCRIPT, *arguments, "--output_dir", out)
        assert result.returncode == 2, result.stderr
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        assert not (out / "manifest.json").exists()


HELPER = "import numpy as np\n\ndef is_floats(x): ...\n\ndef assertion(out, exp, atol):\n    assert out == exp\n"
INPUTS = {"base_input": [[1]], "plus_input": [[2]], "atol": 0, "contract": "", "entry_point": "f"}
EVALPLUS: dict[str, list[dict[str, Any]]] = {
    "HumanEvalPlus.jsonl": [{**RIDGE, **INPUTS}],
    "MbppPlus.jsonl": [{"task_id": "Mbpp/77", "prompt": TEXT, "canonical_solution": "x", **INPUTS}],
    "HumanEvalPlus-OriginFmt.jsonl": [{**RIDGE, "test": "def check(f): ..."}, {**RIDGE, "test": HELPER}],
    "MbppPlus-OriginFmt.jsonl": [{**LAMP, "prompt": TEXT, "test": HELPER}],
}


@pytest.mark.parametrize("packed", [False, True])
def test_files_of_evalplus_are_skipped_and_named(tmp_path: Path, script_main: Command, packed: bool) -> None:
    folder = tmp_path / "benchmarks"
    (folder / "more").mkdir(parents=True)
    benchmark_file(folder / "real.jsonl", RIDGE, LAMP)
    names = []
    for name, problems in EVALPLUS.items():
        path = benchmark_file(folder / "more" / name, *problems)
        with path.open("a") as file:
            file.write('{"plus_input": [[-Infinity]]}\n')  # which is no JSON
        if packed:
            packed_path = path.with_name(f"{name}.gz")
            packed_path.write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
            path = packed_path
        names.append(str(path))
    source = data(tmp_path / "a.jsonl", CLEAN, (PROMPT, SOLUTION))
    out = tmp_path / "out"
    command = [SCRIPT, "--input_file", source, "--output_dir", out, "--benchmarks"]
    done = script_main(*command, folder)
    assert done.returncode == 0, done.stderr
    (said,) = [line for line in done.stderr.splitlines() if "EvalPlus" in line]
    assert said.startswith("EvalPlus holds the problems of HumanEval and MBPP once more; skipped: ")
    assert all(name in said for name in names)
    manifest = json.loads((out / "manifest.json").read_text())
    assert [one["file"] for one in manifest["benchmarks"]] == ["real.jsonl"]
    assert [(row["benchmark"], row["items"]) for row in manifest["leakage"]] == [
        ("all", 2),
        ("HumanEval", 1),
        ("MBPP", 1),
    ]
    alone = script_main(*command, folder / "more")
    assert alone.returncode == 2
    assert alone.stderr.splitlines()[-1].endswith("once more: expected the files of those, got none")


def test_real_releases_of_evalplus_are_skipped(tmp_path: Path, shared_data: Path, script_main: Command) -> None:
    source = data(tmp_path / "a.jsonl", CLEAN)
    files = sorted((shared_data / "benchmarks" / "evalplus").iterdir())
    human_eval = shared_data / "benchmarks" / "HumanEval.jsonl"
    done = script_main(
        SCRIPT, "--input_file", source, "--output_dir", tmp_path / "out", "--benchmarks", *files, human_eval
    )
    assert done.returncode == 0, done.stderr
    assert all(str(file) in done.stderr for file in files)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["leakage"][0]["items"] == 164
