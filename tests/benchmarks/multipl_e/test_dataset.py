"""The rows that are read: the data set's own to the letter, files as on the hub, and rows that must be refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from benchmarks import BENCHMARKS
from benchmarks.multipl_e.case import Reading
from benchmarks.multipl_e.languages.base import control_row
from benchmarks.multipl_e.languages.registry import LANGUAGES
from multipl_e_support import benchmark, written
from seedkit.errors import InputError

COUNTS = {
    "py": 164,
    "js": 161,
    "ts": 159,
    "sh": 158,
    "cpp": 161,
    "java": 158,
    "cs": 158,
    "go": 154,
    "rs": 156,
    "php": 161,
    "rb": 161,
    "pl": 161,
    "lua": 161,
    "r": 161,
    "d": 156,
    "jl": 159,
    "rkt": 161,
    "scala": 160,
    "swift": 158,
}


@pytest.mark.parametrize("language", [*LANGUAGES])
def test_rows_are_read_to_the_letter(shared_data: Path, language: str) -> None:
    folder = shared_data / "benchmarks" / "multipl_e"
    problems = benchmark(language).load(folder)
    assert len(problems) == COUNTS[language]
    name = "python" if language == "py" else language
    rows = [json.loads(line) for line in (folder / f"humaneval-{name}.jsonl").read_bytes().splitlines()]
    for row, problem in zip(rows, problems, strict=True):
        assert problem.prompt == row["prompt"]
        assert problem.prompt.strip() in problem.instruction
        if language == "py":
            assert problem.task_id == row["task_id"].replace("Python", "HumanEval")
            continue
        case = problem.tests
        assert problem.task_id == row["name"]
        assert list(case.stop) == row["stop_tokens"] == list(LANGUAGES[language].stop)
        assert case.joined(Reading("BODY", whole=False)) == row["prompt"] + "BODY" + "\n" + row["tests"]
        assert re.search(rf"\b{case.name}\b", row["tests"])
        if language in ("js", "ts"):
            assert len(case.calls) == row["tests"].count("assert.deepEqual(")
        if language == "sh":
            assert len(case.calls) == row["tests"].count("$(candidate ") > 0


def test_mbpp_and_stop_tokens_of_a_row(tmp_path: Path) -> None:
    row, _ = control_row(LANGUAGES["lua"], "mbpp")
    second = {**row, "name": "mbpp_7_other", "stop_tokens": ["\n\n", "\nlocal"]}
    written(tmp_path / "mbpp-lua-reworded.jsonl", row, second)
    one = BENCHMARKS["multipl-e-mbpp-lua"]()
    first, other = one.load(tmp_path)
    assert [first.task_id, other.task_id] == ["mbpp_0_next_number", "mbpp_7_other"]
    assert one.stop == ("\nlocal", "\n\n")
    raw = "  return 1\nfunction x()\n\nend"
    assert one.extract(first, raw, instruct=False) == "  return 1"
    assert one.extract(other, raw, instruct=False) == "  return 1\nfunction x()"


def test_parquet_as_on_the_hub(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    row, _ = control_row(LANGUAGES["rb"], "humaneval")
    (tmp_path / "humaneval-rb").mkdir()
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "humaneval-rb" / "test-00000-of-00001.parquet")
    assert [one.task_id for one in benchmark("rb").load(tmp_path)] == ["HumanEval_0_next_number"]


@pytest.mark.parametrize(
    ("language", "changes", "said"),
    [
        ("cpp", {"language": "js"}, "expected a problem in C++, got one in 'js'"),
        ("cpp", {"name": "x"}, 'expected a "name" of humaneval'),
        ("cpp", {"prompt": "int x;\n"}, "expected a prompt that ends in a function of C++"),
        ("cpp", {"tests": "int main() {}"}, "expected tests that begin with '}'"),
        ("js", {"tests": "assert(candidate(1) === 2);"}, "expected one function `test`"),
        ("sh", {"tests": "}\necho"}, "expected one function `run_test`"),
        ("go", {"stop_tokens": "x"}, '"stop_tokens" must be a list'),
    ],
)
def test_bad_rows(tmp_path: Path, language: str, changes: dict[str, Any], said: str) -> None:
    row, _ = control_row(LANGUAGES[language], "humaneval")
    path = written(tmp_path / "x.jsonl", {**row, **changes})
    with pytest.raises(InputError, match=re.escape(said)) as error:
        benchmark(language).load(path)
    assert str(error.value).startswith(f"{path}:1: ")
    with pytest.raises(InputError, match="expected a folder with"):
        benchmark(language).load(tmp_path)
