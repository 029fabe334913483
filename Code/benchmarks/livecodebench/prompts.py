"""A row of LiveCodeBench as what a model is asked: the authors' form, or SandboxFusion's, and the authors' prompts."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from seedkit.errors import InputError
from seedkit.packaged import package_file

from benchmarks.dataset_rows import Row

# The authors' prompt for models that take no system message (LiveCodeBench/LiveCodeBench, lcb_runner/prompts).
INSTRUCTION = """\
You are an expert Python programmer. You will be given a question (problem specification) and will generate a correct \
Python program that matches the specification and passes all tests.

### Question:
{question}

### Format: {form}
```python
{code}
```

### Answer: (use the provided format with backticks)

"""
WITH_STARTER_CODE = "You will use the following starter code to write the solution to the problem and enclose your code within delimiters."
WITHOUT_STARTER_CODE = (
    "Read the inputs from stdin solve the problem and write the answer to stdout (do not directly test on the sample"
    " inputs). Enclose your code within delimiters as follows. Ensure that when the python program runs, it reads the"
    " inputs, runs the algorithm and writes output to STDOUT."
)
# Their prompt for base models has one solved example before the problem, of two files: with starter code, and without
EXAMPLES = ("func.json", "stdin.json")


@dataclass(frozen=True, slots=True)
class Question:
    """A problem without its tests; the texts to the letter as the row has them."""

    id: object
    title: str  # of LeetCode's, the name in its address
    text: str
    starter: str  # "" for a program that reads standard input
    prompt: str | None  # for an instructed model, where the row has it whole
    platform: object
    difficulty: object
    date: date | None  # of the contest


def question_in(row: Row) -> Question:
    """The question that a row asks. InputError where a field is missing, or none of what it must be."""
    if "test" not in row.fields:
        return Question(
            row.value("question_id"),
            _text(row, "question_title"),
            _text(row, "question_content"),
            _text(row, "starter_code"),
            None,
            row.value("platform"),
            row.value("difficulty"),
            _date(row),
        )
    content = _text(row, "content")  # SandboxFusion's form: the whole prompt
    try:
        labels = json.loads(_text(row, "labels"))
        id_, platform, difficulty = (labels[key] for key in ("task_id", "category", "difficulty"))
    except (ValueError, TypeError, KeyError):
        raise InputError(
            f'{row.where}: expected task_id, category and difficulty in "labels", got something else'
        ) from None
    text, _, form = content.partition("### Question:\n")[2].rpartition("\n\n### Format:")
    code = form.partition("```python\n")[2].partition("\n```")[0]
    starter = "" if code.startswith("# YOUR CODE HERE") else code
    return Question(id_, "", text or content, starter, content, platform, difficulty, None)


def _text(row: Row, key: str) -> str:
    """Without the change of line ends that Row.text makes."""
    value = row.value(key)
    if not isinstance(value, str):
        raise InputError(f'{row.where}: "{key}" must be a string, got {type(value).__name__}')
    return value


def _date(row: Row) -> date:
    value = row.value("contest_date")
    try:
        return datetime.fromisoformat(value).date()
    except (TypeError, ValueError):
        raise InputError(f'{row.where}: expected a date in "contest_date", got {value!r:.60}') from None


def method_of(starter: str) -> str | None:
    """The method that starter code asks for: of a class Solution, the last one; what stands in comments is none."""
    body = starter.rpartition("class Solution")[2]
    found: list[str] = re.findall(r"^[ \t]*def[ \t]+(\w+)[ \t]*\(", body, re.MULTILINE)
    return next((name for name in reversed(found) if not name.startswith("__")), None)


def instruction(question: Question) -> str:
    """What an instructed model is asked."""
    if question.prompt is not None:
        return question.prompt
    return INSTRUCTION.format(
        question=question.text,
        form=WITH_STARTER_CODE if question.starter else WITHOUT_STARTER_CODE,
        code=question.starter or "# YOUR CODE HERE",
    )


def base_prompt(question: Question, examples: tuple[str, str]) -> str:
    """What a base model goes on with; of the examples that one which has starter code, or has none, as the question."""
    return (examples[0] if question.starter else examples[1]) + _stated(question.text, question.starter)


def _stated(text: str, starter: str) -> str:
    code = f"### Starter Code\n{starter}\n\n" if starter else ""
    return f"### Question\n{text}\n\n{code}### Answer\n\n"


def solved_examples(source: Path | None) -> tuple[str, str] | None:
    """The authors' examples out of two files of theirs, beside the data or in an installed livecodebench package.

    They are problems of LeetCode and Codeforces, which are not ours to hand on.
    """
    folder = source if source is None or source.is_dir() else source.parent
    found = []
    for name in EXAMPLES:
        beside = folder / name if folder and (folder / name).is_file() else None
        path = beside or package_file("livecodebench", name)
        if path is None:
            return None
        try:
            one = json.loads(path.read_text(encoding="utf-8"))[0]
            starter = one["sample_code"] if name == EXAMPLES[0] else ""
            found.append(_stated(one["question"], starter) + one["answer"] + "\n\n")
        except (OSError, ValueError, TypeError, LookupError):
            raise InputError(f"{path}: expected the authors' solved examples, got something else") from None
    return found[0], found[1]
