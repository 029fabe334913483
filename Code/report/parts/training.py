"""The students: what each was trained on, and how its loss went."""

from typing import Any

from training import student_run
from training.losses import log_rows

from report.blocks import Column, DataTable, PagePart, Picture
from report.charts.curves import Line, curves
from report.folders import FinishedRuns, slug
from report.parts.common import captioned

TERTILES = {"T1_LOWER": 1, "T2_MIDDLE": 2, "T3_HIGHER": 3}
POINTS = 200  # of a curve that are drawn
# facts of run.json and how the table of students calls them
FACTS: tuple[tuple[Column, tuple[str, ...]], ...] = (
    (Column("records", "count"), ("records", "trained")),
    (Column("truncated", "count"), ("truncated_records",)),
    (Column("tokens", "count"), ("tokens",)),
    (Column("steps", "count"), ("steps",)),
    (Column("epochs", 2), ("epochs",)),
    (Column("first loss", 4), ("loss", "first")),
    (Column("final loss", 4), ("loss", "final")),
    (Column("seconds", 0), ("seconds",)),
)


def section(runs: FinishedRuns) -> PagePart:
    """A frame of loss curves for every model and question, and a table of all students."""
    key = slug(f"runs-{runs.name}")
    made = PagePart(
        "training",
        key,
        f"Training of {', '.join(dict.fromkeys(student.model for student in runs.students))}",
        runs.name,
        "",
    )
    documents = {student.label: student_run.result(student.folder) for student in runs.students}
    if runs.unfinished:
        made.notes.append(f"Unfinished and left out: {', '.join(runs.unfinished)}.")
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for student in runs.students:
        groups.setdefault((student.model, student.rq, student.source), []).append(student)
    pictures = [_losses(key, group, students) for group, students in groups.items()]
    heads = (Column("student"), Column("question"), Column("source"), Column("subset"), Column("draw"), Column("seed"))
    lines = [
        (
            student.model,
            student.rq,
            student.source,
            student.subset,
            student.draw,
            student.seed,
            *(_fact(documents[student.label], path) for _, path in FACTS),
        )
        for student in runs.students
    ]
    made.command = _command(runs, documents)
    made.data = {
        "losses": [picture for picture in pictures if picture],
        "table": captioned(
            f"{key}-students",
            f"{len(lines):,} students",
            (*heads, *(column for column, _ in FACTS)),
            lines,
            copies=True,
        ),
        "settings": _settings(key, documents),
    }
    return made


def _losses(key: str, group: tuple[str, str, str], students: list[Any]) -> Picture | None:
    lines, table = [], []
    for student in students:
        found = [(row["current_steps"], row["loss"]) for row in log_rows(student.weights)]
        table += [(student.subset, student.draw, student.seed, step, loss) for step, loss in found]
        every = max(1, -(-len(found) // POINTS))
        thinned = found[::every] if found[::every][-1:] == found[-1:] else [*found[::every], *found[-1:]]
        if thinned:
            lines.append(
                Line(
                    f"{student.subset}, draw {student.draw or 1}, seed {student.seed}",
                    student.subset,
                    TERTILES.get(student.subset),
                    thinned,
                )
            )
    if not lines:
        return None
    named = " ".join(word for word in group if word)
    own, title = slug(f"{key}-loss-{named}"), f"Training loss, {named}, n = {len(lines)} runs"
    ends = "; ".join(f"{line.name}: {line.points[0][1]:.3f} to {line.points[-1][1]:.3f}" for line in lines[:12])
    heads = (Column("subset"), Column("draw"), Column("seed"), Column("step", "count"), Column("loss", 4))
    return Picture(
        own,
        title,
        curves(own, title, f"Curves of the loss by step. {ends}.", lines, ("optimisation step", "training loss")),
        DataTable(f"{own}-table", f"{title}: last logged losses", heads, _last(table)),
    )


def _last(table: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The first and the last logged loss of every run."""
    runs: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in table:
        runs.setdefault(row[:3], []).append(row)
    return [row for own in runs.values() for row in ([own[0], own[-1]] if len(own) > 1 else own)]


def _settings(key: str, documents: dict[str, Any]) -> DataTable:
    """The settings that every student shares, and that they differ in some where they do."""
    seen: dict[str, set[str]] = {}
    for run in documents.values():
        for name, value in run["plan"]["settings"].items():
            seen.setdefault(name, set()).add(str(value))
    lines = [
        (name, values.pop() if len(values) == 1 else f"{len(values)} values: {', '.join(sorted(values)[:6])}")
        for name, values in seen.items()
    ]
    return DataTable(f"{key}-settings", "Settings of the training", (Column("setting"), Column("value")), lines)


def _command(runs: FinishedRuns, documents: dict[str, Any]) -> str:
    """train.py with what the runs have in common."""
    students = sorted({student.model for student in runs.students})
    seeds = sorted({student.seed for student in runs.students})
    models = sorted({str(run["plan"]["student"].get("model")) for run in documents.values()})
    finetuning = sorted({name.rpartition("-")[2] for name in students})
    return " ".join(
        [
            "python Code/training/train.py --partitions",
            "...",
            "--student",
            *models,
            "--finetuning",
            *finetuning,
            "--seed",
            *map(str, seeds),
            "--output_dir",
            runs.name,
        ]
    )


def _fact(run: dict[str, Any], path: tuple[str, ...]) -> Any:
    """What stands at the end of a path of keys; None where it is not there."""
    found: Any = run
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found
