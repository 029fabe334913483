"""The students' answers and verdicts in the folders below an evaluation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import orjson
from evaluation.generation.steps import SAMPLES
from evaluation.grading.steps import RESULTS, SUMMARY
from evaluation.study.runs import GRADES
from seedkit.errors import InputError
from seedkit.manifest import MANIFEST, read_manifest

from report.blocks import Excerpt
from report.folders import FinishedOutput, check, rows

SHOWN = 6  # problems whose answers are shown side by side


class SampleRow(msgspec.Struct):
    """A line of samples.jsonl."""

    task_id: str
    completion: str
    sample: int = 0


class ResultRow(msgspec.Struct):
    """A line of results.jsonl."""

    task_id: str
    verdict: str
    sample: int = 0


@dataclass(frozen=True, slots=True)
class GradedStudent:
    """A student on a benchmark: its folder, how many samples got which verdict, and pass@1 by tag."""

    student: str
    name: str
    benchmark: str
    folder: Path
    verdicts: Mapping[str, int]
    by_tag: Mapping[str, Mapping[str, Any]]
    first: Mapping[str, str]  # the verdict on the first sample, by problem
    prompt: Mapping[str, Any]
    sampling: Mapping[str, Any]
    environment: Mapping[str, Any]
    judged: str


@dataclass(slots=True)
class Answers:
    """All students of an evaluation whose folders are there."""

    graded: list[GradedStudent] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_answers(output: FinishedOutput) -> Answers:
    """What is in STUDENT/NAME/BENCHMARK and its grades, each file checked.

    Raises InputError where they are not those that the tables were made of.
    """
    found, absent = Answers(), 0
    for one in output.manifest["results"]:
        folder = output.folder / one["student"] / one["name"] / one["benchmark"]
        if not (folder / MANIFEST).exists() or not (folder / GRADES / MANIFEST).exists():
            absent += 1
            continue
        made, judged = read_manifest(folder), read_manifest(folder / GRADES)
        check([(folder, made), (folder / GRADES, judged)])
        if judged["files"][RESULTS]["sha256"] != one["sha256"]:
            raise InputError(
                f"{folder / GRADES / RESULTS}: expected the verdicts that the tables were made of, got others"
            )
        summary = orjson.loads((folder / GRADES / SUMMARY).read_bytes())
        results = list(rows(folder / GRADES / RESULTS, ResultRow))
        found.graded.append(
            GradedStudent(
                one["student"], one["name"], one["benchmark"], folder, Counter(row.verdict for row in results),
                summary.get("by_tag") or {}, {row.task_id: row.verdict for row in reversed(results)}, made["prompt"],
                made["sampling"], summary["environment"], summary["judged"],
            )
        )  # fmt: skip
    if absent:
        found.notes.append(
            f"Answers and verdicts of {absent} of {len(output.manifest['results'])} results are not beside the tables and not shown."
        )
    return found


def side_by_side(answers: Answers, pairs: Sequence[tuple[str, str, str, str]]) -> list[tuple[str, list[Excerpt]]]:
    """For each (benchmark, student, subset, subset) a problem on which the two differ, with the first answer of either.

    Where none differs, the first problem that both have. At most SHOWN of them.
    """
    shown = []
    for benchmark, student, *subsets in pairs:
        own = [one for one in answers.graded if (one.benchmark, one.student) == (benchmark, student)]
        two = [next((one for one in own if f"_{subset}_" in f"{one.name}_"), None) for subset in subsets]
        if two[0] is None or two[1] is None:
            continue
        first, second = two[0], two[1]
        both = [task for task in first.first if task in second.first]
        differing = [task for task in both if (first.first[task] == "pass") != (second.first[task] == "pass")]
        if both:
            task = (differing or both)[0]
            texts = [Excerpt(f"{one.name}: {one.first[task]}", _answer(one, task)) for one in (first, second)]
            verdicts = ", ".join(
                f"{subset} {one.first[task]}" for subset, one in zip(subsets, (first, second), strict=True)
            )
            shown.append((f"{task} ({benchmark}): {verdicts}", texts))
        if len(shown) == SHOWN:
            break
    return shown


def _answer(one: GradedStudent, task: str) -> str:
    return next((row.completion for row in rows(one.folder / SAMPLES, SampleRow) if row.task_id == task), "")
