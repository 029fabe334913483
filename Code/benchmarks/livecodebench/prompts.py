"""What a row of LiveCodeBench asks, in the authors' form or SandboxFusion's, and the authors' prompts for it."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from seedkit.errors import InputError
from seedkit.packaged import package_file

from benchmarks.contract import ProblemTexts
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
# Their prompt for base models has a solved example before the problem; the first file has those with starter code
EXAMPLES = ("func.json", "stdin.json")


@dataclass(frozen=True, slots=True)
class Question:
    """A problem without its tests; its texts are to the letter as the row has them."""

    id: object
    title: str  # of a LeetCode problem: the name in its address
    text: str
    starter: str  # "" for a program that reads standard input
    prompt: str | None  # the whole prompt for an instructed model, where the row has it
    platform: object
    difficulty: object
    date: date | None  # of the contest


def question_in(row: Row) -> Question:
    """The question that a row asks. InputError if a field is missing or not what it must be."""
    if "test" not in row.fields:
        return Question(
            row.value("question_id"),
            row.exact_text("question_title"),
            row.exact_text("question_content"),
            row.exact_text("starter_code"),
            None,
            row.value("platform"),
            row.value("difficulty"),
            _date(row),
        )
    content, labels = row.exact_text("content"), _labels(row)
    if not labels.keys() >= {"task_id", "category", "difficulty"}:
        raise InputError(f'{row.where}: expected task_id, category and difficulty in "labels", got something else')
    text, form = _parted(content)
    code = form.partition("```python\n")[2].partition("\n```")[0]
    starter = "" if code.startswith("# YOUR CODE HERE") else code
    id_, platform, difficulty = labels["task_id"], labels["category"], labels["difficulty"]
    return Question(id_, "", text, starter, content, platform, difficulty, None)


def texts_in(row: Row) -> ProblemTexts | None:
    """The texts of a problem in either form, which needs no more fields than these; None for a row of another form."""
    if row.has("question_content", "question_id"):
        return ProblemTexts("LiveCodeBench", str(row.value("question_id")), row.exact_text("question_content"))
    if not row.has("content", "labels", "test"):
        return None
    labels = _labels(row)
    if "task_id" not in labels:
        raise InputError(f'{row.where}: "labels" must be an object with a task_id')
    return ProblemTexts("LiveCodeBench", str(labels["task_id"]), _parted(row.exact_text("content"))[0])


def _labels(row: Row) -> dict[str, Any]:
    """SandboxFusion's labels: an object, which may be packed as a string of JSON; empty where it is something else."""
    value = row.value("labels")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _parted(content: str) -> tuple[str, str]:
    """(question, form of the answer) of SandboxFusion's whole prompt; what has no such parts is all question."""
    text, _, form = content.partition("### Question:\n")[2].rpartition("### Format:")
    return text.removesuffix("\n\n") or content, form


def _date(row: Row) -> date:
    value = row.value("contest_date")
    try:
        return datetime.fromisoformat(value).date()
    except (TypeError, ValueError):
        raise InputError(f'{row.where}: expected a date in "contest_date", got {value!r:.60}') from None


def method_of(starter: str) -> str | None:
    """The method that starter code asks for: the last one of class Solution, comments aside; None if there is none."""
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
    """What a base model goes on with: an example and the question.

    `examples` are one with starter code and one without; the one that is like the question in this is taken.
    """
    return (examples[0] if question.starter else examples[1]) + _stated(question.text, question.starter)


def _stated(text: str, starter: str) -> str:
    code = f"### Starter Code\n{starter}\n\n" if starter else ""
    return f"### Question\n{text}\n\n{code}### Answer\n\n"


def solved_examples(source: Path | None) -> tuple[str, str] | None:
    """The authors' examples, one with starter code and one without; None if their two files are not to be found.

    They are looked for beside the data and in an installed livecodebench package. They are problems of LeetCode and
    Codeforces, so they cannot be part of this repository.

    Raises:
        InputError: a file holds something else.
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
