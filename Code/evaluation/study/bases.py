"""The untrained base models of a study: what the students knew before they were trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    study_plan: str | None = None
    trained: Mapping[str, int] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.model}/{self.name}"


Candidate = TrainedStudent | BaseModel  # what is asked, and gets a row of the table


def base_models(named: Sequence[str], students: Sequence[TrainedStudent]) -> list[BaseModel]:
    """The models from which the students were trained: those that are named, hub ids or folders, or else all of them.

    Raises UsageError where none is named and one of them is a folder that is not where it was, and InputError where no
    student was trained from a model that is named.
    """
    trained: dict[str, tuple[str, str]] = {}  # (run.json's name for it, where train.py had it from), by revision
    for student in students:
        base = student_run.result(student.folder)["plan"]["student"]
        trained[str(base["revision"])] = (str(base["model"]), _trained_from(student) or str(base["model"]))
    for revision, (label, place) in trained.items():
        if not named and not revision.startswith(COMMIT) and not Path(place).is_dir():
            raise UsageError(
                f"--base: expected --base FOLDER, students were trained from the folder {label}, got no name"
            )
    found: dict[str, BaseModel] = {}
    for name in named or [place for _, place in trained.values()]:
        revision = model_revision(name)
        if revision not in trained:
            expected = " or ".join(f"{label} {known}" for known, (label, _) in trained.items())
            raise InputError(f"--base {name}: expected what students were trained from, {expected}, got {revision}")
        found[revision] = BaseModel(Path(model_label(name)).name, name, revision)
    return list(found.values())


def _trained_from(student: TrainedStudent) -> str | None:
    """The folder or hub id in the settings that train.py handed to LLaMA-Factory; None where they are not there."""
    import yaml  # type: ignore[import-untyped]

    try:
        settings = yaml.safe_load((student.folder / student_run.YAML).read_bytes())
    except (OSError, yaml.YAMLError):
        return None
    return settings.get("model_name_or_path") if isinstance(settings, dict) else None
