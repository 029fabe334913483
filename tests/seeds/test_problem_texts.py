"""Problems from the files of all benchmarks, each known by its fields."""

import gzip
import json
import re
from pathlib import Path

import pytest
from seed_problems import LAMP, PROMPT, RIDGE, SOLUTION, benchmark_file
from seedkit.errors import InputError
from seeds.problem_parts import description_of
from seeds.problem_texts import installed, read_problems


def test_benchmarks_are_known_by_their_fields(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks"
    (folder / "more").mkdir(parents=True)
    benchmark_file(folder / "a.jsonl", RIDGE, RIDGE, LAMP)
    (folder / "b.json").write_text(
        json.dumps([{"task_id": 5, "prompt": "Write one.", "code": "x", "test_list": []}], indent=1)
    )
    translated = {
        "name": "HumanEval_900_x",
        "language": "go_test.go",
        "prompt": "// Walk\nfunc x() {",
        "tests": "",
        "test": "",
    }
    python = {"task_id": "Python/9", "prompt": PROMPT, "canonical_solution": SOLUTION, "declaration": "", "test": ""}
    contest = {"question_id": "abc1_a", "question_content": "Add A and B.", "starter_code": ""}
    packed = {
        "id": 1,
        "content": "You are.\n### Question:\nAdd A.\n### Format: x",
        "labels": '{"task_id": "abc/2"}',
        "test": "e",
    }
    benchmark_file(folder / "more" / "c.jsonl", translated, python, contest, packed)
    (folder / "d.jsonl.gz").write_bytes(
        gzip.compress(json.dumps({**RIDGE, "task_id": "HumanEval/1", "prompt": "x"}).encode())
    )
    (folder / "README.md").write_text("not one of them")
    items = read_problems([folder])
    assert [(item.benchmark, item.name) for item in items] == [
        ("HumanEval", "HumanEval/900"),
        ("MBPP", "MBPP/77"),
        ("MBPP-sanitized", "MBPP/5"),
        ("HumanEval", "HumanEval/1"),
        ("MultiPL-E", "go/HumanEval_900_x"),
        ("MultiPL-E", "python/Python/9"),
        ("LiveCodeBench", "abc1_a"),
        ("LiveCodeBench", "abc/2"),
    ]
    assert items[-1].prompt.strip() == "Add A."
    assert description_of(items[0]).split()[:2] == ["Walk", "along"]
    assert ">>>" not in description_of(items[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"task_id": 1}', ":1: expected a problem of HumanEval, MBPP,"),
        ('{"text": 3, "code": "", "test_list": []}', ':1: "text" must be a string, got int'),
        ('{"text": " ", "code": "", "test_list": []}', ":1: expected a problem, got an empty prompt"),
        ("[1]", ":1: expected an object"),
        ('{"text"', ":1: expected one JSON object, got malformed JSON"),
        ('{"content": "x", "labels": "{", "test": ""}', ':1: "labels" must be an object with a task_id'),
        ("", ": the file is empty"),
    ],
)
def test_bad_benchmarks(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match=re.escape(f"{path}{message}")):
        read_problems([path])


def test_benchmarks_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl.gz").write_text("no gzip")
    for path, message in (
        ("none.jsonl", "no such file"),
        ("none.jsonl.gz", "no such file"),
        ("broken.jsonl.gz", "expected gzip"),
    ):
        with pytest.raises(InputError, match=message):
            read_problems([tmp_path / path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the folder holds none"):
        read_problems([tmp_path / "empty"])
    assert len(read_problems([installed()])) == 164


def test_parquet_files_are_read_by_name(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "test-00000-of-00001.parquet"
    parquet.write_table(pa.Table.from_pylist([LAMP, {**LAMP, "task_id": 79, "text": "Fold it."}]), path)
    assert read_problems([path]) == read_problems(
        [benchmark_file(tmp_path / "a.jsonl", LAMP, {**LAMP, "task_id": 79, "text": "Fold it."})]
    )
