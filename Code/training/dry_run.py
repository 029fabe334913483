"""What a dry run shows: every run with its tokens and steps, how a step is spread over the machine, and about how long it takes."""

from collections.abc import Mapping
from pathlib import Path

from seedkit.balance import balance_report
from seedkit.display import table
from seedkit.models import model_label

from training import student_run
from training.estimates import A100_FLOPS, CORE_FLOPS, padded_tokens, training_hours
from training.placement import GB, USABLE, each, needs
from training.planned_runs import Run, Subset, answer_tokens_seen, epochs
from training.power import Design, smallest_difference
from training.train_steps import Study, state
from training.training_loop import share_order


def overview(study: Study, redo: bool, share: tuple[int, int] | None = None) -> str:
    """What a dry run prints: the settings, the runs as a table, and about how many hours the steps to take need.

    Raises InputError where the run would, because of what is in a student's folder.
    """
    cores = study.environment.cpus if study.environment and not study.placement.gpus else 0
    unit = "CPU hours" if cores else "A100 hours"
    rows, hours = [], []
    for run in study.runs:
        at = state(study, run, redo)
        steps = _steps_to_take(study, run, at)
        flops = cores * CORE_FLOPS if cores else A100_FLOPS
        passes = epochs(run, study.student.settings["batch_size"])
        tokens, padding, computed = _tokens(run.subset, study.placement.micro_batch)
        taken = None if computed is None else computed * passes * steps / run.steps
        hours.append(None if taken is None else training_hours(study.student, taken, flops))
        seen = answer_tokens_seen(run, study.student.settings["batch_size"])
        cells = (
            f"{run.subset.records:,}",
            tokens,
            padding,
            f"{run.subset.truncated:,}",
            f"{run.steps:,}",
            f"{passes:.2f}",
        )
        taking = (f"{steps:,}", "?" if hours[-1] is None else f"{hours[-1]:.2g}", at)
        rows.append((run.name, *cells, *taking, "?" if seen is None else f"{seen:,}"))
    header = (
        "student",
        "records",
        "tokens",
        "padding",
        "truncated",
        "steps",
        "epochs",
        "to take",
        unit,
        "state",
        "answer tokens seen",
    )
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
        f"{study.student.template}) in {study.folder}\n{shown}\n\n{table(header, rows)}\n\n{_balance(study)}\n\n{_spread(study)}\n{total} "
        f"for the steps to take (operations x parameters x tokens with padding at {speed}; loading and saving are not "
        "counted; see training/estimates.py)\n"
        f"{_seen(len({run.seed for run in study.runs}))}"
        f"{_shared(study, share, dict(zip((run.name for run in study.runs), hours, strict=True)), unit) if share else ''}"
    )


def _shared(study: Study, share: tuple[int, int], hours: Mapping[str, float | None], unit: str) -> str:
    """With which students a share begins, in its order, and how long these take."""
    number, of = share
    first = [
        name for name in share_order(study, share)[: len(range(number - 1, len(study.runs), of))] if hours[name] != 0
    ]
    known = [hours[name] or 0.0 for name in first]
    total = "unknown" if None in [hours[name] for name in first] else f"about {sum(known):.2g}"
    return f"\nShare {number} of {of} begins with {', '.join(first) or 'what others leave'} ({total} {unit}), then takes what nobody has"


def _balance(study: Study) -> str:
    """In what else the subsets of each partition differ, of those that are trained; a sentence where a manifest does not say it."""
    partitions: dict[tuple[Path, str], dict[str, Subset]] = {}
    for subset in (run.subset for run in study.runs):
        partitions.setdefault((subset.path.parent, subset.source), {})[subset.name] = subset
    shown = []
    for (folder, _), found in partitions.items():
        rows = {name: subset.balance for name, subset in found.items() if subset.balance}
        if rows:
            shown.append(balance_report(rows))
        else:
            shown.append(f"{folder}: its manifest has no balance table; the scripts of RQ1 to RQ4 write one")
    return "\n\n".join(shown)


def _seen(seeds: int) -> str:
    """What differences between subsets so many students of each can show, in words, with a run effect of 1 point."""
    if seeds == 1:
        return (
            "With one seed, subsets of one draw cannot be told from their seeds, however far apart they are; --seed 42 43 44 "
            "trains three students of each (evaluation/study_power.py says what differences they show)"
        )
    found = [smallest_difference(Design(0.4, problems, seeds, 0.01)) for problems in (164, 591)]
    shown = ["none" if value is None else f"{100 * value:.1f} points" for value in found]
    return (
        f"With {seeds} students of each subset, the smallest difference seen with a chance of 80% at a pass@1 of 40%: {shown[0]} on 164 "
        f"problems (HumanEval), {shown[1]} on 591 (with sanitized MBPP), if a run's own effect is 1 point; see evaluation/study_power.py"
    )


def _tokens(subset: Subset, micro_batch: int) -> tuple[str, str, float | None]:
    """Of one pass over the subset: its tokens, the share of padding in what is computed, and the tokens computed."""
    if subset.lengths is None:
        return "?", "?", None
    computed = padded_tokens(subset.lengths, micro_batch)
    return f"{sum(subset.lengths):,}", f"{1 - sum(subset.lengths) / computed:.0%}", computed


def _spread(study: Study) -> str:
    """How a step is spread over the machine, and what memory it takes there, in words."""
    at = study.placement
    batch = study.student.settings["batch_size"]
    spread = f"A step of {batch:,}: {at.micro_batch} at a time on {each(at.gpus)}"
    if not at.gpus:
        return spread
    if at.memory is None:
        return f"{spread}; the memory that it takes is not known, because config.json does not say the model's shape"
    return f"{spread}, which takes {needs(at.memory, at.stage)} of {study.gpu_bytes / GB:,.0f}; {USABLE:.0%} are counted on"


def _steps_to_take(study: Study, run: Run, at: str) -> int:
    """How many steps the run takes from its folder's state on: none if it is finished, the rest if it was interrupted."""
    if at == "finished":
        return 0
    return run.steps - (student_run.resumed_step(study.folder / run.name) if at == "unfinished" else 0)
