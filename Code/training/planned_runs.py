"""What is to be trained: the subsets of finished partitions, checked, times the seeds, as settings for LLaMA-Factory."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.errors import InputError, UsageError
from seedkit.files import file_facts
from seedkit.manifest import documents, read_manifest
from seedkit.verify import verify

from training.encoding import TOKENIZER
from training.llamafactory_doctor_steps import data_files
from training.presets import Student
from training.verdicts import DROPPED, EMPTY, LOST, TRUNCATED, Columns, Diagnosis, diagnose
from training.verdicts import Counter as TokenCounter

COLUMNS = {"prompt": "instruction", "query": "input", "response": "output"}
CHECKPOINTS = 10  # in a run; what an interruption costs is a tenth of it
# One A100 in bfloat16 makes 312e12 operations a second at most (NVIDIA's data sheet); 40% of that is a usual yield.
A100_FLOPS = 0.4 * 312e12
# Operations per parameter and token (Kaplan et al. 2020, arXiv 2001.08361): 2 forward, 2 for the gradients of activations,
# 2 for those of weights, which LoRA leaves out for the frozen ones; and 2 for the forward pass that checkpointing repeats.
OPERATIONS = {"full": 8, "lora": 6}


@dataclass(frozen=True, slots=True)
class Subset:
    """A data file of a partition, as its manifest describes it and as LLaMA-Factory will read it."""

    name: str
    path: Path
    sha256: str
    records: int
    stage: str
    tokens: int | None = None  # after the cutoff; None without a tokenizer
    truncated: int = 0  # records
    answer_tokens_lost: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One student to train; `steps` is the number of optimisation steps."""

    name: str
    subset: Subset
    seed: int
    steps: int
    settings: dict[str, Any]


def subsets(folders: Sequence[Path], pattern: str, counter: TokenCounter | None, cutoff_len: int) -> list[Subset]:
    """The data files of the folders, each as its manifest says and without a record that would be lost; else InputError."""
    found: list[Subset] = []
    for folder in folders:
        if not folder.is_dir():
            raise InputError(
                f"{folder}: expected a finished output folder, got {'a file' if folder.exists() else 'none'}"
            )
        outputs = documents(read_manifest(folder))
        if faults := verify(folder):
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise InputError(f"{folder}: not what its manifest says, nothing is trained: {faults[0]}{more}")
        pools = {output["classified"]["file"] for output in outputs if "classified" in output}
        paths = [path for path in data_files([folder], Columns()) if path.name not in pools]
        for path in paths:
            output = next(output for output in outputs if path.name in output["files"])
            name = _safe(f"{output.get('source') or folder.resolve().name}_{path.stem}")
            if fnmatch(name, pattern):
                found.append(_checked(name, path, output, diagnose(path, None, counter, cutoff_len)))
    if not found:
        raise UsageError(f"--subsets {pattern}: matches none of the data files of {', '.join(map(str, folders))}")
    for name, count in Counter(subset.name for subset in found).items():
        if count > 1:
            raise InputError(f"{name}: {count} data files would have that name; train their folders one by one")
    return found


def _checked(name: str, path: Path, output: dict[str, Any], verdicts: list[Diagnosis]) -> Subset:
    lost = [verdict for verdict in verdicts if verdict.status in (DROPPED, LOST)]
    if lost:
        where = "" if lost[0].line is None else f":{lost[0].line}"
        count = "the whole file" if lost[0].status == LOST else f"{len(lost):,} of {len(verdicts):,} records"
        raise InputError(f"{path}{where}: LLaMA-Factory would lose {count}: {lost[0].reason}")
    facts = output["files"][path.name]
    records = facts["lines"] if path.suffix == ".jsonl" else len(verdicts)
    if records != len(verdicts):
        raise InputError(f"{path}: LLaMA-Factory would read {len(verdicts):,} records, the manifest says {records:,}")
    if empty := sum(verdict.status == EMPTY for verdict in verdicts):
        say(f"{name}: {empty:,} records have an empty prompt or answer and are trained on all the same")
    counted = all(verdict.prompt_tokens is not None for verdict in verdicts)
    tokens = sum(
        (v.prompt_tokens or 0) + (v.answer_tokens or 0) - v.prompt_tokens_lost - v.answer_tokens_lost for v in verdicts
    )
    return Subset(
        name,
        path.resolve(),
        facts["sha256"],
        records,
        str(output.get("stage", "")),
        tokens if counted else None,
        sum(verdict.status == TRUNCATED for verdict in verdicts),
        sum(verdict.answer_tokens_lost for verdict in verdicts),
    )


def matrix(
    found: Sequence[Subset],
    seeds: Sequence[int],
    student: Student,
    *,
    gpus: int,
    cpu: bool,
    equal_steps: bool,
    max_steps: int | None,
    save_steps: int | None,
) -> list[Run]:
    """A run for every subset and seed. Steps: epochs x ceil(records / batch), or what max_steps or equal_steps give."""
    batch, passes = student.settings["batch_size"], student.settings["num_train_epochs"]
    steps = {subset.name: max(1, math.ceil(passes * math.ceil(subset.records / batch))) for subset in found}
    if max_steps or equal_steps:
        steps = dict.fromkeys(steps, max_steps or min(steps.values()))
    per_device = _per_device(batch, max(1, gpus), student.micro_batch)
    runs = []
    for seed in seeds:
        for subset in found:
            total = steps[subset.name]
            own = {key: value for key, value in student.settings.items() if key not in ("batch_size", "warmup_ratio")}
            settings = {
                "model_name_or_path": student.model,
                "stage": "sft",
                "do_train": True,
                "finetuning_type": student.finetuning,
                "template": None if student.template == TOKENIZER else student.template,
                **own,
                "max_steps": total,
                "warmup_steps": round(total * student.settings["warmup_ratio"]),
                "per_device_train_batch_size": per_device,
                "gradient_accumulation_steps": batch // (max(1, gpus) * per_device),
                "seed": seed,
                "bf16": not cpu,
                "use_cpu": cpu,
                "packing": False,
                "overwrite_cache": True,
                "logging_steps": max(1, min(10, total // 50)),
                "save_strategy": "steps",
                "save_steps": save_steps or math.ceil(total / CHECKPOINTS),
                "save_total_limit": 1,
                "report_to": "none",
                "disable_tqdm": True,
            }
            kept = {key: value for key, value in settings.items() if value is not None}
            runs.append(Run(f"{subset.name}_seed{seed}", subset, seed, total, kept))
    return runs


def _per_device(batch: int, gpus: int, most: int) -> int:
    if batch % gpus:
        raise UsageError(f"--batch_size {batch}: expected a multiple of the {gpus} GPUs, so that all steps are alike")
    share = batch // gpus
    return max(size for size in range(1, min(most, share) + 1) if share % size == 0)


def epochs(run: Run, batch_size: int) -> float:
    """Passes over the data: steps / steps a pass; the last step of a pass has what is left of it."""
    return run.steps / math.ceil(run.subset.records / batch_size)


def gpu_hours(run: Run, student: Student) -> float | None:
    """About how many hours one A100 would take: operations x parameters x tokens passed / (40% of 312e12 a second).

    Tokens passed = tokens of the subset x epochs. Loading, saving and padding are not in it.
    """
    if run.subset.tokens is None or student.parameters is None:
        return None
    tokens = run.subset.tokens * epochs(run, student.settings["batch_size"])
    return float(OPERATIONS[student.finetuning] * student.parameters * tokens / A100_FLOPS / 3600)


def _safe(name: str) -> str:
    """A name that LLaMA-Factory takes for a data set (it splits at commas) and any disk for a folder."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", name)


def unchanged(subset: Subset) -> bool:
    """Whether the data file is still the one that was checked."""
    return subset.path.is_file() and file_facts(subset.path).sha256 == subset.sha256
