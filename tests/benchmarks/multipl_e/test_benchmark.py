"""MultiPL-E: the data set's own rows to the letter, answers of chat models, and right, wrong and hostile completions."""

import functools
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks import BENCHMARKS
from benchmarks.contract import INSIDE, OUTSIDE, Problem
from benchmarks.dataset_rows import Row
from benchmarks.multipl_e import benchmark as benchmark_module
from benchmarks.multipl_e.benchmark import MultiplE
from benchmarks.multipl_e.case import Case
from benchmarks.multipl_e.extraction import completion_in
from benchmarks.multipl_e.languages import toolchain
from benchmarks.multipl_e.languages.base import LANGUAGES
from benchmarks.multipl_e.languages.cpp import parameters
from benchmarks.multipl_e.languages.javascript import decoded, equal
from benchmarks.multipl_e.languages.javascript_values import Call, Undefined, js_calls, sh_calls
from benchmarks.multipl_e.languages.own import own_row
from evaluation import toolchains
from multipl_e_answers import ANSWERS, completion
from multipl_e_attacks import ATTACKS, LIST_ANSWERS, LIST_ATTACKS, LISTS
from multipl_e_readings import READINGS
from sandbox import make, prepared
from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.verdict import FAIL, INFRA_ERROR, MEMORY, PASS, SYNTAX, Verdict
from seedkit.errors import InputError, RunError
from support import ROOT

Command = Callable[..., "subprocess.CompletedProcess[str]"]
LIMITS = Limits(10)
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
FAST = ("js", "sh", "cpp", "pl")
FEW = {"js": (42, 53, 60), "sh": (28, 42, 53), "cpp": (53,), "pl": (42, 53)}


def benchmark(language: str) -> MultiplE:
    found = BENCHMARKS[f"multipl-e-{language}"]()
    assert isinstance(found, MultiplE)
    return found


def own(language: str) -> Problem:
    return benchmark(language).own_problems()[0]


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@functools.cache
def _sandbox() -> Sandbox:
    return make("bubblewrap", 3, toolchains=True)


@pytest.fixture
def sandbox() -> Sandbox:
    try:
        return _sandbox()
    except SandboxError as error:
        pytest.skip(str(error))


def needs(language: str) -> None:
    if why := toolchain.missing(language):
        pytest.skip(f"not run: {why}")


def judged(language: str, problem: Problem, text: str, sandbox: Sandbox, seconds: float = 10) -> Verdict:
    return benchmark(language).judge(problem, text, sandbox, Limits(seconds))


# --- what is read


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
        assert case.joined("BODY") == row["prompt"] + "BODY" + "\n" + row["tests"]
        assert re.search(rf"\b{case.name}\b", row["tests"])
        if language in ("js", "ts"):
            assert len(case.calls) == row["tests"].count("assert.deepEqual(")
        if language == "sh":
            assert len(case.calls) == row["tests"].count("$(candidate ") > 0


def test_names_and_where_they_are_judged() -> None:
    for language in LANGUAGES:
        for name, origin in ((f"multipl-e-{language}", "humaneval"), (f"multipl-e-mbpp-{language}", "mbpp")):
            one = BENCHMARKS[name]()
            assert isinstance(one, MultiplE)
            assert (one.name, one.origin) == (name, origin)
            assert one.toolchain == (None if language == "py" else language)
            assert one.judged == (OUTSIDE if language in ("py", "js", "ts", "sh") else INSIDE)


def test_mbpp_and_stop_tokens_of_a_row(tmp_path: Path) -> None:
    row, _ = own_row("lua", "mbpp")
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

    row, _ = own_row("rb", "humaneval")
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
    row, _ = own_row(language, "humaneval")
    path = written(tmp_path / "x.jsonl", {**row, **changes})
    with pytest.raises(InputError, match=re.escape(said)) as error:
        benchmark(language).load(path)
    assert str(error.value).startswith(f"{path}:1: ")
    with pytest.raises(InputError, match="expected a folder with"):
        benchmark(language).load(tmp_path)


def test_task_ids() -> None:
    assert benchmark("cpp").task_id("HumanEval_23_strlen") == "HumanEval_23_strlen"
    assert BENCHMARKS["multipl-e-mbpp-cpp"]().task_id("mbpp_3_is_not_prime") == "mbpp_3_is_not_prime"
    assert [benchmark("py").task_id(value) for value in ("Python/7", "HumanEval/7", "7", 7)] == ["HumanEval/7"] * 4
    for value in ("HumanEval/7", "mbpp_3_x", 7, None, "", "HumanEval_x"):
        assert benchmark("cpp").task_id(value) is None


# --- tests as data

LITERALS = [
    "0",
    "-0",
    "1",
    "1.0",
    "-2.5",
    "1e3",
    '"1"',
    '""',
    '" 1\\n"',
    '"0x10"',
    '"1e3"',
    '"x"',
    "true",
    "false",
    "null",
    "undefined",
    "[]",
    "[1]",
    '["1"]',
    "[[1, 2], []]",
    "{}",
    '{"a": 1}',
    '{"a": undefined}',
    '{"a": 1, "b": [true]}',
    '"true"',
    '"é\\u0000"',
    "9007199254740993",
    '"null"',
    '"Infinity"',
    "[null]",
    "[undefined]",
]
MORE = [
    "NaN",
    "Infinity",
    "5n",
    "1n",
    "new Map()",
    "new Set([1])",
    "[, 1]",
    "() => 1",
    "new Number(1)",
    "new String('1')",
    "Object.assign([1], { x: 1 })",
    "new Date(0)",
    "Symbol.iterator",
    "Object.create({ a: 1 })",
    "new (class A { a = 1; })()",
    "new Uint8Array([1])",
    "[NaN]",
    "Object.create(null)",
    "(function () { return arguments; })(1)",
]


def test_equality_is_that_of_assert_deep_equal() -> None:
    needs("js")
    driver = (ROOT / "Code" / "sandbox" / "in_jail" / "javascript_driver.js").read_text()
    encoded = driver[driver.index("function encoded") : driver.index("// TypeScript")]
    program = f"""
    const [DEPTH, kindOf, owns] = [200, Object.prototype.toString, Object.prototype.hasOwnProperty];
    const {{ isArray }} = Array, {{ keys }} = Object;
    {encoded}
    const assert = require('node:assert');
    const values = [{", ".join(f"() => ({one})" for one in LITERALS + MORE)}];
    const found = values.map((one) => values.slice(0, {len(LITERALS)}).map((other) => {{
      try {{ assert.deepEqual(one(), other()); return true; }} catch {{ return false; }}
    }}));
    console.log(JSON.stringify([values.map((one) => encoded(one(), 0)), found]));
    """
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    answers, found = json.loads(done.stdout)
    expected = [
        js_calls(
            f"const assert = require('node:assert');\nfunction test() {{\nlet candidate = f;\n"
            f"assert.deepEqual(candidate(),{one});\n}}\ntest();"
        )[0].expected
        for one in LITERALS
    ]
    wrong = [
        (one, other)
        for one, answer, row in zip(LITERALS + MORE, answers, found, strict=True)
        for other, wanted, same in zip(LITERALS, expected, row, strict=True)
        if equal(decoded(answer), wanted) is not same
    ]
    # a function is equal to its text, which its program chooses: not here
    assert wrong == []


def test_literals() -> None:
    tests = (
        "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = f;\n"
        '  assert.deepEqual(candidate([1, -2.5], "a\\"),(\\u00e9"),{"k": [undefined, true]});\n'
        '  assert.deepEqual(candidate("one\ntwo"),null);\n}\n\ntest();'
    )
    first, second = js_calls(tests)
    assert first == Call('[1, -2.5], "a\\"),(\\u00e9"', {"k": [Undefined(), True]})
    assert second == Call('"one\\ntwo"', None)
    for bad in ("candidate(x),1", "candidate(1),f()", 'candidate(1),{"__proto__": 1}', "candidate(1) ,", "other(1),1"):
        with pytest.raises(ValueError, match="expected"):
            js_calls(
                tests.replace("candidate([1, -2.5]", "X", 1).replace(
                    'X, "a\\"),(\\u00e9"),{"k": [undefined, true]}', bad
                )
            )


def test_words_of_bash() -> None:
    text = r'"a\\b\"c\$d\`e\!f\n" "" "é"'
    tests = f'}}\n\ncandidate() {{\n    f "$@"\n}}\n\nset -e\nrun_test() {{\n    [[ $(candidate {text}) = "x" ]]\n}}\n\nrun_test\n'
    (call,) = sh_calls(tests)
    said = subprocess.run(["bash", "-c", f"printf '%s\\n' {text}"], capture_output=True, text=True, check=True).stdout
    assert list(call.arguments) == said.split("\n")[:-1]
    for bad in ('"$HOME"', '"`id`"', "x", '"a" | cat'):
        with pytest.raises(ValueError, match="expected"):
            sh_calls(tests.replace(text, bad))


def test_parameters_of_cpp() -> None:
    declaration = (
        "std::map<long,long> f(std::vector<std::map<long,std::string>> a, std::function<long(long, long)> b, long c)"
    )
    assert parameters(declaration) == ["a", "b", "c"]
    assert parameters("long f()") == []


# --- answers of chat models


def whole(language: str) -> str:
    problem, case = own(language), own(language).tests
    assert isinstance(case, Case)
    text = problem.prompt + problem.reference
    closing = {"java": "    }\n}\n", "cs": "    }\n}\n", "scala": "    }\n}\n"}.get(language, case.spoken.closes + "\n")
    return text + (closing if case.spoken.closes else "")


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "py"])
def test_the_function_in_a_block_becomes_a_completion(language: str) -> None:
    problem = own(language)
    tag = LANGUAGES[language].fences[0]
    code = whole(language)
    for raw in (
        f"Here it is:\n\n```{tag}\n{code}```\n\nIt adds one.\n```\nprint this\n```",
        f"<think>```{tag}\nno\n```</think>\n```{tag.upper()}\n{code}",
        code,
    ):
        assert completion_in(problem.tests, raw).strip() == problem.reference.strip(), raw


@pytest.mark.parametrize(
    ("language", "body"),
    [
        (
            "cpp",
            "    char c = '}'; /* } */ // }\n    if (n) { return n + std::string(\"}\").size(); }\n    return c;\n",
        ),
        ("rs", "    let s: &'static str = \"}\"; // it's }\n    n + s.len() as isize\n"),
        ("sh", "    local x='}' # }\n    echo \"${#x} }\" | { read -r a _; echo $((a + $1)); }\n"),
        ("java", '        String s = "}"; // }\n        return n + s.length();\n'),
    ],
)
def test_braces_that_close_nothing(language: str, body: str) -> None:
    case = own(language).tests
    closing = "    }\n}\n" if language == "java" else "}\n"
    assert completion_in(case, f"```{language}\n{case.prompt}{body}{closing}```") == body


WHOLE = {
    "js": "const one = 1;\nconst next_number = (n) => n + one;\n",
    "ts": "interface Box { n: number }\nexport function next_number(n: number): number {\n  const box: Box = { n: n + 1 };\n  return box.n as number;\n}\n",
    "sh": '#!/bin/bash\nhelp() { echo $(($1 + 1)); }\nfunction next_number {\n    help "$1"\n}\n',
    "cpp": "#include <vector>\nusing namespace std;\n\nstatic int one() { return 1; }\n\nint next_number(const long& n) {\n    return n + one();\n}\n\n"
    "int main() {\n    return next_number(1);\n}\n",
    "java": "package x;\nimport java.util.function.*;\n\npublic class Solution {\n    private static long one = 1;\n"
    "    public long nextNumber(long n) { return n + Solution.one; }\n    public static void main(String[] args) { }\n}\n",
    "cs": "using System;\nnamespace Answers {\n    public class Solution {\n        static long One() { return 1; }\n"
    "        static long NextNumber(long n) { return n + One(); }\n    }\n}\n",
    "go": 'package main\n\nimport "math"\n\nfunc one() int { return int(math.Abs(-1)) }\n\nfunc next_number(n int) int {\n\treturn n + one()\n}\n\nfunc main() {}\n',
    "rs": "use std::cmp::max;\n\nfn one() -> isize { max(0, 1) }\n\npub fn next_number(n: isize) -> isize {\n    n + one()\n}\n\nfn main() { }\n",
    "php": "<?php\nfunction one() { return 1; }\nfunction next_number(int $n): int {\n    return $n + one();\n}\n",
    "rb": "ONE = 1\n\ndef next_number(n)\n  n + ONE\nend\n",
    "pl": "use strict;\nuse warnings;\n\nsub next_number {\n    my ($n) = @_;\n    return $n + 1;\n}\n",
    "lua": "local one = 1\nfunction next_number(n)\n  return n + one\nend\n",
    "r": "one <- 1\nnext_number = function(n) n + one\n",
    "d": "long one() { return 1; }\nlong next_number(long n) {\n    return n + one();\n}\n",
    "rkt": "(define one 1)\n(define (next_number n)\n  (+ n one))\n",
}


def whole_program_passes(language: str, sandbox: Sandbox) -> None:
    needs(language)
    problem = own(language)
    text = completion_in(problem.tests, f"```{LANGUAGES[language].fences[0]}\n{WHOLE[language]}```")
    assert text == WHOLE[language]
    assert judged(language, problem, text, sandbox).name == PASS
    assert judged(language, problem, text.replace("+ ", "- "), sandbox).name != PASS


@pytest.mark.parametrize("language", ["js", "sh", "pl"])
def test_a_whole_program_takes_the_place_of_the_prompt(language: str, sandbox: Sandbox) -> None:
    whole_program_passes(language, sandbox)


@pytest.mark.heavy
@pytest.mark.parametrize("language", [name for name in WHOLE if name not in ("js", "sh", "pl")])
def test_a_whole_program_takes_the_place_of_the_prompt_in(language: str, sandbox: Sandbox) -> None:
    whole_program_passes(language, sandbox)


def readings_are_judged(language: str, sandbox: Sandbox) -> None:
    needs(language)
    problem, fence = own(language), LANGUAGES[language].fences[0]
    found = {
        (name, form, verdict)
        for name, text in READINGS[language].items()
        for form, raw in (
            ("alone", text),
            ("chat", completion_in(problem.tests, f"So:\n```{fence}\n{text.rstrip()}\n```\nIt is.\n")),
        )
        for wanted, judged_text in ((True, raw), (False, raw.replace("+ 1", "- 1")))
        if ((verdict := judged(language, problem, judged_text, sandbox).name) == PASS) is not wanted
        or not wanted
        and verdict != FAIL
    }
    assert found == set()


@pytest.mark.parametrize("language", ["js", "sh"])
def test_bodies_and_whole_programs_are_told_apart(language: str, sandbox: Sandbox) -> None:
    readings_are_judged(language, sandbox)


@pytest.mark.heavy
@pytest.mark.parametrize("language", [name for name in READINGS if name not in ("js", "sh")])
def test_bodies_and_whole_programs_are_told_apart_in(language: str, sandbox: Sandbox) -> None:
    readings_are_judged(language, sandbox)


# --- verdicts


def own_problem_is_judged(language: str, sandbox: Sandbox) -> None:
    needs(language)
    problem = own(language)
    assert judged(language, problem, problem.reference, sandbox).name == PASS
    assert judged(language, problem, problem.prompt + problem.reference, sandbox).name == PASS
    assert judged(language, problem, problem.wrong, sandbox).name == FAIL
    broken = judged(language, problem, '  ((( {{ "\n', sandbox)
    assert broken.name in (SYNTAX, FAIL), broken
    assert broken.stderr or language == "sh"


@pytest.mark.parametrize("language", ["py", "js", "sh", "pl"])
def test_own_problem(language: str, sandbox: Sandbox) -> None:
    own_problem_is_judged(language, sandbox)


@pytest.mark.heavy
@pytest.mark.parametrize("language", [name for name in LANGUAGES if name not in ("py", "js", "sh", "pl")])
def test_own_problem_in(language: str, sandbox: Sandbox) -> None:
    own_problem_is_judged(language, sandbox)


def right_and_wrong(language: str, numbers: Any, folder: Path, sandbox: Sandbox) -> int:
    needs(language)
    problems = {int(re.findall(r"\d+", one.task_id)[0]): one for one in benchmark(language).load(folder)}
    found = [
        (number, right, judged(language, problems[number], completion(language, number, right=right), sandbox))
        for number in numbers
        for right in (True, False)
    ]
    assert [(*one, outcome.stderr) for *one, outcome in found if outcome.name != (PASS if one[1] else FAIL)] == []
    return len(found)


@pytest.mark.parametrize("language", FAST)
def test_right_and_wrong_answers(shared_data: Path, language: str, sandbox: Sandbox) -> None:
    right_and_wrong(language, FEW[language], shared_data / "benchmarks" / "multipl_e", sandbox)


@pytest.mark.heavy
@pytest.mark.parametrize("language", [*ANSWERS])
def test_right_and_wrong_answers_to_ten_problems(shared_data: Path, language: str, sandbox: Sandbox) -> None:
    count = right_and_wrong(language, ANSWERS[language], shared_data / "benchmarks" / "multipl_e", sandbox)
    assert count == (4 if language in ("py", "d", "rkt") else 20)


def left_of(sandbox: Sandbox) -> list[str]:
    """What runs as the jail's user, or below this process."""
    user, found = getattr(sandbox, "_user", None), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            facts, command = os.stat(f"/proc/{pid}"), Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            continue
        if facts.st_uid == user or "987" in command.split("\0"):
            found.append(command)
    return found


def list_problem(language: str) -> Problem:
    prompt, tests = LISTS[language]
    row, _ = own_row(language, "humaneval")
    return benchmark(language)._problem(Row("x", {**row, "prompt": prompt, "tests": tests}))


def none_passes(language: str, problem: Problem, attacks: dict[str, str], sandbox: Sandbox) -> None:
    needs(language)
    holes = {}
    for name, text in attacks.items():
        outcome = judged(language, problem, text, sandbox, 3)
        if outcome.name in (PASS, INFRA_ERROR) or left_of(sandbox):
            holes[name] = (outcome, left_of(sandbox))
    assert holes == {}


def test_hostile_completions(sandbox: Sandbox) -> None:
    none_passes("js", own("js"), ATTACKS["js"], sandbox)
    none_passes("sh", own("sh"), ATTACKS["sh"], sandbox)


def test_javascript_out_of_memory_says_so(sandbox: Sandbox) -> None:
    needs("js")
    text = "  const x = [];\n  while (true) x.push(new Array(1e6).fill(n));\n}\n"
    outcome = benchmark("js").judge(own("js"), text, sandbox, Limits(20, memory=256 << 20))
    assert outcome.name == MEMORY, outcome
    failed = judged("js", own("js"), "  console.error('mine');\n  return n;\n}\n", sandbox)
    assert failed.name == FAIL
    assert failed.stderr.splitlines()[1:] == ["mine"]


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["cpp", "java"])
def test_hostile_completions_in(language: str, sandbox: Sandbox) -> None:
    none_passes(language, own(language), ATTACKS[language], sandbox)
    problem = list_problem(language)
    assert judged(language, problem, LIST_ANSWERS[language], sandbox).name == PASS
    none_passes(language, problem, LIST_ATTACKS[language], sandbox)


# --- toolchains


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine on which /usr has no toolchain, and somebody's home has one."""
    home = tmp_path / "home" / "bin"
    home.mkdir(parents=True)
    (home / "rustc").write_text("#!/bin/sh\n")
    (home / "rustc").chmod(0o755)
    monkeypatch.setattr(toolchain, "SEARCHED", str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", str(home))
    benchmark_module._missing.cache_clear()
    yield home
    benchmark_module._missing.cache_clear()


def test_a_missing_toolchain_is_not_run(tmp_path: Path, bare: Path) -> None:
    assert toolchain.missing("py") is None
    assert toolchain.missing("cpp") == "no g++; install the Debian package g++"
    assert toolchain.missing("jl") == "no julia; install Julia below /opt and link it into /usr/bin"
    assert (
        toolchain.missing("rs")
        == f"rustc is at {bare / 'rustc'}, which a jail cannot reach; install the Debian package rustc"
    )
    assert "nodejs" in toolchains.install_help()
    row, _ = own_row("cpp", "humaneval")
    (problem,) = benchmark("cpp").load(written(tmp_path / "humaneval-cpp.jsonl", row))  # loading takes no compiler

    class Never:
        def start(self, *_: object) -> None:
            raise AssertionError

    with pytest.raises(SandboxError, match="no g\\+\\+; install"):
        benchmark("cpp").judge(problem, problem.wrong, Never(), LIMITS)  # type: ignore[arg-type]


def test_the_table_of_toolchains(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["toolchains.py"])
    toolchains.main()
    assert "not run: no javac; install the Debian packages default-jdk libjavatuples-java\n" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["toolchains.py", "--install_help"])
    toolchains.main()
    said = capsys.readouterr().out
    assert said.startswith("apt-get install --no-install-recommends ")
    assert {"g++", "golang-go", "nodejs", "r-base-core"} <= set(said.split())


def test_the_script(script_main: Command) -> None:
    done = script_main("evaluation/toolchains.py", "--install_help")
    assert (done.returncode, done.stdout.split()[0] in ("apt-get", "nothing")) == (0, True)


def test_only_this_user_can_write_where_headers_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "_PREPARED", str(tmp_path / "headers"))
    place = prepared.prepared()
    assert prepared.prepared() == place
    place.chmod(0o777)
    with pytest.raises(RunError, match="only this user can write"):
        prepared.prepared()
