"""The balance table: columns by hand, differences by their formula, and that it notices what a partition was biased in."""

from pathlib import Path

import numpy as np
import pytest
from seedkit import balance as module
from seedkit.balance import balance, balance_report, differences, measured, warnings
from seedkit.records import Record, read_records
from support import ROOT

PYTHON = "def add(a, b):\n    return a + b\n"
BROKEN = "def add(a, b:\n    return a + b\n"


def record(instruction: str, output: str, input_: str = "") -> Record:
    return Record(instruction, instruction, input_, output)


def test_columns_by_hand() -> None:
    records = [
        record("Add 1 and 2.", PYTHON),
        record("add 3  AND 4!", f"Here it is:\n```python\n{BROKEN}```\n"),
        record("Add two numbers", "```java\nint a = 1;\n```"),
        record("Say hello", "  \n", "twice"),
    ]
    found = measured(records, 4, [0, 2, None, True])
    assert {name: values.tolist() for name, values in found.columns.items() if name != "python_parses"} == {
        "instruction_tokens": [5, 5, 3, 4],
        "answer_tokens": [14, 27, 14, 1],
        "python": [1, 1, 0, 0],
        "fenced": [0, 1, 1, 0],
        "empty_output": [0, 0, 0, 1],
        "generation": [0, 2, pytest.approx(np.nan, nan_ok=True), pytest.approx(np.nan, nan_ok=True)],
    }
    assert found.columns["python_parses"][:2].tolist() == [1, 0]
    assert np.isnan(found.columns["python_parses"][2:]).all()

    table = balance(found, [("A.jsonl", np.array([0, 1])), ("B.jsonl", np.array([2, 3]))])
    first = table["subsets"]["A.jsonl"]
    assert first["answer_tokens"] == {"mean": 20.5, "sd": 6.5, "median": 20.5}
    assert first["near_duplicate"] == {"mean": 0.5, "sd": 0.5}  # the same letters: case, figures and marks aside
    assert table["subsets"]["B.jsonl"]["near_duplicate"] == {"mean": 0, "sd": 0}
    assert "python_parses" not in table["subsets"]["B.jsonl"]  # no Python, so nothing is known
    assert first["generation"] == {"mean": 1, "sd": 1, "median": 1}


def test_the_difference_is_by_its_formula_and_the_largest_pair_is_named() -> None:
    rows = {
        name: {"answer_tokens": {"mean": mean, "sd": sd}, "python": {"mean": share, "sd": 0.0}}
        for name, mean, sd, share in (("A", 10, 3, 0.0), ("B", 12, 4, 0.0), ("C", 5, 5, 1.0))
    }
    assert differences(rows) == {
        "answer_tokens": {"smd": round(-7 / np.sqrt((16 + 25) / 2), 4), "subsets": ["B", "C"]},
        "python": {"smd": None, "subsets": ["A", "C"]},  # neither varies: no number says how far apart they are
    }
    assert differences({"A": rows["A"]}) == {}
    (line,) = warnings(rows)
    assert line.endswith("above 0.25: Python  (C against A), answer tokens -1.55 (C against B)")


def test_a_biased_split_is_warned_of_and_a_random_one_is_not() -> None:
    records = list(read_records(ROOT / "Datas" / "sample" / "EVOL.jsonl")) * 10
    found = measured(records, len(records))
    lengths = np.argsort(found.columns["answer_tokens"], kind="stable")
    mixed = np.random.default_rng(1).permutation(len(records))

    def report(order: object) -> str:
        thirds = np.array_split(np.asarray(order), 3)
        return balance_report(balance(found, zip(("X_LOW", "X_MIDDLE", "X_HIGH"), thirds, strict=True))["subsets"])

    assert "WARNING: standardised mean differences above 0.25: answer tokens +" in report(lengths)
    assert "(HIGH against LOW)" in report(lengths)
    assert "WARNING" not in report(mixed)


def test_of_many_records_the_python_of_some_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARSED", 10)
    monkeypatch.setattr(module, "CHUNK", 7)
    records = [record(f"Add {number}", PYTHON if number % 2 else BROKEN) for number in range(25)]
    parsed = measured(iter(records), 25).columns["python_parses"]
    assert np.flatnonzero(~np.isnan(parsed)).tolist() == list(range(0, 25, 3))
    assert parsed[::3].tolist() == [number % 2 for number in range(0, 25, 3)]
    row = balance(measured(records, 25), [("A", np.arange(25))])["subsets"]["A"]
    assert row["python_parses"] == {"mean": 0.4444, "sd": 0.4969, "records": 9}


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    records = list(read_records(ROOT / "Datas" / "sample" / "OSS.jsonl"))
    whole = measured(records, len(records))
    monkeypatch.setattr(module, "CHUNK", 11)
    parts = measured(records, len(records))
    assert whole.letters.tolist() == parts.letters.tolist()
    for name, values in whole.columns.items():
        np.testing.assert_array_equal(values, parts.columns[name])
