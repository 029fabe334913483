"""Leakage of finished folders: the real command as a user runs it."""

from pathlib import Path

from seed_problems import CLEAN, LAMP, PROMPT, RIDGE, SOLUTION, TEXT, benchmark_file, partition
from seedkit.files import file_facts
from seedkit.verify import verify
from support import Command, contents, rows

SCRIPT = "seeds/decontaminate.py"


def test_report_over_tertiles_and_mixes(tmp_path: Path, script_main: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", RIDGE, LAMP)
    leaks = (TEXT, "max(log)")
    tertiles = partition(
        tmp_path / "EVOL",
        {"T1.jsonl": [CLEAN], "T2.jsonl": [leaks, CLEAN], "T3.jsonl": [leaks, leaks, CLEAN, CLEAN], "x.jsonl": [leaks]},
        tertiles={"files": ["T1.jsonl", "T2.jsonl", "T3.jsonl"]},
    )
    mixes = partition(
        tmp_path / "MIX",
        {"m.jsonl": [(PROMPT, SOLUTION)], "c.jsonl": [CLEAN]},
        mixes={"files": [{"name": "m.jsonl"}]},
        classified={"file": "c.jsonl"},
    )
    command = [SCRIPT, "--benchmarks", benchmark, "--report", tertiles, mixes]
    out = tmp_path / "out"
    result = script_main(*command, "--output_dir", out)
    assert result.returncode == 0, result.stderr
    assert "5 files of 9 records, 3 of them different" in result.stderr
    lines = rows(out / "leakage.jsonl")
    assert [
        (row["folder"], row["file"], row["records"], row["flagged"], row["leak_rate"])
        for row in lines
        if row["benchmark"] == "all"
    ] == [
        ("EVOL", "T1.jsonl", 1, 0, 0),
        ("EVOL", "T2.jsonl", 2, 1, 0.5),
        ("EVOL", "T3.jsonl", 4, 2, 0.5),
        ("MIX", "m.jsonl", 1, 1, 1),
        ("MIX", "c.jsonl", 1, 0, 0),
    ]
    by = {(row["file"], row["benchmark"]): row for row in lines}
    assert by["T2.jsonl", "MBPP"]["indicator_4"] == by["T2.jsonl", "MBPP"]["indicator_5"] == 1.0
    assert by["m.jsonl", "HumanEval"]["indicator_4"] == 1.0 > by["m.jsonl", "MBPP"]["indicator_4"]
    assert by["m.jsonl", "HumanEval"]["items_found"] == 1
    assert (by["T1.jsonl", "HumanEval"]["found"], by["m.jsonl", "HumanEval"]["found"]) == ([], ["HumanEval/900"])
    for row in lines:
        low, high = row["interval_5"]
        assert 0 <= low <= row["indicator_5"] <= high <= 1 and len(row["found"]) == row["items_found"]
    assert all(name in result.stdout for name in ("T3.jsonl", "50.000%", "HumanEval", "5-grams"))
    assert verify(out) == []
    assert script_main(*command, "--output_dir", tmp_path / "again").stdout == result.stdout
    assert contents(tmp_path / "again") == contents(out)
    assert file_facts(out / "leakage.jsonl").lines == 15


def test_another_report_never_replaces_what_is_there(tmp_path: Path, script_main: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", LAMP)
    folders = [
        partition(tmp_path / name, {"T1.jsonl": [CLEAN]}, tertiles={"files": ["T1.jsonl"]}) for name in ("EVOL", "OSS")
    ]
    out = tmp_path / "out"
    command = [SCRIPT, "--benchmarks", benchmark, "--output_dir", out, "--report"]
    assert script_main(*command, folders[0]).returncode == 0
    before = contents(out)
    done = script_main(*command, folders[1])
    assert done.returncode == 2
    assert f"{out}: holds leakage.jsonl of another run" in done.stderr.splitlines()[-1]
    assert script_main(*command, folders[0]).returncode == 0
    assert contents(out) == before
    assert script_main(*command, folders[1], "--overwrite").returncode == 0
    assert {row["folder"] for row in rows(out / "leakage.jsonl")} == {"OSS"}
