"""The middle of evaluate_study.py: every student generates and is graded; what came of it is read back from its folders.

OUTPUT_DIR/STUDENT-FINETUNING/NAME/BENCHMARK/ is generate.py's, grades/ in it is grade.py's: either goes on by itself.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from benchmarks import open_benchmark
from benchmarks.contract import ALL, Selection
from benchmarks.multipl_e.languages.toolchain import missing
from sandbox.judging.self_check import choose
from sandbox.judging.verdict import INFRA_ERROR, PASS
from seedkit.cli import say
from seedkit.errors import InputError, RunError, UsageError
from seedkit.manifest import MANIFEST, read_manifest
from seedkit.verify import verify

from evaluation.generation.plan import GenerationSettings
from evaluation.generation.steps import SAMPLES, generate
from evaluation.grading.settings import GradingSettings
from evaluation.grading.steps import RESULTS, SUMMARY, grade
from evaluation.study.students import Student
from evaluation.study.table import Graded

Pair = tuple[Student, str]  # on a benchmark

GRADES = "grades"
# what must be the same for two students' figures to stand in one column
ASKED = ("num_samples", "temperature", "top_p", "max_new_tokens", "seed")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of every student: benchmarks with their files, the problems in each, and the two scripts' settings."""

    files: Mapping[str, Path | None]
    sizes: Mapping[str, int]
    generation: Mapping[str, Any]
    grading: Mapping[str, Any]
    not_run: Mapping[str, str]  # benchmarks that this machine cannot run, and why


@dataclass(frozen=True, slots=True)
class Found:
    """One student's verdicts on a benchmark, and how they came about."""

    graded: Graded
    asked: dict[str, Any]  # how it was asked and judged, but for what may differ
    results: str  # sha256 of results.jsonl


def cannot_run(name: str) -> str | None:
    """Why a benchmark cannot be run on this machine; None if it can. InputError where there is no such benchmark."""
    language = open_benchmark(name).toolchain
    return missing(language) if language else None


def sizes(files: Mapping[str, Path | None], selection: Selection) -> dict[str, int]:
    """How many problems each benchmark has. InputError where it is not to be had."""
    return {name: len(open_benchmark(name, selected(name, selection)).load(path)) for name, path in files.items()}


def selected(name: str, selection: Selection) -> Selection:
    """What the flags select of a benchmark: they are LiveCodeBench's, and of the others all is taken."""
    return selection if name == "livecodebench" else ALL


def evaluate(students: Sequence[Student], request: Request, output_dir: Path) -> tuple[list[Pair], dict[str, str]]:
    """Generate and grade; returns what is done, and by the label of a student why it failed. The others go on.

    A fault of the flags or of the sandbox is every student's and raised: InputError, RunError.
    """
    if not request.grading["unsafe_no_isolation"]:
        choose(None)  # before hours of generation rather than after
    done: list[Pair] = []
    failed: dict[str, str] = {}
    for number, student in enumerate(students, 1):
        label = f"{number}/{len(students)} {student.label}"
        for name, path in request.files.items():
            say(f"{label}: {name}")
            folder = place(output_dir, student, name)
            chosen = {"selection": selected(name, request.generation["selection"])}
            settings = GenerationSettings(str(student.weights), name, path, **{**request.generation, **chosen})
            try:
                samples = generate(settings, folder)
                grade(GradingSettings(samples, name, path, **{**request.grading, **chosen}), folder / GRADES)
            except UsageError:  # what is wrong with a flag is wrong for all
                raise
            except (InputError, RunError) as error:
                failed[student.label] = f"{name}: {error}"
                say(f"{label}: FAILED: {error}")
                break
            done.append((student, name))
    return done, failed


def place(output_dir: Path, student: Student, benchmark: str) -> Path:
    return output_dir / student.model / student.name / benchmark


def read(student: Student, benchmark: str, of: int, output_dir: Path) -> Found | None:
    """What is there of a student on a benchmark; None where nothing is finished.

    InputError where files are not what their manifests say, or belong to an earlier model or to other samples.
    """
    folder = place(output_dir, student, benchmark)
    if not (folder / MANIFEST).exists() or not (folder / GRADES / MANIFEST).exists():
        return None
    made, judged = read_manifest(folder), read_manifest(folder / GRADES)
    if faults := [*verify(folder), *verify(folder / GRADES)]:
        raise InputError(faults[0])
    try:
        if made["model"]["revision"] != student.revision:
            raise InputError(f"{folder}: answers of another model than the student's run.json describes")
        if judged["input"]["sha256"] != made["files"][SAMPLES]["sha256"]:
            raise InputError(f"{folder / GRADES}: verdicts on other samples than those beside it")
        summary = orjson.loads((folder / GRADES / SUMMARY).read_bytes())
        asked = {
            **{key: made["sampling"][key] for key in ASKED},
            "form": made["prompt"]["form"],
            "template": made["prompt"]["template"],
            "problems": judged["problems"],
            **summary["limits"],
        }
        solved = counts(folder / GRADES / RESULTS)
        graded = Graded(student, benchmark, solved, of, bool(summary["final"]), bool(summary["isolated"]))
        return Found(graded, asked, judged["files"][RESULTS]["sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder}: expected what generate.py and grade.py write, got {error!r:.100}") from None


def counts(path: Path) -> dict[str, tuple[int, int]]:
    """(samples that pass, samples) by task id. An infra_error says nothing about its sample, which counts as not there."""
    passing: Counter[str] = Counter()
    samples: Counter[str] = Counter()
    for line in path.read_bytes().splitlines():
        row = orjson.loads(line)
        if row["verdict"] != INFRA_ERROR:
            samples[row["task_id"]] += 1
            passing[row["task_id"]] += row["verdict"] == PASS
    return {task: (passing[task], number) for task, number in samples.items()}


def check_alike(found: Sequence[Found]) -> None:
    """InputError where students of one base model were asked or judged in different ways on a benchmark."""
    first: dict[tuple[str, str], Found] = {}
    for one in found:
        student = one.graded.student
        other = first.setdefault((student.model, one.graded.benchmark), one)
        for key, value in one.asked.items():
            if value != other.asked[key]:
                raise InputError(
                    f"{student.label} on {one.graded.benchmark}: {key} is {value}, with {other.graded.student.name} it was "
                    f"{other.asked[key]}: not to be compared; run again without --table_only"
                )
