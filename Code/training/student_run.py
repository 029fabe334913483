"""One student's folder: what it is to be made from, the settings for LLaMA-Factory, the model, and what came of it.

NAME/plan.json           what it is made from: data, base model, every hyperparameter
NAME/train.yaml          the same for `llamafactory-cli train`, which can be run by hand on it
NAME/dataset_info.json   where that finds the data, and what the columns are called
NAME/deepspeed.json      DeepSpeed's settings, where it is used
NAME/train.log           what that printed
NAME/model/              the trained model, and checkpoints while it is unfinished
NAME/run.json            the plan and what came of it; written last, so that a folder without one is unfinished
"""

import math
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from seedkit.errors import InputError, RunError
from seedkit.files import sync, write_atomic
from seedkit.models import model_revision

from training.launching import deepspeed_config
from training.losses import log_rows, loss_summary
from training.planned_runs import COLUMNS, Run, unchanged
from training.study_plan import StudyPlan

FORMAT = 1
PLAN, YAML, LOG, MODEL, RUN = "plan.json", "train.yaml", "train.log", "model", "run.json"
DATASETS = "dataset_info.json"  # LLaMA-Factory's name for it
DEEPSPEED = "deepspeed.json"
# how a batch is spread over the machine, and what is written when and where: none of it changes what the student becomes
SPREAD = {
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "disable_gradient_checkpointing",
    "save_steps",
    "logging_steps",
    "deepspeed",
    "model_name_or_path",
    "model_revision",
    "dataset",
    "dataset_dir",
    "output_dir",
    "disable_tqdm",
    "report_to",
}


def plan(run: Run, student: dict[str, Any], batch_size: int, study_plan: StudyPlan | None = None) -> dict[str, Any]:
    """Everything that decides the result: students with the same plan are the same. And the study's plan, if there is one."""
    data = run.subset
    planned = {"study_plan": {"file": study_plan.file, "sha256": study_plan.sha256}} if study_plan else {}
    return {
        "format": FORMAT,
        "student": student,
        "data": {"file": data.path.name, "sha256": data.sha256, "records": data.records, "stage": data.stage},
        "settings": {
            "batch_size": batch_size,
            **{key: value for key, value in run.settings.items() if key not in SPREAD},
        },
        **planned,
    }


def state(folder: Path, wanted: dict[str, Any]) -> str:
    """The state of the folder: "new", "unfinished" or "finished".

    Raises InputError if it was made with another plan, holds something else than a run, or lacks a file of the model.
    """
    if not (folder / PLAN).exists() and not (folder / RUN).exists():
        if folder.exists() and any(path.name != f".{PLAN}.partial" for path in folder.iterdir()):
            raise InputError(f"{folder}: expected an earlier run of train.py or nothing, got something else")
        return "new"
    done = _read(folder / RUN) if (folder / RUN).exists() else None
    earlier = done["plan"] if done else _read(folder / PLAN)
    if differing := _differences(earlier, wanted):
        raise InputError(f"{folder}: was made with {differing}; choose another --output_dir, or --redo to replace it")
    if done is None:
        return "unfinished"
    for name, size in done["model"]["files"].items():
        path = folder / MODEL / name
        if not path.is_file() or path.stat().st_size != size:
            raise InputError(f"{path}: run.json says {size:,} bytes, got {_size(path)}; --redo trains it again")
    return "finished"


def result(folder: Path) -> dict[str, Any]:
    """The run.json of a finished student; InputError if it cannot be read."""
    return _read(folder / RUN)


def begin(folder: Path, run: Run, wanted: dict[str, Any], stage: int | None = None) -> int:
    """Write plan and settings and remove half-written checkpoints; returns the step that training resumes from.

    `stage` is DeepSpeed's ZeRO stage, None without DeepSpeed. Raises RunError if the checkpoint cannot go on in it.
    """
    step = resumed_step(folder)
    if step and (made := _sharding(folder)) != (now := (stage, _share(run.settings) if stage is not None else None)):
        raise RunError(
            f"{folder}: its checkpoint of step {step:,} is from {_in_words(*made)}, expected {_in_words(*now)}; "
            f"go on with the same GPUs and --deepspeed_stage, or remove {folder / MODEL} to start again"
        )
    folder.mkdir(exist_ok=True)
    write_json(folder / PLAN, wanted)
    write_json(folder / DATASETS, {run.subset.name: {"file_name": str(run.subset.path), "columns": COLUMNS}})
    folders = {"dataset_dir": str(folder), "dataset": run.subset.name, "output_dir": str(folder / MODEL)}
    (folder / DEEPSPEED).unlink(missing_ok=True)
    if stage is not None:
        write_json(folder / DEEPSPEED, deepspeed_config(stage))
        folders["deepspeed"] = str(folder / DEEPSPEED)
    write_atomic(folder / YAML, [line.encode() for line in yaml_lines({**run.settings, **folders})])
    for path in checkpoints(folder / MODEL):
        if not _is_whole(path):
            shutil.rmtree(path)
    if not step and (folder / MODEL).exists():
        shutil.rmtree(folder / MODEL)  # LLaMA-Factory refuses a folder with weights and no checkpoint
    return step


def _sharding(folder: Path) -> tuple[int | None, int | None]:
    """The ZeRO stage of the folder's earlier start and the samples of a step on each GPU, which says how many GPUs shared its
    checkpoint; (None, None) without DeepSpeed, where a checkpoint is whole."""
    import yaml  # type: ignore[import-untyped]

    if not (folder / DEEPSPEED).exists():
        return None, None
    stage = orjson.loads((folder / DEEPSPEED).read_bytes())["zero_optimization"]["stage"]
    return stage, _share(yaml.safe_load((folder / YAML).read_text(encoding="utf-8")))


def _share(settings: dict[str, Any]) -> int:
    """The samples of a step on each GPU."""
    return int(settings["per_device_train_batch_size"] * settings["gradient_accumulation_steps"])


def _in_words(stage: int | None, share: int | None) -> str:
    return (
        "a run without DeepSpeed" if stage is None else f"ZeRO stage {stage} with {share} samples of a step on each GPU"
    )


def resumed_step(folder: Path) -> int:
    """The step that an unfinished student goes on from: that of its last whole checkpoint, 0 without one."""
    return max((_step(path) for path in checkpoints(folder / MODEL) if _is_whole(path)), default=0)


def finish(folder: Path, run: Run, wanted: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Check what LLaMA-Factory left and write run.json, which is returned; RunError if it is not what was planned."""
    log = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    said = re.findall(r"Num examples = ([\d,]+)", log)
    trained = int(said[-1].replace(",", "")) if said else None
    if trained != run.subset.records:
        raise RunError(f"LLaMA-Factory trained on {trained} records, the manifest says {run.subset.records:,}")
    if not unchanged(run.subset):
        raise RunError(f"{run.subset.path} was changed while it was trained on; run again")
    try:
        trainer = orjson.loads((folder / MODEL / "train_results.json").read_bytes())
        steps = orjson.loads((folder / MODEL / "trainer_state.json").read_bytes())["global_step"]
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"LLaMA-Factory left no results: {error}") from None
    rows = log_rows(folder / MODEL)
    if steps != run.steps or not rows:
        raise RunError(f"LLaMA-Factory took {steps} steps and logged {len(rows)} losses, expected {run.steps} steps")
    if not all(math.isfinite(row["loss"]) for row in rows):
        raise RunError("a loss is not finite: the student has learned nothing; lower --learning_rate")
    kept = [path for path in sorted((folder / MODEL).iterdir()) if path.is_file()]
    for path in kept:
        sync(path)
    document = {
        "format": FORMAT,
        "run": run.name,
        "plan": wanted,
        "records": {"manifest": run.subset.records, "trained": trained},
        "tokens": run.subset.tokens,
        "truncated_records": run.subset.truncated,
        "steps": steps,
        "epochs": trainer["epoch"],
        "loss": loss_summary(rows),
        "spread": {key: run.settings[key] for key in sorted(SPREAD & run.settings.keys()) if not _is_path(key)},
        **facts,
        "model": {
            "folder": MODEL,
            "revision": model_revision(str(folder / MODEL)),
            "files": {path.name: path.stat().st_size for path in kept},
        },
    }
    write_json(folder / RUN, document)
    return document


def clear(folder: Path) -> None:
    """Remove the checkpoints of a finished run, which take several times the space of the model. Two commands may do so at once."""
    for path in checkpoints(folder / MODEL):
        while path.exists():
            with suppress(FileNotFoundError):  # another one was faster at a file in it
                shutil.rmtree(path)


def checkpoints(model: Path) -> list[Path]:
    """The checkpoint folders in the order of their steps."""
    return sorted((path for path in model.glob("checkpoint-*") if path.name[11:].isdigit()), key=_step)


def yaml_lines(settings: dict[str, Any]) -> list[str]:
    """The settings as lines of YAML. A scalar in JSON is one in YAML, except 1e-05, which YAML would read as text."""
    return [
        f"{key}: {f'{value:.10e}' if isinstance(value, float) and 'e' in repr(value) else orjson.dumps(value).decode()}\n"
        for key, value in settings.items()
    ]


def write_json(path: Path, document: dict[str, Any]) -> None:
    write_atomic(path, [orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)])


def _is_whole(checkpoint: Path) -> bool:
    """Whether trainer_state.json, which the trainer writes last, is there and names the step."""
    try:
        return bool(orjson.loads((checkpoint / "trainer_state.json").read_bytes())["global_step"] == _step(checkpoint))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _differences(earlier: dict[str, Any], wanted: dict[str, Any]) -> str:
    """What the two plans disagree on, in words; "" if they are the same."""
    found = []
    for section in ("student", "data", "settings"):
        one, other = earlier.get(section, {}), wanted[section]
        found += [
            f"{section} {key} {one.get(key, 'none')}, not {other.get(key, 'none')}"
            for key in {**one, **other}
            if one.get(key) != other.get(key)
        ]
    hashes = [one.get("study_plan", {}).get("sha256", "none") for one in (earlier, wanted)]
    if hashes[0] != hashes[1]:
        found.append("study_plan sha256 {:.12}, not {:.12}".format(*hashes))
    return "; ".join(found)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}; --redo trains it again") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: expected one of train.py's files, got something else; --redo trains it again")
    return document


def _is_path(key: str) -> bool:
    return key in ("model_name_or_path", "dataset_dir", "output_dir", "deepspeed")


def _size(path: Path) -> str:
    return f"{path.stat().st_size:,}" if path.is_file() else "no file"
