"""Reading a finished folder of answer_seeds.py."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from inference.chat import ChatAnswer
from seedkit.errors import InputError
from seedkit.files import FileFacts, file_facts
from seedkit.json_values import json_values
from seedkit.manifest import documents, read_manifest
from seedkit.records import Record, read_records
from seedkit.verify import file_faults

from teacher.answer_files import NumberedAnswer

STAGE = "answer_seeds"


@dataclass(frozen=True, slots=True)
class AnswerFolder:
    """What is in it; `answers` has a list for each of the `records`, which are those with an answer."""

    source: str
    path: Path  # of answers.jsonl
    facts: FileFacts
    manifest: dict[str, Any]
    records: list[Record]  # their outputs are of no interest
    answers: list[list[NumberedAnswer]]


def read_answer_folder(folder: Path) -> AnswerFolder:
    """Read it. Raises InputError where it is unfinished, another stage's, or not what its manifest says."""
    made = [output for output in documents(read_manifest(folder)) if output.get("stage") == STAGE]
    if not made:
        raise InputError(f"{folder}: expected a finished folder of answer_seeds.py, got one of another stage")
    manifest = made[0]
    if fault := next(file_faults(folder, manifest), None):
        raise InputError(fault)
    path = folder / manifest["answers"]["file"]
    answers: dict[str, list[NumberedAnswer]] = {}
    for one in _answers(path):
        answers.setdefault(one.id, []).append(one)
    chosen = {record.id: record for record in read_records(folder / manifest["answers"]["records"])} if answers else {}
    records = []
    for id_, numbered in answers.items():
        found = chosen.get(id_) or next(
            (chosen[name] for one in numbered if (name := f"{id_}#{one.number}") in chosen), None
        )
        if found is None:
            raise InputError(f"{path}: answers to {id_}, which is none of the records beside it")
        records.append(Record(id_, found.instruction, found.input, found.output, found.line))
    return AnswerFolder(manifest["source"], path, file_facts(path), manifest, records, [*answers.values()])


def _answers(path: Path) -> Iterable[NumberedAnswer]:
    for line, row in json_values(path):
        try:
            answer = ChatAnswer(row["text"], row["finish_reason"], row["prompt_tokens"], row["completion_tokens"], 0.0)
            if not isinstance(answer.text, str) or type(row["number"]) is not int or not isinstance(row["id"], str):
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise InputError(
                f"{path}:{line}: expected a line of answer_seeds.py: {orjson.dumps(str(row)[:80]).decode()}"
            ) from None
        yield NumberedAnswer(row["id"], row["number"], answer)
