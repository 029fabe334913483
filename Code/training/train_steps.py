"""The first steps of train.py: check everything, and show what would be trained. training_loop.py has the rest."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.display import table
from seedkit.errors import InputError, UsageError
from seedkit.models import model_label, model_revision

from training import student_run
from training.encoding import NAMES, RecordEncoder
from training.llamafactory_doctor_steps import require_writable
from training.llamafactory_environment import Environment, environment_folder, probed, require_deepspeed
from training.planned_runs import A100_FLOPS, CORE_FLOPS, Run, epochs, plan_runs, subsets, training_hours
from training.presets import Student, student


@dataclass(frozen=True, slots=True)
class Study:
    """All runs of a command, what they have in common, and where they go."""

    folder: Path
    student: Student
    revision: str | None  # of the base model; None in a dry run that cannot reach it
    runs: list[Run]
    environment: Environment | None  # None only in a dry run without one
    gpus: int

    def plan(self, run: Run) -> dict[str, Any]:
        """What decides the result of the run, as student_run.plan has it."""
        model = {"model": model_label(self.student.model), "revision": self.revision}
        return student_run.plan(run, model, self.student.settings["batch_size"])


def prepare(args: argparse.Namespace) -> Study:
    """Make every check that can be made before the first student, so that no mistake shows after hours of training.

    A dry run need not be on the machine that trains: unless it is with --device cpu, it goes on without LLaMA-Factory's
    environment and without a base model that the hub would have to send.

    Raises UsageError or InputError, as the checks do.
    """
    elsewhere = args.dry_run and args.device != "cpu"
    if args.template and args.template not in NAMES:
        raise UsageError(f"--template {args.template}: expected one of {', '.join(NAMES)}")
    if len(set(args.seed)) < len(args.seed):
        raise UsageError(f"--seed {' '.join(map(str, args.seed))}: expected different seeds")
    name = model_label(args.student) if Path(args.student).is_dir() else args.student
    folder = args.output_dir.absolute() / f"{name}-{args.finetuning}"
    chosen_student = student(args.student, args.finetuning).with_settings(
        args.template,
        batch_size=args.batch_size,
        cutoff_len=args.cutoff_len,
        num_train_epochs=args.epochs,
        learning_rate=args.learning_rate,
    )
    require_writable(folder)
    environment = _environment(args, elsewhere)
    gpus = _gpus(args, environment)
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
    runs = plan_runs(
        found,
        args.seed,
        chosen_student,
        gpus=gpus,
        cpu=args.device == "cpu" or (environment is not None and not gpus),
        equal_steps=args.equal_steps,
        max_steps=args.max_steps,
        save_steps=args.save_steps,
    )
    return Study(folder, chosen_student, revision, runs, environment, gpus)


def _environment(args: argparse.Namespace, elsewhere: bool) -> Environment | None:
    """LLaMA-Factory's environment; None if there is none and the training would be elsewhere."""
    try:
        return probed(environment_folder(args.environment))
    except InputError as error:
        if not elsewhere:
            raise
        say(f"{error}; the dry run goes on as if there were one, with one GPU")
        return None


def _gpus(args: argparse.Namespace, environment: Environment | None) -> int:
    """How many GPUs each run takes, 0 for the CPU; UsageError if there are not as many as asked for."""
    if args.device == "cpu":
        return 0
    if environment is None:
        return args.gpus or 1
    there = len(environment.gpus)
    if not there and (args.device == "cuda" or args.gpus or args.deepspeed_stage is not None):
        raise UsageError("--device cuda: torch sees no GPU; expected --device cpu, or a GPU node")
    if args.gpus and args.gpus > there:
        raise UsageError(f"--gpus {args.gpus}: torch sees {there}")
    if args.deepspeed_stage is not None:
        require_deepspeed(environment)
    if not there:
        say("torch sees no GPU: students are trained on the CPU, which is for tiny ones")
    return args.gpus or there


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


def overview(study: Study, redo: bool) -> str:
    """What a dry run prints: the settings, the runs as a table, and about how many hours the steps to take need.

    Raises InputError where the run would, because of what is in a student's folder.
    """
    cores = study.environment.cpus if study.environment and not study.gpus else 0
    unit = "CPU hours" if cores else "A100 hours"
    rows, hours = [], []
    for run in study.runs:
        at = state(study, run, redo)
        steps = _steps_to_take(study, run, at)
        flops = cores * CORE_FLOPS if cores else A100_FLOPS
        hours.append(training_hours(run, study.student, steps, flops))
        tokens = "?" if run.subset.tokens is None else f"{run.subset.tokens:,}"
        passes = f"{epochs(run, study.student.settings['batch_size']):.2f}"
        cells = (f"{run.subset.records:,}", tokens, f"{run.subset.truncated:,}", f"{run.steps:,}", passes)
        rows.append((run.name, *cells, f"{steps:,}", "?" if hours[-1] is None else f"{hours[-1]:.2g}", at))
    header = ("student", "records", "tokens", "truncated", "steps", "epochs", "to take", unit, "state")
    known = [value for value in hours if value is not None]
    total = f"about {sum(known):,.2g} {unit}" if len(known) == len(hours) else f"{unit.replace('A100', 'GPU')} unknown"
    speed = (
        f"{CORE_FLOPS / 1e9:.0f} billion a second on each of {cores} cores"
        if cores
        else "40% of an A100's bfloat16 peak"
    )
    shown = "\n".join(f"  {key}: {value}" for key, value in study.student.settings.items())
    return (
        f"{len(study.runs)} students of {model_label(study.student.model)} ({study.student.finetuning}, template "
        f"{study.student.template}) in {study.folder}\n{shown}\n\n{table(header, rows)}\n\n{total} "
        f"for the steps to take (operations x parameters x tokens at {speed}; loading and saving are not counted; see "
        "training/planned_runs.py)"
    )


def _steps_to_take(study: Study, run: Run, at: str) -> int:
    """How many steps the run takes from its folder's state on: none if it is finished, the rest if it was interrupted."""
    if at == "finished":
        return 0
    return run.steps - (student_run.resumed_step(study.folder / run.name) if at == "unfinished" else 0)


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
