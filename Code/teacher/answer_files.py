"""The files of a folder of answers: a line for each answer, and those that were chosen as records."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.chat import ChatAnswer
from seedkit.errors import InputError, UsageError
from seedkit.records import Record

ANSWERS = "answers.jsonl"
FIRST, BEST, ALL = CHOICES = ("first", "best", "all")


@dataclass(frozen=True, slots=True)
class NumberedAnswer:
    """An answer to the record of that id; the answers to a record are numbered from 1."""

    id: str
    number: int
    answer: ChatAnswer

    def row(self) -> dict[str, Any]:
        """Its line in answers.jsonl."""
        return {
            "id": self.id,
            "number": self.number,
            "text": self.answer.text,
            "finish_reason": self.answer.finish_reason,
            "prompt_tokens": self.answer.prompt_tokens,
            "completion_tokens": self.answer.completion_tokens,
        }


def teacher_file(source: str) -> str:
    """The name of the file of records. Raises UsageError for a source whose name cannot be in one."""
    if Path(source).name != source:
        raise UsageError(f"--source_name {source}: expected a name without a slash, it becomes part of a file's name")
    return f"{source}_TEACHER.jsonl"


def first_answers(answers: Iterable[NumberedAnswer]) -> list[NumberedAnswer]:
    """The first of each record's answers; a record's answers stand together."""
    found: dict[str, NumberedAnswer] = {}
    for one in answers:
        found.setdefault(one.id, one)
    return list(found.values())


def records_of(records: Sequence[Record], chosen: Iterable[NumberedAnswer], choose: str) -> Iterator[Record]:
    """The chosen answers as records, in the records' order: the record with the answer's text as its output.

    With ALL the answer of number 1 has its record's id, and that of number 2 is ID#2. Raises InputError where a record
    has such an id already.
    """
    by_id: dict[str, list[NumberedAnswer]] = defaultdict(list)
    for one in chosen:
        by_id[one.id].append(one)
    taken = {record.id for record in records}
    for record in records:
        for one in by_id.get(record.id, ()):
            id_ = record.id
            if choose == ALL and one.number > 1:
                id_ = f"{record.id}#{one.number}"
                if id_ in taken:
                    raise InputError(
                        f"--choose all: answer {one.number} to {record.id} would be {id_}, which is a record's id"
                    )
            yield Record(id_, record.instruction, record.input, one.answer.text, record.line)


def token_sums(answers: Iterable[ChatAnswer]) -> dict[str, int | None]:
    """{"prompt", "completion"}: the tokens of these answers; None where a server does not say them for each."""
    kept = list(answers)
    counts = {"prompt": [one.prompt_tokens for one in kept], "completion": [one.completion_tokens for one in kept]}
    return {
        name: None if None in found else sum(count for count in found if count is not None)
        for name, found in counts.items()
    }
