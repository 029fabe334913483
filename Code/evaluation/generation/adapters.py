"""LoRA adapters: which base model an adapter belongs to, and the two merged into one model while it is asked.

They are merged once, into a folder, whichever engine asks. So no engine has to know about adapters, all compute with the
same weights on any number of devices, and what vLLM's own adapters do not support (whole layers, new tokens) works too.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from seedkit.causal_lm import LATEST, merge_adapter
from seedkit.cli import say
from seedkit.errors import InputError
from seedkit.models import hub_revision, model_label, model_revision
from training.student_run import RUN

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
LORA = "LORA"
COMMIT = "commit:"


@dataclass(frozen=True, slots=True)
class Base:
    """The model that an adapter was trained on."""

    name: str  # hub id or folder
    revision: str  # as seedkit.models.model_revision gives it

    @property
    def commit(self) -> str:
        """Which version of a hub model to load; a folder has only one."""
        return self.revision.removeprefix(COMMIT) if self.revision.startswith(COMMIT) else LATEST


def base_model(model: str, run: Mapping[str, Any] | None) -> Base | None:
    """The base model of a LoRA adapter's folder, None for any other model; `run` is the student's run.json.

    Raises InputError where the base model cannot be found, or is not the one that the student was trained on.
    """
    folder = Path(model)
    if not (folder / CONFIG).is_file():
        return None
    config = _config(folder)
    name = config["base_model_name_or_path"]
    trained = None if run is None else run["plan"]["student"].get("revision")
    if Path(name).is_dir():
        if (Path(name) / CONFIG).exists():
            raise InputError(f"model {model}: its base model {name} is an adapter too; expected a whole model")
        revision = model_revision(name)
    elif Path(name).is_absolute() or name.startswith("."):
        raise InputError(f"model {model}: its base model {name}: no such folder; put the model, or a link to it, there")
    else:  # the version that the student was trained on, even if the hub has a newer one
        pinned = str(trained).startswith(COMMIT)
        revision = str(trained) if pinned else hub_revision(name, config.get("revision") or LATEST)
    if run is not None and revision != trained:
        raise InputError(
            f"model {model}: its base model {name} is another than it was trained on: {RUN} says {trained}, got {revision}"
        )
    return Base(name, revision)


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        config = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if not isinstance(config, dict) or not isinstance(config.get("base_model_name_or_path"), str):
        raise InputError(f'{path}: expected an adapter\'s settings with "base_model_name_or_path"')
    if config.get("peft_type") != LORA:
        raise InputError(f"{path}: expected a LoRA adapter, got peft_type {config.get('peft_type')}")
    if not (folder / WEIGHTS).is_file():
        raise InputError(f"{folder / WEIGHTS}: no such file; expected the adapter's weights")
    if whole := sorted(folder.glob("model*.safetensors")) + sorted(folder.glob("pytorch_model*.bin")):
        raise InputError(
            f"model {folder}: expected an adapter or a whole model, got both: {CONFIG} and {whole[0].name}"
        )
    return config


@contextmanager
def whole_model(model: str, base: Base | None, dtype: str, folder: Path, *, needed: bool) -> Iterator[str]:
    """The model as one folder or hub id: itself, or with a `base` the two merged in `folder`.

    `folder` is removed at the end, and one that a killed run left is removed first. Nothing is merged unless `needed`.
    """
    if base is None:
        yield model
        return
    shutil.rmtree(folder, ignore_errors=True)
    if not needed:
        yield model
        return
    say(f"merging the adapter with its base model {model_label(base.name)} ({dtype})")
    try:
        merge_adapter(base.name, base.commit, model, dtype, folder)
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
