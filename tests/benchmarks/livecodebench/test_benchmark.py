"""LiveCodeBench: its files in both forms, packed tests that are hostile, how answers are compared, and real problems."""

import base64
import json
import os
import pickle
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from benchmarks.contract import Problem, Selection
from benchmarks.livecodebench.answer_check import difference
from benchmarks.livecodebench.benchmark import LiveCodeBench
from benchmarks.livecodebench.prompts import method_of
from livecodebench_solutions import SOLVED
from livecodebench_variants import PRINTED, RETURNED, printing, raw_problems, returning
from sandbox import make
from sandbox.contract import Limits, Sandbox
from sandbox.judging.self_check import choose
from sandbox.judging.verdict import FAIL, INFRA_ERROR, PASS, SYNTAX, TIMEOUT, Verdict
from seedkit.errors import InputError
from support import rows

LIMITS = Limits(6.0)
BENCHMARK = LiveCodeBench()


def stdin_test(given: str, right: str) -> dict[str, str]:
    return {"input": given, "output": right, "testtype": "stdin"}


def calls(given: str, right: str) -> dict[str, str]:
    return {"input": given, "output": right, "testtype": "functional"}


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def as_released(value: object) -> str:
    """As the authors pack tests."""
    return packed(pickle.dumps(json.dumps(value)))


def row(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "question_title": f"double-{number}",
        "question_content": "Print twice\r\nthe number.",
        "platform": "atcoder",
        "question_id": f"abc{number}_a",
        "contest_id": f"abc{number}",
        "contest_date": f"2024-0{number}-01T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": json.dumps([stdin_test("1\n", "2\n")]),
        "private_test_cases": as_released([stdin_test("4\n", "8\n"), stdin_test("5\n", "10\n")]),
        "metadata": "{}",
    } | changed


METHOD = {
    "starter_code": "class Solution:\n    def double(self, n: int) -> int:\n        ",
    "platform": "leetcode",
    "public_test_cases": json.dumps([calls("1", "2")]),
    "private_test_cases": json.dumps([calls("4", "8"), calls("5", "10")]),
}
DOUBLE = "print(2 * int(input()))\n"


def written(path: Path, *objects: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in objects))
    return path


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Problem]:
    def loaded(selection: Selection = Selection(), **changed: Any) -> Problem:  # noqa: B008  # it is frozen
        (problem,) = LiveCodeBench(selection).load(written(tmp_path / "problems.jsonl", row(**changed)))
        return problem

    return loaded


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    try:
        return make(choose())
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def real(shared_data: Path) -> dict[str, Problem]:
    path = shared_data / "benchmarks" / "livecodebench_342_public_tests.jsonl"
    return {problem.task_id: problem for problem in BENCHMARK.load(path)}


# files and rows


def test_a_row_becomes_a_problem(load: Callable[..., Problem]) -> None:
    problem = load()
    assert problem.task_id == "abc1_a"
    assert problem.tags == {"platform": "atcoder", "difficulty": "easy", "date": "2024-01-01"}
    assert problem.tests.count == 3
    assert problem.tests.function is None
    assert problem.reference == ""
    assert "### Question:\nPrint twice\r\nthe number.\n\n### Format: Read the inputs" in problem.instruction
    assert problem.instruction.endswith(
        "```python\n# YOUR CODE HERE\n```\n\n### Answer: (use the provided format with backticks)\n\n"
    )
    assert problem.prompt == "### Question\nPrint twice\r\nthe number.\n\n### Answer\n\n"
    assert [test.output for test in problem.tests.read()] == ["2\n", "8\n", "10\n"]


def test_a_method_is_found_in_the_metadata_or_the_starter_code(load: Callable[..., Problem]) -> None:
    problem = load(**METHOD)
    assert problem.tests.function == "double"
    assert problem.prompt.endswith("### Starter Code\n" + METHOD["starter_code"] + "\n\n### Answer\n\n")
    assert "will use the following starter code" in problem.instruction
    assert load(**METHOD, metadata='{"func_name": "other"}').tests.function == "other"
    assert method_of("# class Node:\n#     def __init__(self): pass\nclass Solution:\n    def f(self,\n a): ") == "f"
    with pytest.raises(InputError, match=r"problems.jsonl:1: expected the name of a function"):
        load(**METHOD | {"starter_code": ""})


def test_the_authors_examples_stand_before_a_base_models_question(load: Callable[..., Problem], tmp_path: Path) -> None:
    example = {"question": "Add.", "sample_code": "class Solution:\n    def add(", "answer": "ADDED"}
    (tmp_path / "func.json").write_text(json.dumps([example, example]))
    (tmp_path / "stdin.json").write_text(json.dumps([example | {"answer": "READ"}]))
    assert load().prompt.startswith("### Question\nAdd.\n\n### Answer\n\nREAD\n\n### Question\nPrint")
    assert load(**METHOD).prompt.startswith(
        "### Question\nAdd.\n\n### Starter Code\nclass Solution:\n    def add(\n\n### Answer\n\nADDED\n\n"
    )
    (tmp_path / "func.json").write_text("[]")
    with pytest.raises(InputError, match="expected the authors' solved examples"):
        load()


def test_dates_count_with_both_ends(tmp_path: Path) -> None:
    path = written(tmp_path / "problems.jsonl", *map(row, range(1, 6)))
    window = Selection(date_from=date(2024, 2, 1), date_to=date(2024, 4, 1))
    assert [problem.task_id for problem in LiveCodeBench(window).load(path)] == ["abc2_a", "abc3_a", "abc4_a"]
    assert len(LiveCodeBench(Selection(date_from=date(2024, 5, 1))).load(path)) == 1
    with pytest.raises(InputError, match="within the dates, got none"):
        LiveCodeBench(Selection(date_from=date(2025, 1, 1))).load(path)


def test_a_release_is_the_first_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 7):
        written(tmp_path / f"test{number if number > 1 else ''}.jsonl", row(number))
    assert len(BENCHMARK.load(tmp_path)) == 5
    assert "release_v5 has 880 problems, these files have 5" in capsys.readouterr().err
    assert len(LiveCodeBench(Selection(release="release_v6")).load(tmp_path)) == 6
    assert len(LiveCodeBench(Selection(release="release_v1")).load(tmp_path)) == 1
    with pytest.raises(InputError, match="expected one of release_v1, .*release_v6"):
        LiveCodeBench(Selection(release="v5")).load(tmp_path)
    with pytest.raises(InputError, match="expected a folder"):
        LiveCodeBench(Selection(release="release_v5")).load(tmp_path / "test.jsonl")
    (tmp_path / "test3.jsonl").unlink()
    with pytest.raises(InputError, match=r"of release_v5, got no test3\.jsonl"):
        BENCHMARK.load(tmp_path)
    written(tmp_path / "test3.jsonl", row(1))
    with pytest.raises(InputError, match=r"test3\.jsonl:1: expected every task_id once, got abc1_a again"):
        BENCHMARK.load(tmp_path)


def test_without_the_hub_it_says_what_to_do() -> None:
    with pytest.raises(InputError, match="neither in the hub's cache nor to be had"):
        BENCHMARK.load(None)


def test_what_is_no_problem_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    for text, message in (
        ("", "expected problems of LiveCodeBench"),
        ("{\n", ":1: expected one JSON object"),
        ("\n[]\n", ":2: expected an object"),
        ("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            BENCHMARK.load(path)
    with pytest.raises(InputError, match="cannot be read"):
        BENCHMARK.load(tmp_path / "missing.jsonl")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"question_id": None}, "expected the id of a problem"),
        ({"contest_date": "soon"}, "expected a date"),
        ({"platform": 3}, '"platform" must be a string'),
        ({"starter_code": None}, '"starter_code" must be a string'),
        ({"public_test_cases": "[]", "private_test_cases": "[]"}, "expected tests, .* got 0 tests"),
        ({"public_test_cases": "[1]"}, "expected objects"),
        ({"public_test_cases": "[{}]"}, "expected texts as input and output"),
        ({"public_test_cases": "[1"}, "expected JSON"),
        ({"public_test_cases": [1]}, "must be a string"),
        ({"private_test_cases": json.dumps([calls("1", "2")])}, "all of a program or all of a function"),
        ({"metadata": "[]"}, 'expected JSON in "metadata"'),
    ],
)
def test_a_damaged_row_is_refused(load: Callable[..., Problem], changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=rf"problems\.jsonl:1: .*{message}|problems\.jsonl:1: {message}"):
        load(**changed)


@pytest.mark.parametrize(
    ("given", "right", "said"),
    [("1\n[2]", "3", ""), ("x", "1", "test 2 of 2"), ("1", "", "test 2 of 2"), ('"\\ud800"', "NaN", "")],
)
def test_a_function_with_a_test_that_nothing_can_pass_is_told(
    load: Callable[..., Problem], capsys: pytest.CaptureFixture[str], given: str, right: str, said: str
) -> None:
    starter = "class Solution:\n    def f(self, a):\n"
    load(
        starter_code=starter,
        public_test_cases=json.dumps([calls("1", "2"), calls(given, right)]),
        private_test_cases="[]",
    )
    captured = capsys.readouterr()
    assert ("is no JSON: no answer can pass" in captured.err + captured.out) is bool(said)
    assert said in captured.err + captured.out


def test_task_ids() -> None:
    for value in ("abc387_b", "atcoder/abc387_b"):
        assert BENCHMARK.task_id(value) == "abc387_b"
    assert BENCHMARK.task_id(3708) == BENCHMARK.task_id("leetcode/3708") == "3708"
    for nonsense in (None, True, "", "a b", "x/y", 1.5):
        assert BENCHMARK.task_id(nonsense) is None


def test_what_counts_of_an_answer(load: Callable[..., Problem]) -> None:
    problem = load()
    assert BENCHMARK.extract(problem, "First\n```python\na\n```\nthen\n```\nb\nc\n```\nDone", instruct=True) == "b\nc"
    assert BENCHMARK.extract(problem, "```python\nnever closed", instruct=True) == ""
    assert BENCHMARK.extract(problem, "print(1)\n", instruct=True) == ""
    assert BENCHMARK.extract(problem, "\nprint(1)\n\n### Question\nMore", instruct=False) == "print(1)"


# packed tests


class Hostile:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.parts = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.parts


def hostile(mark: Path) -> dict[str, bytes]:
    command = f"touch {mark}"
    system = Hostile(os.system, command)
    text = pickle.dumps("[]")
    return {
        "system": pickle.dumps(system),
        "eval": pickle.dumps(Hostile(eval, f"__import__('os').system({command!r})")),
        "protocol 0": pickle.dumps(system, 0),
        "in a list": pickle.dumps([[system]]),
        "in a dict": pickle.dumps({"input_output": system}),
        "as a key": pickle.dumps({system: "[]"}),
        "before the text": b"cos\nsystem\n(S" + repr(command).encode() + b"\ntR0" + text,
        "behind the text": text + pickle.dumps(system),
        "an old instance": b"(S" + repr(command).encode() + b"\nios\nsystem\n.",
        "a class alone": b"cos\nsystem\n.",
        "by names on the stack": b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        "an extension": b"\x80\x02\x82\x01.",
        "built": b"\x80\x04}}b.",
        "somewhere else": b"\x80\x04\x8c\x01aQ.",
        "a huge memo": b"\x80\x04\x8c\x01ar\xff\xff\xff\x7f.",
        "a buffer": b"\x80\x05\x97.",
        "a list": pickle.dumps(["[]"]),
        "a number": pickle.dumps(7),
        "bytes": pickle.dumps(b"[]"),
        "another dict": pickle.dumps({"a": "[]"}),
        "cut off": text[:-1],
        "cut off in the text": text[:-4],
        "nothing": b"",
        "no pickle": b"[]",
        "a long text that is not there": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab.",
        "a set item of no dict": b"\x80\x04\x8c\x01a\x8c\x01b\x8c\x01cs.",
        "a stop without a value": b"\x80\x04.",
        "broken text": b"\x80\x04\x8c\x01\xff.",
    }


@pytest.mark.parametrize("name", hostile(Path("mark")))
def test_a_pickle_that_is_more_than_text_is_refused(load: Callable[..., Problem], tmp_path: Path, name: str) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(
        InputError, match=r"problems\.jsonl:1: expected (packed tests|JSON) in \"private_test_cases\""
    ) as error:
        load(private_test_cases=packed(hostile(mark)[name]))
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"problems\.jsonl:1: "):
        BENCHMARK.load(written(tmp_path / "problems.jsonl", fusion(packed(hostile(mark)[name]))))
    assert not mark.exists()


def test_the_reader_itself_knows_no_class(tmp_path: Path) -> None:
    """Should a pickle ever come past the look at its opcodes."""
    import io

    from benchmarks.livecodebench.packed_tests import _Texts

    for name in ("system", "eval", "in a list", "an old instance", "by names on the stack", "somewhere else"):
        with pytest.raises(pickle.UnpicklingError, match="it asks for"):
            _Texts(io.BytesIO(hostile(tmp_path / "mark")[name])).load()
    assert not (tmp_path / "mark").exists()


def test_a_bomb_is_refused_before_it_unfolds(load: Callable[..., Problem], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.livecodebench.packed_tests.UNPACKED", 1 << 20)
    with pytest.raises(InputError, match="got more than 1,048,576 bytes"):
        load(private_test_cases=packed(bytes(1 << 21)))
    for damaged in (
        "!",
        "AAAA",
        packed(bytes(range(256)))[:80],
        base64.b64encode(zlib.compress(b"x" * 99)[:-6]).decode(),
    ):
        with pytest.raises(InputError, match="no zlib in base64|a part of it"):
            load(private_test_cases=damaged)


# SandboxFusion's form


def fusion(test: str, **labels: str) -> dict[str, Any]:
    labels = {"task_id": "codeforces/7_A", "category": "codeforces", "difficulty": "easy"} | labels
    content = "You are an expert.\n### Question:\nDouble.\n\n### Format: Read.\n```python\n# YOUR CODE HERE\n```\n\n### Answer: \n\n"
    return {"id": 1, "content": content, "canonical_solution": "pass", "test": test, "labels": json.dumps(labels)}


def test_the_other_packed_form(tmp_path: Path) -> None:
    tests = {"inputs": ["1\n", "2\n"], "outputs": ["2\n", "4\n"], "fn_name": None}
    path = written(tmp_path / "packed.jsonl", fusion(packed(pickle.dumps({"input_output": json.dumps(tests)}))))
    (problem,) = BENCHMARK.load(path)
    assert problem.task_id == "7_A"
    assert problem.prompt == "### Question\nDouble.\n\n### Answer\n\n"
    assert problem.instruction.startswith("You are an expert.\n### Question")
    assert [test.output for test in problem.tests.read()] == ["2\n", "4\n"]
    with pytest.raises(InputError, match=r"packed\.jsonl:1: expected the date of a contest"):
        LiveCodeBench(Selection(date_to=date(2025, 1, 1))).load(path)
    written(path, fusion(packed(pickle.dumps({"input_output": json.dumps(tests | {"outputs": []})}))))
    with pytest.raises(InputError, match='expected as many "inputs" as "outputs"'):
        BENCHMARK.load(path)
    for changes, message in (
        ({"inputs": [], "outputs": []}, "got no test"),
        ({"fn_name": 5}, "got 5 for a function"),
        ({"fn_name": "None"}, "the name of a function to call, got 'None'"),
    ):
        written(path, fusion(packed(pickle.dumps({"input_output": json.dumps(tests | changes)}))))
        with pytest.raises(InputError, match=message):
            BENCHMARK.load(path)
    written(path, fusion("") | {"labels": "[]"})
    with pytest.raises(InputError, match="expected task_id, category and difficulty"):
        BENCHMARK.load(path)


# comparing and judging


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("1 2\n", "1 2", True),
        ("1  2", "1 2", True),
        ("1 2.0", "1 2", True),
        ("1e1", "10", True),
        ("1\n2", "1 2", False),
        ("YES", "Yes", False),
        ("0.3333333", "0.33333333", False),
        ("nan", "nan", True),
        ("nan ", "NaN", False),
        ("snan", "1", False),
        ("", "\n", True),
        ("1\r\n2\r\n", "1\n2\n", True),
        ("1\n\n2", "1\n2", False),
        ("a  b", "a b", False),
        ("123456789012345678901234567890", "123456789012345678901234567891", False),
        ("1e999999999", "1", False),
    ],
)
def test_printed_answers_are_compared_as_the_authors_do(printed: str, expected: str, same: bool) -> None:
    assert (difference(printed, expected) is None) == same


def test_what_is_wrong_is_told(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    problem = load()
    assert BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS).name == PASS
    outcome = BENCHMARK.judge(problem, "print(min(9, 2 * int(input())))", sandbox, LIMITS)
    assert (outcome.name, outcome.stderr) == (FAIL, "test 3 of 3: line 1: expected '10', got '9'")
    outcome = BENCHMARK.judge(problem, "print(2)\nprint(3)", sandbox, LIMITS)
    assert outcome.stderr == r"test 1 of 3: expected 1 lines, got 2: expected '2\n', got '2\n3\n'"
    assert BENCHMARK.judge(problem, "print(", sandbox, LIMITS).name == SYNTAX
    assert BENCHMARK.judge(problem, problem.wrong, sandbox, LIMITS).name == FAIL
    outcome = BENCHMARK.judge(problem, "print(1 / 0)", sandbox, LIMITS)
    assert outcome.name == FAIL
    assert "ZeroDivisionError" in outcome.stderr


def test_a_method_is_judged(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    problem = load(**METHOD)
    right = "class Solution:\n    def double(self, n):\n        return 2 * n\n"
    assert BENCHMARK.judge(problem, right, sandbox, LIMITS).name == PASS
    assert BENCHMARK.judge(problem, "def double(n): return n * 2", sandbox, LIMITS).name == PASS
    outcome = BENCHMARK.judge(problem, right.replace("2 * n", "min(9, 2 * n)"), sandbox, LIMITS)
    assert (outcome.name, outcome.stderr) == (FAIL, "test 3 of 3: expected 10, got 9")
    assert BENCHMARK.judge(problem, problem.wrong, sandbox, LIMITS).stderr == "test 1 of 3: expected 2, got None"
    outcome = BENCHMARK.judge(problem, right.replace("2 * n", "1 / 0"), sandbox, LIMITS)
    assert outcome.stderr.startswith("test 1 of 3: ZeroDivisionError\nTraceback")


def test_all_tests_are_run_where_that_is_asked(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    everything = Selection(all_tests=True)
    outcome = BENCHMARK.judge(load(everything), "print(8)", sandbox, LIMITS)
    assert (outcome.name, outcome.stderr) == (
        FAIL,
        "2 of 3 tests failed; test 1 of 3: line 1: expected '2', got '8'",
    )
    program = "class Solution:\n    def double(self, n):\n        return 8"
    outcome = BENCHMARK.judge(load(everything, **METHOD), program, sandbox, LIMITS)
    assert (outcome.name, outcome.stderr) == (FAIL, "2 of 3 tests failed; test 1 of 3: expected 2, got 8")


def test_the_time_is_that_of_one_test(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    """Three tests of 0.2 s are within 0.5 s each, though not together."""
    for changed, program in (
        ({}, f"import time\ntime.sleep(0.2)\n{DOUBLE}"),
        (METHOD, "import time\ndef double(n):\n    time.sleep(0.2)\n    return 2 * n"),
    ):
        problem = load(**changed)
        assert problem.tests.seconds == 6
        assert LiveCodeBench().most_seconds(problem, Limits(7)) == 28
        short = replace(problem, tests=replace(problem.tests, seconds=0.5))
        outcome = BENCHMARK.judge(short, program, sandbox, Limits(0.1))
        assert outcome.name == PASS
        assert outcome.seconds >= 0.6
    outcome = BENCHMARK.judge(short, "def double(n):\n    while n > 1: pass\n    return 2 * n", sandbox, Limits(0.1))
    assert (outcome.name, outcome.stderr) == (TIMEOUT, "test 2 of 3: timeout")


def test_a_fault_of_the_machine_is_no_failure(
    load: Callable[..., Problem], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = iter([Verdict(PASS, 1.0), Verdict(INFRA_ERROR, 0.0, "gone")])
    monkeypatch.setattr("benchmarks.livecodebench.judge._run", lambda *_: next(outcomes))
    problem = load(Selection(all_tests=True))
    assert BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS).name == INFRA_ERROR
    outcomes = iter([Verdict(FAIL, 1.0, "wrong"), Verdict(INFRA_ERROR, 0.0, "gone")])
    assert BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS).name == FAIL


def test_a_file_that_changed_meanwhile_gives_no_verdict(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    problem = load()
    written(problem.tests.path, row(2))
    outcome = BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS)
    assert outcome.name == INFRA_ERROR
    assert "expected the line that was there before" in outcome.stderr
    problem.tests.path.unlink()
    assert BENCHMARK.judge(problem, DOUBLE, sandbox, LIMITS).name == INFRA_ERROR


def test_problems_of_its_own_show_that_grading_works(sandbox: Sandbox) -> None:
    assert [problem.tests.function for problem in BENCHMARK.own_problems()] == [None, "line_up"]
    for problem in BENCHMARK.own_problems():
        assert problem.tests.count == 2
        assert BENCHMARK.judge(problem, problem.reference, sandbox, LIMITS).name == PASS
        assert BENCHMARK.judge(problem, problem.wrong, sandbox, LIMITS).name == FAIL


def test_the_authors_imports_are_there(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    program = (
        f"assert sys.getrecursionlimit() == 50000 and gcd(4, 6) == 2 and Counter and heappush and re.sub\n{DOUBLE}"
    )
    assert BENCHMARK.judge(load(), program + "str(10**40000)", sandbox, LIMITS).name == PASS


# the real problems, where they are


def test_the_342_problems_load(real: dict[str, Problem], shared_data: Path) -> None:
    path = shared_data / "benchmarks" / "livecodebench_342_public_tests.jsonl"
    assert len(real) == 342
    assert sum(problem.tests.count for problem in real.values()) == 589 + 315
    named = {one["question_id"]: json.loads(one["metadata"]).get("func_name") for one in rows(path)}
    assert {task_id: problem.tests.function for task_id, problem in real.items()} == named
    starters = {one["question_id"]: method_of(one["starter_code"]) for one in rows(path)}
    assert starters == named  # what the starter code says alone
    assert sum("errata" in problem.tags for problem in real.values()) == 13
    january = LiveCodeBench(Selection(date_from=date(2025, 1, 1), date_to=date(2025, 1, 31))).load(path)
    assert 0 < len(january) < 342
    assert {problem.tags["date"][:7] for problem in january} == {"2025-01"}


def test_the_packed_problems_load_and_grade(shared_data: Path, sandbox: Sandbox) -> None:
    found = {p.task_id: p for p in BENCHMARK.load(shared_data / "benchmarks" / "livecodebench_3_packed_tests.jsonl")}
    assert {task_id: problem.tests.count for task_id, problem in found.items()} == {
        "1873_A": 5,
        "2727": 14,
        "abc301_a": 15,
    }
    answers = {
        "1873_A": ("for _ in range(int(input())):\n    print('NO' if input() in ('bca', 'cab') else 'YES')\n", "'cab'"),
        "2727": (
            "class Solution:\n    def countSeniors(self, d):\n        return sum(int(x[11:13]) > 60 for x in d)\n",
            "60",
        ),
        "abc301_a": (
            "n, s = int(input()), input()\nt = s.count('T')\nprint('T' if 2 * t > n or 2 * t == n and s[-1] == 'A' else 'A')\n",
            "2 * t == n",
        ),
    }
    for task_id, (right, part) in answers.items():
        assert BENCHMARK.judge(found[task_id], right, sandbox, LIMITS).name == PASS
        assert BENCHMARK.judge(found[task_id], right.replace(part, "0"), sandbox, LIMITS).name == FAIL
        assert BENCHMARK.judge(found[task_id], found[task_id].wrong, sandbox, LIMITS).name == FAIL


@pytest.mark.parametrize("task_id", [*SOLVED][::3])
def test_answers_written_by_hand(real: dict[str, Problem], sandbox: Sandbox, task_id: str) -> None:
    check_by_hand(real, sandbox, task_id, most=1)


@pytest.mark.heavy
@pytest.mark.parametrize("task_id", SOLVED)
def test_all_answers_written_by_hand(real: dict[str, Problem], sandbox: Sandbox, task_id: str) -> None:
    check_by_hand(real, sandbox, task_id, most=9)


def check_by_hand(real: dict[str, Problem], sandbox: Sandbox, task_id: str, most: int) -> None:
    outcome = BENCHMARK.judge(real[task_id], SOLVED[task_id].right, sandbox, LIMITS)
    assert outcome.name == PASS, outcome
    for program in SOLVED[task_id].spoilt()[:most]:
        assert BENCHMARK.judge(real[task_id], program, sandbox, LIMITS).name == FAIL, program


@pytest.mark.heavy
def test_every_problem_takes_its_answer_and_no_other(
    real: dict[str, Problem], shared_data: Path, sandbox: Sandbox
) -> None:
    for problem in raw_problems(rows(shared_data / "benchmarks" / "livecodebench_342_public_tests.jsonl")):
        if problem.function is None:
            right, wrong = printing(problem, str), printing(problem, PRINTED["a line more"])
        else:
            right, wrong = (returning(problem, RETURNED[kind]) for kind in ("a tuple", "a list of it"))
        assert BENCHMARK.judge(real[problem.task_id], right, sandbox, LIMITS).name == PASS, problem.task_id
        for program in (wrong, real[problem.task_id].wrong):
            assert BENCHMARK.judge(real[problem.task_id], program, sandbox, LIMITS).name == FAIL, problem.task_id
