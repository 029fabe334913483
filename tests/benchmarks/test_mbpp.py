"""MBPP, full and sanitized: every reference passes its tests, every wrong completion fails, and damage is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.mbpp import Mbpp, SanitizedMbpp
from python_problems import FULL, SANITIZED, check_answers, check_references, programs_judged, real, solved, why, write
from sandbox.judging.python_judge import Tests
from seedkit.errors import InputError


@pytest.mark.parametrize("name", ["mbpp", "mbpp-full"])
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")  # of references from 2021
def test_every_reference_passes_and_every_wrong_one_fails(name: str, shared_data: Path) -> None:
    check_references(name, shared_data)


@pytest.mark.parametrize("name", ["mbpp", "mbpp-full"])
def test_real_answers_come_back_whole(name: str, shared_data: Path) -> None:
    check_answers(name, shared_data)


def test_names_that_the_tests_call(shared_data: Path) -> None:
    problems = {problem.task_id: problem for problem in real("mbpp-full", shared_data)}
    names = {task: problems[f"Mbpp/{task}"].tests.names for task in (1, 126, 367, 596, 601, 927)}
    assert names == {
        1: ("min_cost",),
        126: ("sum",),
        367: ("Node", "is_tree_balanced"),
        596: ("tuple_size",),
        601: ("Pair", "max_chain_length"),
        927: ("Node", "max_height"),
    }
    assert problems["Mbpp/596"].tests.source.startswith("import sys\n")
    assert not any("\r" in problem.reference + problem.tests.source + problem.prompt for problem in problems.values())


def test_mbpp_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "mbpp.jsonl", FULL, *(solved(FULL, number) for number in (4, 2, 3)))
    problems = Mbpp().load(path)
    assert [problem.task_id for problem in problems] == ["Mbpp/2", "Mbpp/3", "Mbpp/4", "Mbpp/11"]
    problem = problems[-1]
    assert problem.tests == Tests(
        prelude="",
        source="import sys\none = Pair(1, 2)\none.a = 3\n" + "\n".join(FULL["test_list"]),
        names=("Pair", "add"),
    )
    assert "\r" not in problem.reference
    assert why(Mbpp(), problem, problem.reference) is None
    assert why(Mbpp(), problem, problem.wrong) == "AssertionError"
    assert "class Pair" in problem.wrong
    last = (
        "You are an expert Python programmer, and here is your task: Write a function to add. Your code should pass these"
        " tests:\n\n" + "\n".join(FULL["test_list"]) + "\n[BEGIN]\n"
    )
    assert problem.prompt.endswith(f"[DONE]\n\n{last}")
    assert [problem.prompt.count(f"def add{number}(") for number in (2, 3, 4)] == [1, 1, 1]
    assert problem.prompt.count("[DONE]") == 3
    assert "def add(" not in problem.prompt
    for number, example in zip((2, 3, 4), problems, strict=False):
        assert example.prompt.count("[DONE]") == 2
        assert f"def add{number}(" not in example.prompt
    assert all(text in problem.instruction for text in ("Write a function to add.", *FULL["test_list"], "```python"))
    assert not capsys.readouterr().err


def test_mbpp_without_the_examples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [problem] = Mbpp().load(write(tmp_path / "mbpp.jsonl", FULL))
    assert "[DONE]" not in problem.prompt
    assert (
        capsys.readouterr().err
        == "mbpp-full: the data lack Mbpp/2, Mbpp/3, Mbpp/4: prompts hold 0 of 3 solved examples\n"
    )


def test_sanitized_mbpp_in_full(tmp_path: Path) -> None:
    path = tmp_path / "sanitized-mbpp.json"
    path.write_text(json.dumps([solved(SANITIZED, 2), SANITIZED], indent=1))
    example, problem = SanitizedMbpp().load(tmp_path)
    assert problem.tests == Tests("import math", "assert math.isclose(twice(2), 4)", ("twice",))
    assert why(SanitizedMbpp(), problem, problem.reference) is None
    assert why(SanitizedMbpp(), problem, problem.wrong) == "TypeError"
    assert "def twice2(" in problem.prompt
    assert "def twice2(" not in example.prompt


def test_each_mbpp_knows_the_other(tmp_path: Path) -> None:
    full, sanitized = write(tmp_path / "a.jsonl", FULL), write(tmp_path / "b.jsonl", SANITIZED)
    with pytest.raises(
        InputError, match=r'a.jsonl:1: expected a problem of mbpp \("prompt"\), got full MBPP .* mbpp-full'
    ):
        SanitizedMbpp().load(full)
    with pytest.raises(InputError, match=r'b.jsonl:1: expected a problem of mbpp-full \("text"\), got sanitized MBPP'):
        Mbpp().load(sanitized)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task_id": "x"}, r":2: expected a number in \"task_id\", got 'x'"),
        ({"task_id": 11}, ":2: expected every task_id once, got Mbpp/11 again"),
        ({"code": "def add("}, ":2: expected Python in the code of Mbpp/12"),
        ({"test_list": ["assert add("]}, ":2: expected Python in the tests of Mbpp/12"),
        ({"test_list": "assert add(1)"}, ':2: "test_list" must be a list of strings, got'),
        ({"test_list": [1]}, ':2: "test_list" must be a list of strings, got'),
        (
            {"test_list": ["assert 1"], "test_setup_code": ""},
            ":2: expected tests that call the code of Mbpp/12, got none",
        ),
        ({"test_setup_code": None}, ':2: "test_setup_code" must be a string'),
    ],
)
def test_mbpp_damage(change: dict[str, object], message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "mbpp.jsonl", FULL, {**FULL, "task_id": 12, **change})
    with pytest.raises(InputError, match=message):
        Mbpp().load(path)


def parquet_folder(folder: Path, config: str, rows: list[dict[str, Any]]) -> Path:
    """The data set as the hub has it: a file per split."""
    import pyarrow as pa
    from pyarrow import parquet

    (folder / config).mkdir(parents=True)
    for position, split in enumerate(("train", "test", "validation", "prompt")):
        table = pa.Table.from_pylist(rows[position::4])
        parquet.write_table(table, folder / config / f"{split}-00000-of-00001.parquet")
    return folder


def test_mbpp_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    for benchmark, row in ((Mbpp(), FULL), (SanitizedMbpp(), SANITIZED)):
        rows = [solved(row, number) for number in (9, 2, 4, 3, 12)]
        folder = parquet_folder(tmp_path / "hub", benchmark.config, rows)
        expected = benchmark.load(write(tmp_path / f"{benchmark.config}.jsonl", *rows))
        assert len(expected) == 5
        assert benchmark.load(folder) == benchmark.load(folder / benchmark.config) == expected

        def download(repository: str, name: str, *, repo_type: str) -> str:
            assert (repository, repo_type) == ("google-research-datasets/mbpp", "dataset")
            return str(tmp_path / "hub" / name)

        monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
        assert benchmark.load(None) == expected
    (tmp_path / "hub" / "full" / "test-00000-of-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="expected a parquet file"):
        Mbpp().load(None)


@pytest.mark.parametrize(
    ("benchmark", "value", "expected"),
    [
        (Mbpp(), 2, "Mbpp/2"),
        (Mbpp(), "2", "Mbpp/2"),
        (SanitizedMbpp(), "MBPP/2", "Mbpp/2"),
        (SanitizedMbpp(), "Mbpp/2", "Mbpp/2"),
        (Mbpp(), "HumanEval/2", None),
        (Mbpp(), True, None),
        (Mbpp(), 2.0, None),
        (Mbpp(), -2, None),
        (Mbpp(), None, None),
        (Mbpp(), ["2"], None),
        (Mbpp(), "٢", None),
    ],
)
def test_task_ids(benchmark: Mbpp, value: object, expected: str | None) -> None:
    assert benchmark.task_id(value) == expected


def test_what_runs_in_the_jail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = SanitizedMbpp().load(write(tmp_path / "s.jsonl", SANITIZED))
    problems += Mbpp().load(write(tmp_path / "f.jsonl", FULL))
    ran, future = programs_judged("mbpp", problems, monkeypatch), "from __future__ import annotations\n"
    for completion in ("x = 1", future, "not python"):
        SanitizedMbpp().judge(problems[0], completion, None, None)  # type: ignore[arg-type]
    assert ran == ["import math\nx = 1", future, "import math\nnot python"]
    ran.clear()
    Mbpp().judge(problems[1], "x = 1", None, None)  # type: ignore[arg-type]
    assert ran == ["\nx = 1"]


def test_stop_sequences_are_the_authors() -> None:
    assert Mbpp.stop == SanitizedMbpp.stop == ("[DONE]",)
