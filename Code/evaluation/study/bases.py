"""The untrained base models of a study: what the students knew before they were trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seedkit.errors import InputError, UsageError
from seedkit.models import model_label, model_revision
from training import student_run

from evaluation.generation.adapters import COMMIT
from evaluation.study.students import TrainedStudent

UNTRAINED = "untrained"  # stands where a student has its subset


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A model from which students were trained, as it was before. Its row of the table has no question and no source."""

    model: str  # the last part of its name
    weights: str  # hub id or folder
    revision: str
    name: str = UNTRAINED
    rq: str = ""
    source: str = ""
    subset: str = UNTRAINED
    draw: int | None = None
    seed: int = 0

    @property
    def label(self) -> str:
        return f"{self.model}/{self.name}"


Candidate = TrainedStudent | BaseModel  # what is asked, and gets a row of the table


def base_models(named: Sequence[str], students: Sequence[TrainedStudent]) -> list[BaseModel]:
    """The models from which the students were trained: those of that name, a hub id or folder, or all of the hub's.

    Raises UsageError where none is named and one is a folder, because run.json does not say where folders lie, and
    InputError where no student was trained from a model that is named.
    """
    trained: dict[str, str] = {}  # run.json's name of it, by revision
    for student in students:
        base = student_run.result(student.folder)["plan"]["student"]
        trained[str(base["revision"])] = str(base["model"])
    if folders := [name for revision, name in trained.items() if not revision.startswith(COMMIT)]:
        if not named:
            raise UsageError(f"--base: expected --base FOLDER, as students were trained from the folder {folders[0]}")
    found: dict[str, BaseModel] = {}
    for name in named or trained.values():
        revision = model_revision(name)
        if revision not in trained:
            expected = " or ".join(f"{label} {known}" for known, label in trained.items())
            raise InputError(f"--base {name}: expected what students were trained from, {expected}, got {revision}")
        found[revision] = BaseModel(Path(model_label(name)).name, name, revision)
    return list(found.values())
