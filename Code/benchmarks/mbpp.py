"""MBPP: short functions from one sentence and three tests (arXiv 2108.07732), the full set and the sanitized one."""

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

from sandbox.contract import Limits, Sandbox
from sandbox.judging.python_judge import Tests, judge_python
from sandbox.judging.verdict import Verdict
from seedkit.cli import say
from seedkit.errors import InputError

from benchmarks.contract import OUTSIDE, Problem, ProblemTexts
from benchmarks.dataset_rows import Row, from_hub, numbered, once, read_rows
from benchmarks.extraction import cut, extract_code
from benchmarks.python_syntax import bound_by, loaded, tree_of

REPOSITORY = "google-research-datasets/mbpp"
SPLITS = ("train", "test", "validation", "prompt")  # together the 974 or 427 problems

# The authors' prompt, arXiv 2108.07732, section 3.1 and figure 1; the solved problems stand before the one to solve.
PROMPT = """\
You are an expert Python programmer, and here is your task: {text} Your code should pass these tests:

{tests}
[BEGIN]
"""
SOLVED = PROMPT + "{code}\n[DONE]\n\n"
EXAMPLES = ("Mbpp/2", "Mbpp/3", "Mbpp/4")

INSTRUCTION = """\
{text}
Your code should pass these tests:

{tests}

Answer with the Python code, with all that it imports, in one ```python block.
"""


class Mbpp:
    """All 974 problems. A completion is a whole program, tested by `test_list`; the few `challenge_test_list` are not run.

    The prompt's solved examples come from the loaded data: in the sanitized set they are the same three tasks, with the
    wording and the tests of that set. A problem that is itself an example sees the other two.
    """

    name = "mbpp-full"
    stop: tuple[str, ...] = ("[DONE]",)
    max_new_tokens = 768
    min_seconds = 3.0  # HumanEval's: the authors released no harness
    judged = OUTSIDE
    toolchain: str | None = None
    answers_of: str | None = None
    config = "full"  # on the hub
    file = "mbpp.jsonl"  # of the authors
    text_key = "text"
    other = 'sanitized MBPP ("prompt"); that is --benchmark mbpp'

    def load(self, source: Path | None) -> list[Problem]:
        """From the authors' file, the hub's parquet files, a folder that holds either, or the hub; by task number."""
        rows: dict[str, Row] = {}
        for row in self._rows(source):
            task_id = self._checked_id(row)
            once(row.where, task_id, rows)
            rows[task_id] = row
        if not rows:
            raise InputError(f"{source or 'the hub'}: expected problems of MBPP, got none")
        examples = {task_id: self._stated(rows[task_id], SOLVED) for task_id in EXAMPLES if task_id in rows}
        if missing := [task_id for task_id in EXAMPLES if task_id not in rows]:
            say(f"{self.name}: the data lack {', '.join(missing)}: prompts hold {len(examples)} of 3 solved examples")
        ordered = sorted(rows, key=lambda task_id: int(task_id.partition("/")[2]))
        return [self._problem(task_id, rows[task_id], examples) for task_id in ordered]

    def _rows(self, source: Path | None) -> Iterator[Row]:
        return mbpp_rows(source, self.config, self.file)

    def _checked_id(self, row: Row) -> str:
        if self.text_key not in row.fields and {"text", "prompt"} & row.fields.keys():
            raise InputError(f'{row.where}: expected a problem of {self.name} ("{self.text_key}"), got {self.other}')
        task_id = self.task_id(row.value("task_id"))
        if task_id is None:
            raise InputError(f'{row.where}: expected a number in "task_id", got {row.value("task_id")!r:.60}')
        return task_id

    def _stated(self, row: Row, template: str) -> str:
        tests = "\n".join(row.texts("test_list"))
        return template.format(text=row.text(self.text_key), tests=tests, code=row.text("code"))

    def _setup(self, row: Row) -> tuple[str, str]:
        """(imports that stand before the candidate's program, code that the tests run first)"""
        return "", row.text("test_setup_code", empty=True)

    def _problem(self, task_id: str, row: Row, examples: dict[str, str]) -> Problem:
        code = row.text("code")
        imports, setup = self._setup(row)
        checks = "\n".join(filter(None, (setup, *row.texts("test_list"))))
        reference, before, tests = tree_of(code), tree_of(imports), tree_of(checks)
        if reference is None or before is None or tests is None:
            what = "code" if reference is None else "test_imports" if before is None else "tests"
            raise InputError(f"{row.where}: expected Python in the {what} of {task_id}, got something else")
        wanted = loaded(tests) - _bound(tests) - _bound(before)
        defined = {name for node in reference.body for name in bound_by(node)}
        # tests may use a module that only the reference imports (Mbpp/596): they get that import, not the candidate's
        own = [node for node in reference.body if _is_import(node) and wanted & set(bound_by(node))]
        wanted -= {name for node in own for name in bound_by(node)}
        names = tuple(sorted(name for name in wanted if name in defined or not hasattr(builtins, name)))
        if not names:
            raise InputError(f"{row.where}: expected tests that call the code of {task_id}, got none")
        return Problem(
            task_id=task_id,
            prompt="".join(text for other, text in examples.items() if other != task_id) + self._stated(row, PROMPT),
            instruction=self._stated(row, INSTRUCTION),
            reference=code,
            wrong=ast.unparse(_Hollow().visit(reference)) + "\n",
            tests=Tests(prelude=imports, source="\n".join([*map(ast.unparse, own), checks]), names=names),
        )

    def own_problems(self) -> list[Problem]:
        return []

    def task_id(self, value: object) -> str | None:
        """Mbpp/2 for that (upper and lower case alike), "2" and 2."""
        return numbered(value, "Mbpp")

    def extract(self, problem: Problem, raw: str, *, instruct: bool) -> str:
        """The program before [DONE], or the one in a chat answer."""
        return extract_code(raw, problem.tests.names) if instruct else cut(raw, self.stop)

    def most_seconds(self, problem: Problem, limits: Limits) -> float:
        return limits.seconds

    def judge(self, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
        """The imports that the data set gives, and then the completion, as one program."""
        imports = problem.tests.prelude
        return judge_python(f"{imports}\n{completion}", problem.tests, sandbox, limits, otherwise=completion)


class SanitizedMbpp(Mbpp):
    """The 427 problems that the authors verified by hand."""

    name = "mbpp"
    config = "sanitized"
    file = "sanitized-mbpp.json"
    text_key = "prompt"
    other = 'full MBPP ("text"); that is --benchmark mbpp-full'

    def _setup(self, row: Row) -> tuple[str, str]:
        return "\n".join(row.texts("test_imports")), ""


class _Hollow(ast.NodeTransformer):
    """Makes every function and method return None at once; classes and the rest stay, so that the program loads."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = [ast.Return(ast.Constant(None))]
        return node


def _bound(tree: ast.AST) -> set[str]:
    """Names that the code binds itself, anywhere in it."""
    return {name for node in ast.walk(tree) for name in bound_by(node)}


def _is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def texts_in(row: Row) -> ProblemTexts | None:
    """The texts of a problem of the full or the sanitized set; None for a row of another form."""
    for benchmark, kind in (("MBPP", Mbpp), ("MBPP-sanitized", SanitizedMbpp)):
        if row.has(kind.text_key, "code", "test_list"):
            return ProblemTexts(
                benchmark, f"MBPP/{row.task_name()}", row.exact_text(kind.text_key), row.exact_text("code")
            )
    return None


def mbpp_rows(source: Path | None, config: str, name: str) -> Iterator[Row]:
    """The rows of one of the two sets: `config` is its name on the hub, `name` that of the authors' file."""
    for path in (
        from_hub(REPOSITORY, [f"{config}/{split}-00000-of-00001.parquet" for split in SPLITS])
        if source is None
        else _files(source, config, name)
    ):
        yield from read_rows(path)


def _files(source: Path, config: str, name: str) -> list[Path]:
    if not source.is_dir():
        return [source]
    for own in (name, f"{name}.gz"):
        if (source / own).is_file():
            return [source / own]
    for folder in (source / config, source):
        if found := sorted(folder.glob("*.parquet")):
            return found
    raise InputError(f"{source}: expected a folder with {name}, or {config}/*.parquet as on the hub, got neither")
