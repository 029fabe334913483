"""What was made of what, from the hashes in the manifests, and how many records were left out on the way."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from training import student_run

from report.blocks import Column, DataTable, Picture, visible
from report.charts.bars import Bar, bars
from report.charts.lineage import Node, lineage
from report.charts.svg import MIDDLE_, PLAIN
from report.folders import FinishedOutput, FinishedRuns, slug
from report.parts import composition, leakage
from report.parts.common import left_out_table

USED = ((PLAIN, False), (MIDDLE_, True))  # how records that are used and left out look
COLUMNS = ("Seeds", "Partitions", "Students", "Scores, checks")
CHECKS = ("evaluate_study", leakage.CONTAMINATION, leakage.REPORT, "generate", "grade")
NAMES = {
    "RQ1_complexity": "RQ1 complexity", "RQ2_classification": "RQ2 categories", "RQ2_composition": "RQ2 mixes",
    "RQ3_density": "RQ3 density", "RQ4_breadth": "RQ4 breadth", "decontamination": "Contamination",
    "decontamination_report": "Leakage", "evaluate_study": "Evaluation",
}  # fmt: skip


def picture(outputs: Sequence[FinishedOutput], runs: Sequence[FinishedRuns], keys: Mapping[str, str]) -> Picture:
    """Boxes for seeds, partitions, groups of students and scores; `keys` are the parts of the runs by folder."""
    seeds: dict[str, Node] = {}
    made: list[Node] = []
    by_file: dict[str, str] = {}  # the output that a file belongs to, by hash
    for output in outputs:
        for facts in output.manifest["files"].values():
            by_file.setdefault(str(facts.get("sha256")), output.key)
    for output in outputs:
        parents = []
        for facts in _inputs(output):
            sha256 = str(facts["sha256"])
            if sha256 in by_file and by_file[sha256] != output.key and not output.manifest.get("input_is_here"):
                parents.append(by_file[sha256])
                continue
            key = f"seeds-{sha256[:12]}"
            lines = [str(facts["file"]), f"{facts['bytes']:,} bytes", f"sha256 {sha256[:10]}"]
            seeds.setdefault(key, Node(key, 0, [visible(line) for line in lines], "#records", ()))
            parents.append(key)
        if output.stage not in CHECKS:
            made.append(Node(output.key, 1, _lines(output), f"#{output.key}", list(dict.fromkeys(parents))))
        elif output.stage != "evaluate_study":
            made.append(Node(output.key, 3, _lines(output), f"#{output.key}", list(dict.fromkeys(parents))))
    groups, names = _students(runs, by_file, keys)
    scores = [
        Node(
            output.key,
            3,
            _lines(output),
            f"#{output.key}",
            list(
                dict.fromkeys(
                    names[label]
                    for one in output.manifest["results"]
                    if (label := f"{one['student']}/{one['name']}") in names
                )
            ),
        )
        for output in outputs
        if output.stage == "evaluate_study"
    ]
    nodes = [*seeds.values(), *made, *groups, *scores]
    used = [number for number in range(len(COLUMNS)) if any(node.column == number for node in nodes)]
    placed = [Node(one.key, used.index(one.column), one.lines, one.link, one.parents) for one in nodes]
    title = "Lineage: what was made of what"
    told = (
        "Boxes from left to right: "
        + ", ".join(COLUMNS[number].lower() for number in used)
        + ", with an arrow from each input."
    )
    table = DataTable(
        "lineage-table",
        "The boxes of the lineage",
        (Column("step"), Column("what"), Column("made from")),
        [(COLUMNS[one.column], ", ".join(one.lines), ", ".join(_named(nodes, one.parents))) for one in nodes],
    )
    return Picture(
        "lineage", title, lineage("lineage", title, told, placed, [COLUMNS[number] for number in used]), table
    )


def _named(nodes: Sequence[Node], keys: Sequence[str]) -> list[str]:
    return [node.lines[0] for node in nodes if node.key in keys]


def _inputs(output: FinishedOutput) -> list[dict[str, Any]]:
    """The files that an output was made from: seeds, or files of other outputs. Classified records stand for their seeds."""
    manifest = output.manifest
    origin = manifest.get("made_by") or {}
    own = origin.get("input") if output.stage == composition.COMPOSITION and origin else manifest.get("input")
    found = [own] if own else []
    return [*found, *manifest.get("domains", {}).values(), *manifest.get("inputs", [])]


def _lines(output: FinishedOutput) -> list[str]:
    """What a box says of an output."""
    manifest, counts = output.manifest, output.manifest.get("counts", {})
    lines = [" ".join(word for word in (NAMES.get(output.stage, output.stage), output.source) if word)]
    if "tertiles" in manifest:
        lines.append(f"{counts['scored']:,} in 3 tertiles")
    elif "classified" in manifest:
        lines.append(f"{counts['classified']:,} in categories")
    elif "mixes" in manifest:
        lines.append(f"{len(manifest['mixes']['files']):,} mixes")
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
    runs: Sequence[FinishedRuns], by_file: Mapping[str, str], keys: Mapping[str, str]
) -> tuple[list[Node], dict[str, str]]:
    """A box for the students of each model, question and source, and the box of each student by its label."""
    groups: dict[tuple[str, str, str, str], list[Any]] = defaultdict(list)
    for one in runs:
        for student in one.students:
            groups[keys[one.name], student.model, student.rq, student.source].append(student)
    nodes: list[Node] = []
    names: dict[str, str] = {}
    for (part, model, rq, source), students in groups.items():
        key = slug(f"students-{model}-{rq}-{source}-{part}")
        parents = [by_file.get(str(student_run.result(one.folder)["plan"]["data"]["sha256"])) for one in students]
        seeds = len({one.seed for one in students})
        lines = [model, f"{rq} {source}".strip() or "no question", f"{len(students)} students, seeds: {seeds}"]
        known = list(dict.fromkeys(parent for parent in parents if parent))
        nodes.append(Node(key, 2, [visible(line) for line in lines], f"#{part}", known))
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
    title = "Records used and left out"
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
