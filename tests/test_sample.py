"""The bundled seeds are what they claim: plain records, every kind of task, solutions that work."""

import doctest
import io
import json
import re
import sqlite3
import types
from collections.abc import Iterator
from contextlib import redirect_stdout

import pytest
from seedkit.records import read_records
from support import ROOT

SAMPLE = ROOT / "Datas" / "sample"
SIZES = {"EVOL": 120, "OSS": 120, "ALPACA": 60, "MATH": 60}
CATEGORIES = {"ALG", "MATH", "DB", "SYS", "WEB", "DS", "PERF", "UI", "DOM", "SEC"}
FENCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PROGRAMS = [
    pytest.param(code, id=f"{record.id}{'abc'[number]}")
    for source in SIZES
    for record in read_records(SAMPLE / f"{source}.jsonl")
    for number, code in enumerate(FENCE.findall(record.output))
]


@pytest.mark.parametrize(("source", "size"), SIZES.items())
def test_plain_records(source: str, size: int) -> None:
    lines = (SAMPLE / f"{source}.jsonl").read_bytes().splitlines()
    assert len(lines) == size
    rows = [json.loads(line) for line in lines]
    assert len({row["instruction"] for row in rows}) == size
    for row in rows:
        assert list(row) == ["id", "instruction", "input", "output"]
        assert all(isinstance(text, str) for text in row.values())
        assert row["instruction"].strip()
        assert row["output"].strip()


@pytest.mark.parametrize("source", ["EVOL", "OSS"])
def test_all_categories_and_lengths(source: str) -> None:
    records = list(read_records(SAMPLE / f"{source}.jsonl"))
    per_category = [record.id.split("-")[1] for record in records]
    assert {category: per_category.count(category) for category in CATEGORIES} == dict.fromkeys(CATEGORIES, 12)
    lengths = sorted(len(record.instruction.split()) for record in records)
    assert lengths[0] <= 15
    assert lengths[-1] >= 100


def test_evolved_chains() -> None:
    chains: dict[str, set[str]] = {}
    for record in read_records(SAMPLE / "EVOL.jsonl"):
        chain, generation = record.id.rsplit("-", 1)
        chains.setdefault(chain, set()).add(generation)
    assert len(chains) == 40
    assert all(generations == {"0", "1", "2"} for generations in chains.values())


def test_code_inspired_tasks() -> None:
    assert sum("```" in record.instruction for record in read_records(SAMPLE / "OSS.jsonl")) >= 40


def test_enough_programs() -> None:
    assert len(PROGRAMS) >= 140
    assert sum(">>>" in str(program.values[0]) for program in PROGRAMS) >= 100


@pytest.fixture
def closed_databases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes what the examples opened and left open, as the end of a session would."""
    connect, opened = sqlite3.connect, []

    def remembered(*arguments: object, **named: object) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(*arguments, **named)  # type: ignore[call-overload]
        opened.append(made)
        return made

    monkeypatch.setattr(sqlite3, "connect", remembered)
    yield
    for connection in opened:
        connection.close()


@pytest.mark.parametrize("code", PROGRAMS)
@pytest.mark.filterwarnings("default", "error::ResourceWarning", "error::pytest.PytestUnraisableExceptionWarning")
def test_python_solutions_compile_and_their_examples_hold(
    code: str, closed_databases: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = compile(code, "solution", "exec", dont_inherit=True)
    if ">>>" not in code:
        return
    module = types.ModuleType("solution")
    monkeypatch.setitem(__import__("sys").modules, "solution", module)  # dataclasses look up their module
    with redirect_stdout(io.StringIO()):
        exec(program, module.__dict__)  # noqa: S102
    runner = doctest.DocTestRunner(verbose=False)
    ran = 0
    for test in doctest.DocTestFinder().find(module, "solution", module=module, globs=module.__dict__):
        ran += len(test.examples)
        runner.run(test)
    assert ran > 0
    assert runner.failures == 0
