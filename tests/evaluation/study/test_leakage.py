"""Leakage reports as decontaminate.py writes them, and the verdicts without the problems that they name."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from evaluation.study.background import leakage_blocks
from evaluation.study.bases import BaseModel
from evaluation.study.leakage import read_leakage, without_leaked
from evaluation.study.table import Graded, table_rows, with_clean
from seed_problems import CLEAN, LAMP, PROMPT, RIDGE, SOLUTION, TEXT, benchmark_file, partition
from seedkit.errors import InputError
from seedkit.files import file_facts
from study_cases import HIGHER, LOWER, student
from support import Command, reseal


@pytest.fixture
def folders(tmp_path: Path, script_main: Command) -> tuple[Path, Path]:
    """Tertiles of which the lower holds a problem of HumanEval and the higher one of MBPP, and the report on them."""
    lamp = (TEXT, "max(log)")
    made = partition(
        tmp_path / "EVOL",
        {"T1.jsonl": [CLEAN, (PROMPT, SOLUTION)], "T3.jsonl": [lamp, lamp, CLEAN]},
        tertiles={"files": ["T1.jsonl", "T3.jsonl"]},
    )
    benchmark = benchmark_file(tmp_path / "b.jsonl", RIDGE, LAMP)
    command = ["--benchmarks", benchmark, "--report", made, "--output_dir", tmp_path / "leakage"]
    done = script_main("seeds/decontaminate.py", *command)
    assert done.returncode == 0, done.stderr
    return made, tmp_path / "leakage"


def graded(stem: str, data: str, benchmark: str, tasks: dict[str, int]) -> Graded:
    who = replace(student(stem), data=data, trained={"records": 2, "answer_tokens": 500})
    return Graded(who, benchmark, {task: (solved, 1) for task, solved in tasks.items()}, len(tasks), True)


def test_a_report_is_read_by_the_hashes_of_the_data(folders: tuple[Path, Path]) -> None:
    data, report = folders
    found = read_leakage([report])
    lower, higher = (found[file_facts(data / name).sha256] for name in ("T1.jsonl", "T3.jsonl"))
    assert (lower.file, lower.records, lower.flagged, lower.found) == ("T1.jsonl", 2, 1, ("HumanEval/900",))
    assert (higher.records, higher.flagged, higher.found) == (3, 2, ("MBPP/77",))
    assert lower.interval.low <= lower.indicator <= lower.interval.high
    assert read_leakage([]) == {}


def test_problems_that_leaked_are_left_out_in_every_version(folders: tuple[Path, Path]) -> None:
    data, report = folders
    found = read_leakage([report])
    lower, higher = (file_facts(data / name).sha256 for name in ("T1.jsonl", "T3.jsonl"))
    results = [
        graded(LOWER, lower, "humaneval", {"HumanEval/900": 1, "HumanEval/901": 0}),
        graded(LOWER, lower, "multipl-e-js", {"HumanEval_900_longest_plateau": 1, "HumanEval_9_x": 1}),
        graded(HIGHER, higher, "mbpp", {"Mbpp/77": 1, "Mbpp/78": 1}),
        graded(HIGHER, "another", "livecodebench", {"abc_77": 1}),
        Graded(BaseModel("base", "base", "x"), "humaneval", {"HumanEval/900": (1, 1), "HumanEval/1": (1, 1)}, 2, True),
    ]
    clean, gone, unknown = without_leaked(results, found)
    assert [list(one.solved) for one in clean] == [
        ["HumanEval/901"],
        ["HumanEval_9_x"],
        ["Mbpp/78"],
        ["abc_77"],
        ["HumanEval/1"],
    ]
    assert (gone, unknown) == (2, [results[3].student.label])
    # what leaked into data that no student of the table was trained on is left in
    assert without_leaked(results[:1], {lower: found[higher]})[1] == 0
    names = ["humaneval"]
    rows = with_clean(table_rows(results, names), table_rows(clean, names))
    text = "\n".join(leakage_blocks(rows, results, found, gone, unknown))
    assert "| tiny-full | RQ1 | EVOL | T1_LOWER | humaneval | 50.0 | 0.0 | 1 |" in text
    assert "no problem of this table is in the data" in "\n".join(leakage_blocks(rows, results, found, 0, []))
    assert "Without the 2 problems" in text and "No report (--leakage) has the data of tiny-full/" in text
    indicator = found[lower].indicator
    (line,) = [line for line in text.splitlines() if line.startswith("| RQ1 | EVOL | T1_LOWER |")]
    assert line.endswith(f"| {100 * indicator / 0.25:.1f} |")  # 250 answer tokens a record


def test_what_is_no_report(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    data, report = folders
    with pytest.raises(InputError, match=r"expected leakage.jsonl of decontaminate.py --report"):
        read_leakage([data])
    with pytest.raises(InputError, match="no such file; the folder is unfinished"):
        read_leakage([tmp_path])
    path = report / "leakage.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({k: v for k, v in row.items() if k != "found"}) + "\n" for row in rows))
    with pytest.raises(InputError, match="not what its manifest says"):
        read_leakage([report])
    reseal(report)
    with pytest.raises(InputError, match="expected what decontaminate.py --report writes now, got KeyError"):
        read_leakage([report])
