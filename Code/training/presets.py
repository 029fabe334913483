"""Presets: the base model, the template and the hyperparameters of a student. Each is a YAML file in students/."""

import json
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from seedkit.errors import InputError, UsageError
from seedkit.yaml_file import parsed_yaml

from training.encoding import NAMES

FOLDER = Path(__file__).parent / "students"
LOCAL = "local"  # the settings of a student that is a model folder
FINETUNING = ("full", "lora")
KEYS = {"model_name_or_path", "parameters", "shape", "template", "micro_batch", "settings", *FINETUNING}


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides how much memory a sample takes, with the names of config.json."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    vocab_size: int


@dataclass(frozen=True, slots=True)
class Student:
    """A base model and how it is trained.

    `settings` have LLaMA-Factory's names and go to it as they are, except batch_size and warmup_ratio, which become its
    per-device batch, accumulation and warm-up steps.
    """

    model: str  # hub id or folder
    template: str | None  # None: the tokenizer decides, see RecordEncoder
    micro_batch: int  # samples on a GPU at a time
    finetuning: str
    settings: dict[str, Any]
    parameters: int | None  # None if the weights are in no format that says it
    shape: Shape | None = None  # None if the preset or the folder's config.json does not say it

    def with_settings(self, template: str | None, **overrides: Any) -> "Student":
        """The same student with those of the given settings that are not None, the template among them."""
        given = {key: value for key, value in overrides.items() if value is not None}
        return replace(self, template=template or self.template, settings={**self.settings, **given})


def names() -> list[str]:
    """What --student takes besides a model folder."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != LOCAL)


def student(name: str, finetuning: str) -> Student:
    """The preset of that name, or a model folder with the settings of students/local.yaml; UsageError if it is neither."""
    if name in names():
        return _read(FOLDER / f"{name}.yaml", finetuning, None)
    if Path(name).is_dir():
        if not (Path(name) / "config.json").is_file():
            raise UsageError(f"--student {name}: expected a model folder, found no config.json in it")
        weights = sorted(Path(name).glob("*.safetensors"))
        if not weights and not any(Path(name).glob("pytorch_model*.bin")):
            raise UsageError(f"--student {name}: expected a model folder, found no weights (*.safetensors) in it")
        count = sum(map(_parameters, weights)) or None
        local = _read(FOLDER / f"{LOCAL}.yaml", finetuning, str(Path(name).resolve()))
        return replace(local, parameters=count, shape=_shape(Path(name) / "config.json"))
    raise UsageError(f"--student {name}: expected a model folder, or one of {', '.join(names())}")


def _read(path: Path, finetuning: str, folder: str | None) -> Student:
    """The student that a preset describes, with the base model in `folder` if that is given."""
    preset = parsed_yaml(path, path.read_bytes())
    if not isinstance(preset, dict) or not preset.keys() <= KEYS:
        raise InputError(f"{path}: expected the keys {', '.join(sorted(KEYS))}")
    model = folder or preset.get("model_name_or_path")
    named = preset.get("template", None if folder is None else NAMES[0])  # for a folder the tokenizer may decide
    if not model or named not in NAMES:
        raise InputError(f"{path}: expected model_name_or_path, and a template that is one of {', '.join(NAMES)}")
    settings = {**preset["settings"], **preset[finetuning]}
    shape = Shape(**preset["shape"]) if "shape" in preset else None
    template, parameters = preset.get("template"), preset.get("parameters")
    return Student(model, template, preset["micro_batch"], finetuning, settings, parameters, shape)


def _shape(path: Path) -> Shape | None:
    """The shape that a config.json says; None if it has other names for it. InputError if it is no JSON object."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        found = {field.name: config.get(field.name) for field in fields(Shape)}
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: expected a model's configuration in JSON: {error}") from None
    return Shape(**found) if all(isinstance(value, int) for value in found.values()) else None


def _parameters(path: Path) -> int:
    """How many numbers a safetensors file holds, from its header: 8 bytes with the header's length, then JSON."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError):
        raise InputError(f"{path}: expected weights in safetensors, got something else") from None
