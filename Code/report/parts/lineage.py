"""What was made of what, from the hashes in the manifests, and how many records were left out on the way."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from training import student_run

from report.blocks import Column, DataTable, Picture, visible
from report.charts.bars import Bar, bars
from report.charts.lineage import LineageBox, lineage
from report.charts.svg import MIDDLE_INK, PLAIN, STRIPES
from report.folders import FinishedOutput, FinishedRuns, slug
from report.parts import leakage
from report.parts.common import left_out_table

USED = ((PLAIN, ""), (MIDDLE_INK, STRIPES))  # how records that are used and left out look
COLUMNS = ("Seeds and other files", "Partitions and checks", "Students and checks", "Scores")
SEEDS, PARTITIONS, STUDENTS, SCORES = range(len(COLUMNS))
NAMES = {
    "RQ1_complexity": "RQ1 complexity", "RQ2_classification": "RQ2 categories", "RQ2_composition": "RQ2 mixes",
    "RQ3_density": "RQ3 density", "RQ4_breadth": "RQ4 breadth", "decontamination": "Contamination",
    "decontamination_report": "Leakage", "evaluate_study": "Evaluation", "baselines": "Baselines",
    "answer_seeds": "Teacher answers", "verify_answers": "Verified answers",
}  # fmt: skip


def picture(outputs: Sequence[FinishedOutput], runs: Sequence[FinishedRuns], keys: Mapping[str, str]) -> Picture:
    """Boxes for seeds, partitions, groups of students and scores; `keys` are the parts of the runs by folder."""
    # the output that a file belongs to, by its name and hash
    makers = {
        (name, str(facts.get("sha256"))): output.key
        for output in reversed(outputs)
        for name, facts in output.manifest["files"].items()
    }
    groups, names = _students(runs, makers, keys)
    seeds: dict[str, LineageBox] = {}
    made: list[LineageBox] = []
    for output in outputs:
        parents: dict[str, None] = {}
        for facts in _inputs(output, makers):
            maker = makers.get(_named_file(facts))
            if maker is None:
                node = _seeds(facts)
                seeds.setdefault(node.key, node)
                maker = node.key
            parents[maker] = None
        for one in output.manifest.get("results", []):
            if group := names.get(f"{one['student']}/{one['name']}"):
                parents[group] = None
        column = SCORES if "results" in output.manifest else STUDENTS if output.stage == leakage.REPORT else PARTITIONS
        made.append(LineageBox(output.key, column, _lines(output), f"#{output.key}", list(parents)))
    nodes = [*seeds.values(), *_beside(made), *groups]
    used = [column for column in range(len(COLUMNS)) if any(node.column == column for node in nodes)]
    placed = [replace(one, column=used.index(one.column)) for one in nodes]
    heads = [COLUMNS[column] for column in used]
    title = "Lineage: what was made of what"
    told = f"Boxes from left to right: {', '.join(heads).lower()}, with an arrow from each input."
    labels = {node.key: node.lines[0] for node in nodes}
    lines = [(heads[one.column], ", ".join(one.lines), ", ".join(labels[key] for key in one.parents)) for one in placed]
    columns = (Column("step"), Column("what"), Column("made from"))
    table = DataTable("lineage-table", "The boxes of the lineage", columns, lines)
    return Picture("lineage", title, lineage("lineage", title, told, placed, heads), table)


def _named_file(facts: Mapping[str, Any]) -> tuple[str, str]:
    return str(facts["file"]), str(facts["sha256"])


def _seeds(facts: Mapping[str, Any]) -> LineageBox:
    """A box for a file that none of the outputs made."""
    file, sha256 = _named_file(facts)
    lines = [file, f"{facts['bytes']:,} bytes", f"sha256 {sha256[:10]}"]
    return LineageBox(f"seeds-{sha256[:12]}-{slug(file)}", SEEDS, [visible(line) for line in lines], "#records", ())


def _beside(nodes: Sequence[LineageBox]) -> list[LineageBox]:
    """The nodes with each that was made from another of its own column right after that one."""
    columns = {node.key: node.column for node in nodes}
    after: dict[str, list[LineageBox]] = {}
    first = []
    for node in nodes:
        parent = next((key for key in node.parents if columns.get(key) == node.column), None)
        if parent is None:
            first.append(node)
        else:
            after.setdefault(parent, []).append(node)
    return [one for node in first for one in (node, *after.get(node.key, []))]


def _inputs(output: FinishedOutput, known: Collection[tuple[str, str]]) -> list[dict[str, Any]]:
    """The files that an output was made from: seeds, or files of other outputs.

    Classified records that are none of the `known` files stand for the seeds that they were made from.
    """
    manifest = output.manifest
    own, origin = manifest.get("input"), (manifest.get("made_by") or {}).get("input")
    if own and origin and _named_file(own) not in known:
        own = origin
    return [*([own] if own else []), *manifest.get("domains", {}).values(), *manifest.get("inputs", [])]


def _lines(output: FinishedOutput) -> list[str]:
    """What a box says of an output."""
    manifest, counts = output.manifest, output.manifest.get("counts", {})
    lines = [" ".join(word for word in (NAMES.get(output.stage, output.stage), output.source) if word)]
    if "tertiles" in manifest:
        lines.append(f"{counts['scored']:,} in 3 tertiles")
    elif "classified" in manifest:
        lines.append(f"{counts['classified']:,} in {len(manifest['classified']['categories'])} categories")
    elif "mixes" in manifest:
        lines.append(f"{len(manifest['mixes']['files']):,} mixes")
    elif "chosen" in manifest:
        lines.append(f"{len(manifest['chosen']['files']):,} subsets")
    elif "answers" in counts:
        lines.append(f"{counts['answers']:,} answers")
    elif "results" in manifest:
        lines.append(f"{len(manifest['results']):,} results")
        lines.append(", ".join(manifest["benchmarks"]))
    elif "files" in counts:
        lines.append(f"{counts['files']:,} files searched")
    elif "flagged" in counts:
        lines.append(f"{counts['flagged']:,} of {counts['records']:,} flagged")
    left = left_out(output)
    if left:
        lines.append(f"{left:,} left out")
    lines.append(f"manifest {output.sha256[:10]}")
    return [visible(line) for line in lines]


def _students(
    runs: Sequence[FinishedRuns], makers: Mapping[tuple[str, str], str], keys: Mapping[str, str]
) -> tuple[list[LineageBox], dict[str, str]]:
    """A box for the students of each model, question and source, and the box of each student by its label."""
    groups: dict[tuple[str, str, str, str], list[Any]] = defaultdict(list)
    for one in runs:
        for student in one.students:
            groups[keys[one.name], student.model, student.rq, student.source].append(student)
    nodes: list[LineageBox] = []
    names: dict[str, str] = {}
    for (part, model, rq, source), students in groups.items():
        key = slug(f"students-{model}-{rq}-{source}-{part}")
        parents = [makers.get(_named_file(student_run.result(one.folder)["plan"]["data"])) for one in students]
        seeds = len({one.seed for one in students})
        lines = [model, f"{rq} {source}".strip() or "no question", f"{len(students)} students, seeds: {seeds}"]
        known = list(dict.fromkeys(parent for parent in parents if parent))
        nodes.append(LineageBox(key, STUDENTS, [visible(line) for line in lines], f"#{part}", known))
        names |= {one.label: key for one in students}
    return nodes, names


def left_out(output: FinishedOutput) -> int:
    """How many records of the input are in no result."""
    counts = output.manifest.get("counts", {})
    return (
        int(counts["left_out"])
        if "left_out" in counts
        else int(counts.get("failed", 0)) + int(counts.get("unreadable", 0))
    )


def used(output: FinishedOutput) -> int | None:
    """How many records went on; None for outputs that are about something else."""
    counts = output.manifest.get("counts", {})
    for name in ("scored", "classified"):
        if name in counts:
            return int(counts[name])
    if "mixes" in output.manifest:
        return sum(count for name, count in counts.items() if isinstance(count, int) and name != "left_out")
    return None


def flow(outputs: Sequence[FinishedOutput]) -> Picture | None:
    """Records that went into each output and those that were left out, with the reasons."""
    rows, marks = [], []
    for output in outputs:
        kept, left = used(output), left_out(output)
        if kept is None:
            continue
        reasons = left_out_table(output)
        why = "; ".join(f"{count:,} {reason}" for reason, count in (reasons.rows if reasons else ()))
        name = visible(f"{NAMES.get(output.stage, output.stage)} {output.source}")
        marks.append(Bar(name, (kept, left), f"{kept:,} used, {left:,} left out"))
        rows.append((name, kept + left, left, kept, why))
    if not rows:
        return None
    title = "Records that went into each output, and those that were left out on the way"
    told = "Stacked bars: " + "; ".join(f"{bar.name} {bar.words}" for bar in marks) + "."
    svg = bars("flow", title, told, marks, ("used", "left out"), "records", room=190, looks=USED)
    heads = (
        Column("output"),
        Column("read", "count"),
        Column("left out", "count"),
        Column("used", "count"),
        Column("why"),
    )
    return Picture("flow", title, svg, DataTable("flow-table", title, heads, rows, copies=True))
