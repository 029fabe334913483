"""The first steps of train.py: check everything that can be checked. dry_run.py and training_loop.py have the rest."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.errors import InputError, UsageError
from seedkit.files import require_writable
from seedkit.models import model_label, model_revision

from training import student_run
from training.encoding import NAMES, RecordEncoder
from training.llamafactory_environment import Environment, environment_folder, probed, require_deepspeed, require_liger
from training.placement import GB, Placement, placed
from training.planned_runs import Run, plan_runs, subsets
from training.presets import Student, student
from training.study_plan import StudyPlan, read_plan

# in a plan made elsewhere, unless --gpus and --gpu_memory_gb say otherwise: the fewest of these that do, each an A100 of 80 GB
PLANNED_GPUS, PLANNED_GPU_GB = (1, 2, 4, 8), 80
SEED = 42  # without --seed and --plan


@dataclass(frozen=True, slots=True)
class Study:
    """All runs of a command, what they have in common, and where they go."""

    folder: Path
    student: Student
    revision: str | None  # of the base model; None in a dry run that cannot reach it
    runs: list[Run]
    environment: Environment | None  # None only in a dry run without one
    placement: Placement
    gpu_bytes: float  # memory of a GPU, as torch or --gpu_memory_gb says; 0 for the CPU
    study_plan: StudyPlan | None = None

    def plan(self, run: Run) -> dict[str, Any]:
        """What decides the result of the run, as student_run.plan has it."""
        model = {"model": model_label(self.student.model), "revision": self.revision}
        return student_run.plan(run, model, self.student.settings["batch_size"], self.study_plan)


def prepare(args: argparse.Namespace) -> Study:
    """Make every check that can be made before the first student, so that no mistake shows after hours of training.

    A dry run need not be on the machine that trains: unless it is with --device cpu, it goes on without LLaMA-Factory's
    environment and without a base model that the hub would have to send.

    Raises UsageError or InputError, as the checks do.
    """
    elsewhere = args.dry_run and args.device != "cpu"
    if args.template and args.template not in NAMES:
        raise UsageError(f"--template {args.template}: expected one of {', '.join(NAMES)}")
    study_plan = read_plan(args.plan) if args.plan else None
    seeds = args.seed or (study_plan.seeds if study_plan else [SEED])
    if len(set(seeds)) < len(seeds):
        raise UsageError(f"--seed {' '.join(map(str, seeds))}: expected different seeds")
    name = model_label(args.student) if Path(args.student).is_dir() else args.student
    folder = args.output_dir.absolute() / f"{name}-{args.finetuning}"
    if study_plan:
        study_plan.check(folder.name, seeds)
    chosen_student = student(args.student, args.finetuning).with_settings(
        args.template,
        batch_size=args.batch_size,
        cutoff_len=args.cutoff_len,
        num_train_epochs=args.epochs,
        learning_rate=args.learning_rate,
        enable_liger_kernel=args.liger or None,
    )
    require_writable(folder)
    environment = _environment(args, elsewhere)
    numbers, gpu_bytes = _gpus(args, environment)
    revision, encoder = _base_model(chosen_student, elsewhere)
    if encoder:
        say(encoder.why(_named_by(args, chosen_student)))
        chosen_student = chosen_student.with_settings(encoder.name)
    counter = encoder.token_counts if encoder else None
    found = subsets(args.partitions, args.subsets, counter, chosen_student.settings["cutoff_len"])
    for subset in found:
        if subset.truncated:
            message = (
                f"{subset.name}: {subset.truncated:,} of {subset.records:,} records are longer than --cutoff_len "
                f"{chosen_student.settings['cutoff_len']:,}; {subset.answer_tokens_lost:,} tokens of answers are cut off"
            )
            if args.strict:
                raise InputError(f"{message} (--strict)")
            say(message)
    longest = max((max(subset.lengths or (0,)) for subset in found), default=0)
    length = longest or chosen_student.settings["cutoff_len"]
    placement = _placed(chosen_student, numbers, gpu_bytes, args.deepspeed_stage, length)
    if environment and placement.stage is not None:
        _deepspeed(args, environment, placement)
    runs = plan_runs(
        found,
        seeds,
        chosen_student,
        placement,
        equal_steps=args.equal_steps,
        equal_tokens=args.equal_tokens,
        max_steps=args.max_steps,
        save_steps=args.save_steps,
    )
    return Study(folder, chosen_student, revision, runs, environment, placement, gpu_bytes, study_plan)


def _environment(args: argparse.Namespace, elsewhere: bool) -> Environment | None:
    """LLaMA-Factory's environment; None if there is none and the training would be elsewhere."""
    try:
        return probed(environment_folder(args.environment))
    except InputError as error:
        if not elsewhere:
            raise
        say(f"{error}; the dry run goes on as if there were one")
        return None


def _gpus(args: argparse.Namespace, environment: Environment | None) -> tuple[Sequence[int], float]:
    """How many GPUs each run takes, and the bytes of each; (0,) and 0 for the CPU.

    A dry run takes the GPUs that --gpus and --gpu_memory_gb name to be those of another machine, if torch sees none here.
    Without --gpus it may be one of several numbers then, of which the first that does is to be taken.

    Raises UsageError if there are not as many as asked for, InputError if --liger needs what the environment lacks.
    """
    if args.device == "cpu":
        return (0,), 0.0
    there = len(environment.gpus) if environment else 0
    asked = args.device == "cuda" or args.gpus or args.gpu_memory_gb or args.deepspeed_stage is not None or args.liger
    if environment and not there and not asked:
        say("torch sees no GPU: students are trained on the CPU, which is for tiny ones")
        return (0,), 0.0
    if not there and not args.dry_run:
        raise UsageError("--device cuda: torch sees no GPU; expected --device cpu, or a GPU node")
    if there and args.gpus and args.gpus > there:
        raise UsageError(f"--gpus {args.gpus}: torch sees {there}")
    if environment and args.liger:
        require_liger(environment)
    gpus = args.gpus or there
    if args.gpu_memory_gb or not there:
        memory = (args.gpu_memory_gb or PLANNED_GPU_GB) * GB
    else:
        assert environment is not None
        memory = min(environment.gpu_bytes[:gpus])
    return (gpus,) if gpus else PLANNED_GPUS, memory


def _placed(wanted: Student, numbers: Sequence[int], gpu_bytes: float, stage: int | None, length: int) -> Placement:
    """The placement over the first number of GPUs that does; UsageError if none does, for the last of them."""
    *fewer, most = numbers
    for gpus in fewer:
        try:
            return placed(wanted, gpus, gpu_bytes, stage, length)
        except UsageError:
            continue
    return placed(wanted, most, gpu_bytes, stage, length)


def _deepspeed(args: argparse.Namespace, environment: Environment, placement: Placement) -> None:
    """Say why DeepSpeed is taken; InputError if the environment does not hold it."""
    why = "--deepspeed_stage"
    if args.deepspeed_stage is None:
        why = f"DeepSpeed, because without it the students do not fit into the memory of {placement.gpus} GPUs"
        say(f"ZeRO stage {placement.stage}: {why}")
    require_deepspeed(environment, why)


def _named_by(args: argparse.Namespace, wanted: Student) -> str | None:
    """The flag or the preset that names the template; None if the tokenizer is to decide."""
    return "--template" if args.template else f"the preset {args.student}" if wanted.template else None


def _base_model(wanted: Student, elsewhere: bool) -> tuple[str | None, RecordEncoder | None]:
    """The base model's revision and what counts its tokens; (None, None) if the hub cannot be reached from here and the
    training would be elsewhere."""
    try:
        return model_revision(wanted.model), RecordEncoder(wanted.model, wanted.template)
    except InputError as error:
        if not elsewhere or Path(wanted.model).is_dir():
            raise
        say(f"{error}; no tokens are counted")
        return None, None


def state(study: Study, run: Run, redo: bool) -> str:
    """The state of the run's folder; "other" if another plan made it and `redo` may replace it, else InputError.

    "?" if the base model is not known, and with it the plan.
    """
    if study.revision is None:
        return "?"
    folder = study.folder / run.name
    try:
        return student_run.state(folder, study.plan(run))
    except InputError:
        if not redo or not any((folder / name).exists() for name in (student_run.PLAN, student_run.RUN)):
            raise
    return "other"
