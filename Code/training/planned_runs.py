"""Which runs a study has: every checked subset of finished partitions with every seed, as settings for LLaMA-Factory."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.errors import InputError, UsageError
from seedkit.files import file_facts
from seedkit.manifest import documents, read_manifest
from seedkit.verify import verify

from training.diagnoses import DROPPED, EMPTY, LOST, TRUNCATED, Columns, Diagnosis, TokenCounter, diagnose
from training.encoding import TOKENIZER
from training.llamafactory_doctor_steps import data_files
from training.placement import Placement
from training.presets import Student
from training.subset_names import safe_name

COLUMNS = {"prompt": "instruction", "query": "input", "response": "output"}
CHECKPOINTS = 10  # in a run, so that an interruption costs a tenth of it at most


@dataclass(frozen=True, slots=True)
class Subset:
    """A data file of a partition, as its manifest describes it and as LLaMA-Factory will read it."""

    name: str
    path: Path
    sha256: str
    records: int
    stage: str
    lengths: tuple[int, ...] | None = (
        None  # tokens of each record that are kept at the cutoff; None without a tokenizer
    )
    truncated: int = 0  # records
    answer_tokens_lost: int = 0
    answer_tokens: int | None = None  # of all records, those that are kept at the cutoff; None without a tokenizer
    source: str = ""  # as the manifest names it
    balance: Mapping[str, Any] | None = (
        None  # its row of the manifest's balance table; None in those of earlier releases
    )

    @property
    def tokens(self) -> int | None:
        """Those of all records, None without a tokenizer."""
        return None if self.lengths is None else sum(self.lengths)


@dataclass(frozen=True, slots=True)
class Run:
    """One student to train; `steps` is the number of optimisation steps."""

    name: str
    subset: Subset
    seed: int
    steps: int
    settings: dict[str, Any]


def subsets(folders: Sequence[Path], pattern: str, counter: TokenCounter | None, cutoff_len: int) -> list[Subset]:
    """The data files of the folders whose names match `pattern`.

    Raises InputError for a folder that is not what its manifest says, and for a file of which LLaMA-Factory would lose
    records; UsageError if nothing matches.
    """
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
        # the records that a folder's mixes were drawn from are no subset
        pools = {output["classified"]["file"] for output in outputs if "classified" in output}
        paths = [path for path in data_files([folder], Columns()) if path.name not in pools]
        for path in paths:
            output = next(output for output in outputs if path.name in output["files"])
            name = safe_name(f"{output.get('source') or folder.resolve().name}_{path.stem}")
            if fnmatch(name, pattern):
                found.append(_checked(name, path, output, diagnose(path, None, counter, cutoff_len)))
    if not found:
        raise UsageError(f"--subsets {pattern}: matches none of the data files of {', '.join(map(str, folders))}")
    for name, count in Counter(subset.name for subset in found).items():
        if count > 1:
            raise InputError(f"{name}: {count} data files would have that name; train their folders one by one")
    return found


def _checked(name: str, path: Path, output: dict[str, Any], diagnoses: list[Diagnosis]) -> Subset:
    """The data file as a Subset; InputError if records would be lost, or their number is not the manifest's."""
    lost = [diagnosis for diagnosis in diagnoses if diagnosis.status in (DROPPED, LOST)]
    if lost:
        where = "" if lost[0].line is None else f":{lost[0].line}"
        count = "the whole file" if lost[0].status == LOST else f"{len(lost):,} of {len(diagnoses):,} records"
        raise InputError(f"{path}{where}: LLaMA-Factory would lose {count}: {lost[0].reason}")
    facts = output["files"][path.name]
    records = facts["lines"] if path.suffix == ".jsonl" else len(diagnoses)
    if records != len(diagnoses):
        raise InputError(f"{path}: LLaMA-Factory would read {len(diagnoses):,} records, the manifest says {records:,}")
    if empty := sum(diagnosis.status == EMPTY for diagnosis in diagnoses):
        say(f"{name}: {empty:,} records have an empty prompt or answer and are trained on all the same")
    counted = all(diagnosis.prompt_tokens is not None for diagnosis in diagnoses)
    lengths = tuple(
        (d.prompt_tokens or 0) + (d.answer_tokens or 0) - d.prompt_tokens_lost - d.answer_tokens_lost for d in diagnoses
    )
    return Subset(
        name,
        path.resolve(),
        facts["sha256"],
        records,
        str(output.get("stage", "")),
        lengths if counted else None,
        sum(diagnosis.status == TRUNCATED for diagnosis in diagnoses),
        sum(diagnosis.answer_tokens_lost for diagnosis in diagnoses),
        sum((d.answer_tokens or 0) - d.answer_tokens_lost for d in diagnoses) if counted else None,
        str(output.get("source", "")),
        output.get("balance", {}).get("subsets", {}).get(path.name),
    )


def plan_runs(
    found: Sequence[Subset],
    seeds: Sequence[int],
    student: Student,
    placement: Placement,
    *,
    equal_steps: bool,
    equal_tokens: bool = False,
    max_steps: int | None,
    save_steps: int | None,
) -> list[Run]:
    """A run for every subset and seed, with epochs x ceil(records / batch size) steps, rounded up.

    `max_steps` gives all runs that many steps instead, `equal_steps` as many as the smallest subset has, and
    `equal_tokens` as many answer tokens as the subset with the fewest has in its steps (see `steps_for_equal_tokens`).

    Raises UsageError if `equal_tokens` is asked for and a subset's tokens are not known, or it has none.
    """
    batch, passes = student.settings["batch_size"], student.settings["num_train_epochs"]
    steps = {subset.name: max(1, math.ceil(passes * math.ceil(subset.records / batch))) for subset in found}
    if max_steps or equal_steps:
        steps = dict.fromkeys(steps, max_steps or min(steps.values()))
    if equal_tokens:
        steps = steps_for_equal_tokens(found, steps, batch)
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
                "per_device_train_batch_size": placement.micro_batch,
                "gradient_accumulation_steps": placement.accumulation,
                "seed": seed,
                "bf16": placement.gpus > 0,
                "use_cpu": placement.gpus == 0,
                # computing activations twice saves memory, of which a processor has enough for students that it can train
                "disable_gradient_checkpointing": True if placement.gpus == 0 else None,
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


def steps_for_equal_tokens(found: Sequence[Subset], steps: dict[str, int], batch_size: int) -> dict[str, int]:
    """The steps, by name, after which every subset's student has seen about the same number of answer tokens.

    A step of a subset has on average a = answer tokens of all its records / ceil(records / batch_size) of them. The budget is
    the smallest of a x `steps` over the subsets; a subset gets budget / a steps, rounded, and at least one. So no subset has
    more steps than in `steps`, and what it sees differs from the budget by at most half of a step's tokens, or by one step's.

    Raises UsageError for a subset whose answer tokens are not known, or that has none.
    """
    for subset in found:
        if not subset.answer_tokens:
            got = "a base model whose tokens cannot be counted from here" if subset.answer_tokens is None else "none"
            raise UsageError(f"--equal_tokens: {subset.name}: expected answers with tokens, got {got}")
    each = {s.name: (s.answer_tokens or 0) / math.ceil(s.records / batch_size) for s in found}
    budget = min(each[name] * steps[name] for name in each)
    return {name: max(1, round(budget / tokens)) for name, tokens in each.items()}


def answer_tokens_seen(run: Run, batch_size: int) -> int | None:
    """About how many answer tokens the student is trained on in all its steps: those of a pass x passes; None if not known."""
    tokens = run.subset.answer_tokens
    return None if tokens is None else round(tokens * epochs(run, batch_size))


def epochs(run: Run, batch_size: int) -> float:
    """Passes over the data: steps / ceil(records / batch size)."""
    return run.steps / math.ceil(run.subset.records / batch_size)


def unchanged(subset: Subset) -> bool:
    """Whether the data file still has the contents that were checked."""
    return subset.path.is_file() and file_facts(subset.path).sha256 == subset.sha256
