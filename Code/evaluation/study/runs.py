"""Every student generates and is graded, and what came of it is read back from its folders.

OUTPUT_DIR/STUDENT-FINETUNING/NAME/BENCHMARK/ is a folder of generate.py, and grades/ in it is one of grade.py. Each can be
resumed by itself.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from benchmarks import open_benchmark
from benchmarks.contract import ALL, Selection
from benchmarks.livecodebench.benchmark import LiveCodeBench
from benchmarks.multipl_e.languages.registry import missing
from sandbox.judging.self_check import choose
from sandbox.judging.verdict import INFRA_ERROR, PASS
from seedkit.claims import CLAIMS, Claim, each_claimed, share_first
from seedkit.cli import say
from seedkit.errors import InputError, RunError, UsageError
from seedkit.manifest import MANIFEST, read_manifest
from seedkit.verify import verify

from evaluation.generation.settings import GenerationSettings
from evaluation.generation.steps import SAMPLES, generate
from evaluation.grading.settings import GradingSettings
from evaluation.grading.steps import RESULTS, SUMMARY, grade
from evaluation.study.bases import Candidate
from evaluation.study.table import Graded

Pair = tuple[Candidate, str]  # a student and a benchmark

GRADES = "grades"
# settings of sampling that must be the same where two students' figures stand in one column
SAMPLING_KEYS = ("num_samples", "temperature", "top_p", "max_new_tokens", "seed")


@dataclass(frozen=True, slots=True)
class StudySettings:
    """What is asked of every student."""

    files: Mapping[str, Path | None]  # by benchmark; None: what a package or the hub has
    sizes: Mapping[str, int]  # problems, by benchmark
    generation: Mapping[str, Any]  # of GenerationSettings, without model, benchmark and file
    grading: Mapping[str, Any]  # of GradingSettings, without samples, benchmark and file
    not_run: Mapping[str, str]  # benchmarks that this machine cannot run, and why


@dataclass(frozen=True, slots=True)
class StudentResult:
    """One student's verdicts on a benchmark, and how they came about."""

    graded: Graded
    settings: dict[str, Any]  # of asking and judging: those that must be the same in one column
    results: str  # sha256 of results.jsonl


def cannot_run(name: str) -> str | None:
    """Why a benchmark cannot be run on this machine; None if it can. Raises UsageError where there is no such benchmark."""
    language = open_benchmark(name).toolchain
    return missing(language) if language else None


def sizes(files: Mapping[str, Path | None], selection: Selection) -> dict[str, int]:
    """The number of problems in each benchmark. Raises InputError where a benchmark cannot be loaded."""
    return {name: len(open_benchmark(name, selection_for(name, selection)).load(path)) for name, path in files.items()}


def selection_for(name: str, selection: Selection) -> Selection:
    """What the flags select from a benchmark: they are LiveCodeBench's alone, and a study may have other benchmarks too."""
    return selection if name == LiveCodeBench.name else ALL


def evaluate(
    students: Sequence[Candidate], settings: StudySettings, output_dir: Path, share: tuple[int, int] | None = None
) -> tuple[list[Pair], dict[str, str]]:
    """Generate and grade; returns the pairs that are done, and by the label of a student why it failed.

    With a share (I, N), other commands do so in the same folder: every student is claimed first, and only those that this one
    had are returned. After a student that fails, the others go on. What is wrong for all of them is raised: UsageError where flags are wrong,
    InputError where there is no sandbox.
    """
    if not settings.grading["unsafe_no_isolation"]:
        choose(None)  # before hours of generation rather than after
    done: list[Pair] = []
    failed: dict[str, str] = {}
    named = {student.label.replace("/", "@"): (number, student) for number, student in enumerate(students, 1)}
    ours: Iterable[tuple[str, Claim | None]] = ((one, None) for one in named)
    if share:
        # none is taken for finished: what another command has answered and judged, generate and grade find
        ours = each_claimed(output_dir / CLAIMS, share_first(list(named), share), lambda one: False)
    for one, claim in ours:
        number, student = named[one]
        label = f"{number}/{len(students)} {student.label}"
        for name, path in settings.files.items():
            say(f"{label}: {name}")
            folder = folder_of(output_dir, student, name)
            # a folder's path says whose answers are in it: those of the same student before it was trained anew give way
            chosen = {"selection": selection_for(name, settings.generation["selection"]), "overwrite": True}
            asked = GenerationSettings(str(student.weights), name, path, **{**settings.generation, **chosen})
            try:
                samples = generate(asked, folder)
                if claim and not claim.held():
                    raise RunError("another command has taken this student over while this one was stopped or cut off")
                grade(GradingSettings(samples, name, path, **{**settings.grading, **chosen}), folder / GRADES)
            except UsageError:  # a flag that is wrong is wrong for all students
                raise
            except (InputError, RunError) as error:
                failed[student.label] = f"{name}: {error}"
                say(f"{label}: FAILED: {error}")
                break
            done.append((student, name))
    return done, failed


def folder_of(output_dir: Path, student: Candidate, benchmark: str) -> Path:
    """The folder of a student's answers to a benchmark; the verdicts are in GRADES below it."""
    return output_dir / student.model / student.name / benchmark


def read(student: Candidate, benchmark: str, of: int, output_dir: Path) -> StudentResult | None:
    """The result of a student on a benchmark; None where it is not finished.

    Raises InputError where files are not what their manifests say, or belong to an earlier model or to other samples.
    """
    folder = folder_of(output_dir, student, benchmark)
    if not (folder / MANIFEST).exists() or not (folder / GRADES / MANIFEST).exists():
        return None
    made, judged = read_manifest(folder), read_manifest(folder / GRADES)
    if faults := [*verify(folder), *verify(folder / GRADES)]:
        raise InputError(faults[0])
    try:
        if made["model"]["revision"] != student.revision:
            raise InputError(f"{folder}: answers of another model than run.json describes")
        if judged["input"]["sha256"] != made["files"][SAMPLES]["sha256"]:
            raise InputError(f"{folder / GRADES}: verdicts on other samples than those beside it")
        summary = orjson.loads((folder / GRADES / SUMMARY).read_bytes())
        settings = {
            **{key: made["sampling"][key] for key in SAMPLING_KEYS},
            "form": made["prompt"]["form"],
            "template": made["prompt"]["template"],
            "problems": judged["problems"],
            **summary["limits"],
        }
        results = folder / GRADES / RESULTS
        base = counts(results, "base") if summary.get("base_pass_at_k") else None
        marks = bool(summary["final"]), bool(summary["isolated"])
        cut = made.get("finish_reasons", {}).get("length", 0)
        graded = Graded(student, benchmark, counts(results), of, *marks, base, verdicts(results), cut)
        return StudentResult(graded, settings, judged["files"][RESULTS]["sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder}: expected what generate.py and grade.py write, got {error!r:.100}") from None


def counts(path: Path, tests: str = "verdict") -> dict[str, tuple[int, int]]:
    """(samples that pass, samples) by task id, from results.jsonl. A sample with infra_error counts as not there.

    `tests` is the field that says whether it passes: verdict, or base for the base tests alone.
    """
    passing: Counter[str] = Counter()
    samples: Counter[str] = Counter()
    for line in path.read_bytes().splitlines():
        row = orjson.loads(line)
        if row["verdict"] != INFRA_ERROR:
            samples[row["task_id"]] += 1
            passing[row["task_id"]] += row[tests] == PASS
    return {task: (passing[task], number) for task, number in samples.items()}


def verdicts(path: Path) -> dict[str, int]:
    """Samples by verdict, from results.jsonl."""
    return dict(Counter(orjson.loads(line)["verdict"] for line in path.read_bytes().splitlines()))


def check_alike(found: Sequence[StudentResult]) -> None:
    """Raises InputError where students of one base model were asked or judged with different settings on a benchmark."""
    first: dict[tuple[str, str], StudentResult] = {}
    for one in found:
        student = one.graded.student
        other = first.setdefault((student.model, one.graded.benchmark), one)
        for key, value in one.settings.items():
            if value != other.settings[key]:
                raise InputError(
                    f"{student.label} on {one.graded.benchmark}: {key} is {value}, with {other.graded.student.name} it was "
                    f"{other.settings[key]}: not to be compared; run again without --table_only"
                )
