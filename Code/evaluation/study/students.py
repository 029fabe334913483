"""The students below a folder, and what their names say: question, source, subset and repeat."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedkit.errors import InputError, UsageError
from training import student_run
from training.subset_names import parsed_stem

# what training took, as run.json names it: records and tokens of one pass over the data, answer tokens in all steps
TRAINED = ("records", "tokens", "answer_tokens", "answer_tokens_seen", "steps", "truncated_records")


@dataclass(frozen=True, slots=True)
class TrainedStudent:
    """A finished student of train.py."""

    model: str  # base model and finetuning, e.g. qwen2.5-coder-1.5b-full
    name: str
    folder: Path
    revision: str  # of its model folder
    rq: str  # "" where the subset is none of the study's
    source: str  # e.g. EVOL
    subset: str  # e.g. T1_LOWER
    draw: int | None  # the number of the data's repeat, where there are several
    seed: int  # of the training
    study_plan: str | None = None  # the sha256 of the plan that it was trained under
    trained: Mapping[str, int] = field(default_factory=dict)  # of TRAINED what its run.json says
    data: str = ""  # the sha256 of the data file

    @property
    def label(self) -> str:
        return f"{self.model}/{self.name}"

    @property
    def weights(self) -> Path:
        return self.folder / student_run.MODEL


def find(runs: Path) -> tuple[list[TrainedStudent], list[str], dict[str, str]]:
    """The students at or below the folder `runs`, in the order of their folders.

    Returns the finished ones, the labels of unfinished ones, and by label what is wrong with damaged ones. Raises
    UsageError where none is finished or two have the same label.
    """
    if not runs.is_dir():
        raise UsageError(f"--runs {runs}: expected a folder of students, got {'a file' if runs.exists() else 'none'}")
    finished: list[TrainedStudent] = []
    unfinished: list[str] = []
    damaged: dict[str, str] = {}
    for folder in sorted(_folders(runs.resolve())):
        label = f"{folder.parent.name}/{folder.name}"
        if not (folder / student_run.RUN).exists():
            unfinished.append(label)
            continue
        try:
            finished.append(read(folder))
        except InputError as error:
            damaged[label] = str(error)
    folders: dict[str, Path] = {}
    for student in finished:
        if student.label in folders:
            raise UsageError(
                f"--runs {runs}: {student.label} is in {folders[student.label].parent} and in "
                f"{student.folder.parent}; evaluate these one by one, each to its own --output_dir"
            )
        folders[student.label] = student.folder
    if not finished:
        got = [f"{label}: {reason}" for label, reason in damaged.items()]
        got += [f"{label}, unfinished" for label in unfinished]
        raise UsageError(f"--runs {runs}: expected finished students of train.py, got {_listed(got) or 'none'}")
    return finished, unfinished, damaged


def _folders(top: Path) -> Iterator[Path]:
    """The folders that train.py made, at any depth; what is inside one, its model and checkpoints, is not searched."""
    for here, below, files in os.walk(top):
        if student_run.RUN in files or student_run.PLAN in files:
            below.clear()
            yield Path(here)


def read(folder: Path) -> TrainedStudent:
    """A finished student. Raises InputError where run.json is damaged or the model's files have other sizes than it says."""
    document = student_run.result(folder)
    try:
        name, plan, files = str(document["run"]), document["plan"], dict(document["model"]["files"])
        revision = str(document["model"]["revision"])
        stem, seed = Path(plan["data"]["file"]).stem, int(plan["settings"]["seed"])
        study_plan = plan.get("study_plan", {}).get("sha256")
        data = str(plan["data"]["sha256"])
        known = {**document, "records": plan["data"]["records"]}
        trained = {key: int(known[key]) for key in TRAINED if known.get(key) is not None}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{folder / student_run.RUN}: expected one of train.py's files, got one without {error}"
        ) from None
    for file, size in files.items():
        path = folder / student_run.MODEL / file
        found = path.stat().st_size if path.is_file() else None
        if found != size:
            raise InputError(
                f"{path}: run.json says {size:,} bytes, got {'no file' if found is None else f'{found:,}'}"
            )
    return TrainedStudent(
        folder.parent.name, name, folder, revision, *parsed(name, stem, seed), seed, study_plan, trained, data
    )


def parsed(name: str, stem: str, seed: int) -> tuple[str, str, str, int | None]:
    """(RQ, source, subset, draw) of a student's name, SOURCE_STEM_seedN, where STEM is the data file's name.

    parsed("EVOL_RQ2_COMPOSITION_ALG_20_PRAC_80_repeat1_seed42", ...) is ("RQ2", "EVOL", "ALG_20_PRAC_80", 1).
    """
    subset = name.removesuffix(f"_seed{seed}")
    source = subset.removesuffix(f"_{stem}") if subset.endswith(f"_{stem}") else ""
    if source and (found := parsed_stem(stem)):
        rq, name, draw = found
        return rq, source, name, draw
    return "", source, stem if source else subset, None


def training_differences(students: Sequence[TrainedStudent]) -> list[str]:
    """The settings of training in which the students differ, apart from the seed, and the steps that follow from the data."""
    seen: dict[str, set[str]] = {}
    for student in students:
        plan: dict[str, Any] = student_run.result(student.folder)["plan"]
        settings = {**plan["settings"], **{f"student {key}": value for key, value in plan["student"].items()}}
        for key, value in settings.items():
            seen.setdefault(key, set()).add(repr(value))
    return [key for key, values in seen.items() if len(values) > 1 and key not in ("seed", "max_steps", "warmup_steps")]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more
