"""HumanEval+ and MBPP+ as benchmarks: the problems and prompts of HumanEval and MBPP, judged on base and on plus inputs.

A sample passes if it passes both, as EvalPlus reports its plus figure; the verdict on base alone is kept too.
"""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from sandbox.contract import Limits, Sandbox
from sandbox.judging.python_judge import Tests
from sandbox.judging.verdict import Verdict
from seedkit.cli import say
from seedkit.errors import InputError

from benchmarks.contract import Problem
from benchmarks.dataset_rows import Row, from_hub_folder, once, read_exact_rows, read_rows
from benchmarks.evalplus.comparison import HUMANEVAL, MBPP
from benchmarks.evalplus.expected import InputSet
from benchmarks.evalplus.judge import LEAST_S, PlusTests, judge, most_seconds
from benchmarks.humaneval import HumanEval, packaged_file
from benchmarks.mbpp import SanitizedMbpp
from benchmarks.python_syntax import is_python, tree_of

# HumanEval/32's test in the second form (v0.1.10) fails whatever comes, by a slip: what it must be is evalplus's own rule
SLIP, MENDED = "_poly(*candidate(*inp), inp)", "abs(_poly(*inp, candidate(*inp)))"
TOO_LARGE = "Mbpp/255"  # in the second form
ORIGIN = "-OriginFmt"  # in the names of files whose rows have the base benchmark's own fields


class HumanEvalPlus(HumanEval):
    """HumanEval's 164 problems with some 750 inputs each."""

    name = "humaneval-plus"
    answers_of: str | None = "humaneval"
    min_seconds = LEAST_S
    repository = "evalplus/humanevalplus"  # on the hub
    files = "HumanEvalPlus"  # of the release

    def load(self, source: Path | None) -> list[Problem]:
        """From a file as released, in either form, a folder that holds one, or the hub."""
        problems: dict[str, Problem] = {}
        for row in plus_rows(source, self.files, self.repository):
            problem = self._problem(_mended(row))
            problem = replace(problem, tests=self._plus(row, problem))
            once(row.where, problem.task_id, problems)
            problems[problem.task_id] = problem
        if not problems:
            raise InputError(f"{source or 'the hub'}: expected problems of HumanEval+, got none")
        return list(problems.values())

    def _plus(self, row: Row, problem: Problem) -> PlusTests:
        if not row.has("plus_input"):
            return PlusTests(_humaneval_tests().get(problem.task_id), problem.tests, problem.tests.names)
        return _calls(row, HUMANEVAL, problem, problem.prompt + problem.reference)

    def most_seconds(self, problem: Problem, limits: Limits) -> float:
        return most_seconds(limits)

    def judge(self, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
        return judge(problem.prompt + completion, problem.tests, sandbox, limits, otherwise=completion)


class MbppPlus(SanitizedMbpp):
    """378 problems of the sanitized MBPP, some corrected, with some 105 inputs each."""

    name = "mbpp-plus"
    answers_of: str | None = "mbpp"
    min_seconds = LEAST_S
    repository = "evalplus/mbppplus"
    files = "MbppPlus"

    def _rows(self, source: Path | None) -> Iterator[Row]:
        for row in plus_rows(source, self.files, self.repository):
            if self.task_id(row.fields.get("task_id")) == TOO_LARGE and not row.has("plus_input"):
                say(f"{row.where}: {TOO_LARGE} is left out: its test takes answers of 1 GB, which no judge can hold")
            else:
                yield row

    def _problem(self, task_id: str, row: Row, examples: dict[str, str]) -> Problem:
        problem = super()._problem(task_id, _as_mbpp(row), examples)
        if row.has("plus_input"):
            return replace(problem, tests=_calls(row, MBPP, problem, problem.reference))
        plus = row.text("test")
        if not is_python(plus):
            raise InputError(f'{row.where}: expected a Python program in "test", got something else')
        return replace(
            problem, tests=PlusTests(problem.tests, Tests("", plus, problem.tests.names), problem.tests.names)
        )

    def _stated(self, row: Row, template: str) -> str:
        return super()._stated(_as_mbpp(row), template)

    def most_seconds(self, problem: Problem, limits: Limits) -> float:
        return most_seconds(limits)

    def judge(self, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
        return judge(completion, problem.tests, sandbox, limits, otherwise=None)


def _mended(row: Row) -> Row:
    """The row without the SLIP in its test."""
    return Row(row.where, {**row.fields, "test": row.exact_text("test").replace(SLIP, MENDED)})


@cache
def _humaneval_tests() -> Mapping[str, Tests]:
    """HumanEval's own tests by task, for rows that have the plus tests in their place; none where its package is not there."""
    return {} if packaged_file() is None else {problem.task_id: problem.tests for problem in HumanEval().load(None)}


def _calls(row: Row, data_set: str, problem: Problem, reference: str) -> PlusTests:
    """The inputs of both parts, checked as far as that costs nothing."""
    name, atol = row.text("entry_point"), row.value("atol")
    if not name.isidentifier():
        raise InputError(f'{row.where}: expected the name of a function in "entry_point", got {name!r:.60}')
    if type(atol) not in (int, float) or not 0 <= atol < float("inf"):
        raise InputError(f'{row.where}: expected a number of at least 0 in "atol", got {atol!r:.60}')
    number = int(problem.task_id.partition("/")[2])
    parts = []
    for key in ("base_input", "plus_input"):
        calls = row.value(key) or []  # one problem without plus inputs has {} there
        if not isinstance(calls, list) or not all(isinstance(call, list) for call in calls):
            raise InputError(f'{row.where}: expected a list of lists of arguments in "{key}", got {calls!r:.60}')
        parts.append(InputSet(data_set, number, name, reference, json.dumps(calls), len(calls), float(atol)))
    return PlusTests(parts[0], parts[1], (name,))


def _as_mbpp(row: Row) -> Row:
    """The row with the fields of the sanitized MBPP; a row that has them is given back.

    The assertions of the release may begin with imports.
    """
    if not row.has("canonical_solution"):
        return row
    source = row.text("assertion")
    tree = tree_of(source)
    if tree is None:
        raise InputError(f'{row.where}: expected Python in "assertion", got something else')
    statements = [(isinstance(node, ast.Assert), ast.get_source_segment(source, node)) for node in tree.body]
    fields = {
        "task_id": row.value("task_id"),
        "prompt": _asked(row),
        "code": row.text("canonical_solution"),
        "test_list": [text for is_test, text in statements if is_test],
        "test_imports": [text for is_test, text in statements if not is_test],
    }
    return Row(row.where, fields)


def _asked(row: Row) -> str:
    """What is asked, out of the docstring that is the prompt of MBPP+, and has the first test below that."""
    lines = row.text("prompt").strip().removeprefix('"""').removesuffix('"""').strip().splitlines()
    first_test = next((at for at, line in enumerate(lines) if line.startswith("assert ")), len(lines))
    return "\n".join(lines[:first_test]).strip()


def plus_rows(source: Path | None, files: str, repository: str) -> Iterator[Row]:
    """The rows of a release: `files` is what the names of its files begin with, `repository` where the hub has it."""
    if source is None:
        paths: Sequence[Path] = from_hub_folder(repository, "data/*.parquet")
    elif source.is_dir():
        paths = _found(source, files)
    else:
        paths = [source]
    for path in paths:
        # integers of any size and infinities are among the inputs
        yield from read_rows(path) if path.suffix == ".parquet" else read_exact_rows(path)


def _found(folder: Path, files: str) -> list[Path]:
    for form in ("", "-v[0-9]*", ORIGIN, f"{ORIGIN}-v[0-9]*"):
        for ending in (".jsonl.gz", ".jsonl"):
            if found := sorted(folder.rglob(f"{files}{form}{ending}")):
                return found[-1:]
    if found := sorted(folder.rglob("*.parquet")):
        return found
    raise InputError(
        f"{folder}: expected a folder with {files}.jsonl.gz or .jsonl, or *.parquet as on the hub, got none"
    )
