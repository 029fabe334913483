"""What the parts have in common: the head of a section, texts by id, what was left out, and the command that made a folder."""

import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from seedkit.figures import TERTILES

from report.blocks import Column, DataTable, Excerpt, PagePart
from report.charts.distributions import Binned
from report.folders import FinishedOutput, rows, slug

TERTILE_NAMES = tuple(name for name, _, _ in TERTILES)
# the script of each stage, and the flag that gives it its input
SCRIPTS = {
    "RQ1_complexity": ("RQ1_complexity/complexity_scorer.py", "--input_file"),
    "RQ2_classification": ("RQ2_composition/task_classifier.py", "--input_file"),
    "RQ2_composition": ("RQ2_composition/composition_mixer.py", "--input_file"),
    "RQ3_density": ("RQ3_density/diversity_scorer.py", "--input_file"),
    "RQ4_breadth": ("RQ4_breadth/domain_mixer.py", "--input_file"),
    "baselines": ("baselines/baseline_subsets.py", "--input_file"),
    "answer_seeds": ("teacher/answer_seeds.py", "--input_file"),
    "decontamination": ("seeds/decontaminate.py", "--input_file"),
    "decontamination_report": ("seeds/decontaminate.py", "--report"),
    "evaluate_study": ("evaluation/evaluate_study.py", "--benchmark"),
    "generate": ("evaluation/generate.py", "--benchmark"),
    "grade": ("evaluation/grade.py", "--benchmark"),
}
GROUP = ("student", "question", "source", "benchmark")  # what the subsets of a table may have in common
DEFAULTS = {"max_failure_rate": 0.0, "on_bad_record": "error", "normalize": "minmax", "remove": False}


class RecordText(msgspec.Struct):
    """The texts of a record, without its answer."""

    id: str
    instruction: str
    input: str = ""

    @property
    def query(self) -> str:
        return f"{self.instruction}\n{self.input}" if self.input else self.instruction


class LeftOut(msgspec.Struct):
    """A line of a file of rejects, without the record."""

    line: int
    reason: str
    id: str | None = None


def texts(paths: Iterable[Path], wanted: Collection[str]) -> dict[str, str]:
    """The instruction, and the input where there is one, of the records with the `wanted` ids."""
    found = {}
    for path in paths:
        for record in rows(path, RecordText):
            if record.id in wanted:
                found[record.id] = record.query
    return found


def part(template: str, title: str, output: FinishedOutput) -> PagePart:
    """A section about a folder, still without data."""
    return PagePart(template, output.key, title, output.name, command(output))


def command(output: FinishedOutput) -> str:
    """The command that made a folder as its manifest tells it: inputs by their names alone, flags at their defaults left out."""
    script, flag = SCRIPTS.get(output.stage, ("", ""))
    if not script:
        return ""
    manifest = output.manifest
    words = ["python", f"Code/{script}"]
    if flag == "--benchmark":
        named = manifest.get("benchmarks") or {manifest.get("benchmark", ""): None}
        words += [flag, *named]
    elif flag == "--report":
        words += [flag, *dict.fromkeys(folder for _, folder, _ in manifest["reported"])]
    else:
        words += [flag, manifest["input"]["file"]]
    for domain, facts in manifest.get("domains", {}).items():
        words += [f"--{domain.lower()}_file", facts["file"]]
    if output.source:
        words += ["--source_name", output.source]
    for name, value in manifest.get("arguments", {}).items():
        if value is True:
            words.append(f"--{name}")
        elif isinstance(value, list):
            words += [f"--{name}", *map(str, value)]
        elif value is not None and value is not False and value != DEFAULTS.get(name):
            words += [f"--{name}", str(value)]
    return shlex.join([*words, "--output_dir", output.name])


def left_out_table(output: FinishedOutput) -> DataTable | None:
    """How many records were left out for which reason; None where none was. Numbers in the reasons are one and the same."""
    name = output.manifest.get("rejects", "rejects.jsonl")
    if name not in output.manifest["files"]:
        return None
    counts = Counter(alike(row.reason) for row in rows(output.folder / name, LeftOut))
    lines = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = lines[:12]
    if rest := sum(count for _, count in lines[12:]):
        shown.append((f"{len(lines) - 12} other reasons", rest))
    columns = (Column("reason"), Column("records", "count"))
    return DataTable(f"{output.key}-left-out", f"Left out, {sum(counts.values()):,} records ({name})", columns, shown)


def alike(reason: str) -> str:
    """A reason without the numbers and the texts that differ from record to record."""
    kind, colon, _ = reason.partition("it holds code: ")
    return f"{kind}it holds code" if colon else re.sub(r"\d+", "…", reason)


def summary_table(
    key: str, column: str, values: NDArray[np.float64], tertile: NDArray[np.int64], kind: str | int = 4
) -> DataTable:
    """Least, mean, median and largest of a score by tertile; values and tertiles (n,)."""
    lines = []
    for number, name in enumerate(TERTILE_NAMES, 1):
        own = values[tertile == number]
        lines.append((name, len(own), *(float(f(own)) for f in (np.min, np.mean, np.median, np.max))))
    columns = (
        Column("tertile"),
        Column("n", "count"),
        *(Column(what, kind) for what in ("min", "mean", "median", "max")),
    )
    return DataTable(
        slug(f"{key}-{column}-summary"), f"{column[:1].upper()}{column[1:]} by tertile", columns, lines, copies=True
    )


def bins_table(key: str, caption: str, data: Binned) -> DataTable:
    """The numbers behind a histogram."""
    columns = (Column("from", "value"), Column("to", "value"), *(Column(name, "count") for name in TERTILE_NAMES))
    edges = data.edges.tolist()
    lines = [
        (start, end, *counts) for start, end, counts in zip(edges[:-1], edges[1:], data.counts.T.tolist(), strict=True)
    ]
    return DataTable(f"{key}-bins", caption, columns, lines)


def borders(values: NDArray[np.float64], tertile: NDArray[np.int64]) -> list[float]:
    """Where the second and the third tertile begin."""
    return [float(values[tertile == number].min()) for number in (2, 3)]


def ranked(values: NDArray[np.float64], tertile: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """The indices of a tertile's records by ascending value; equal ones in the input's order."""
    own = np.flatnonzero(tertile == number)
    return own[np.argsort(values[own], kind="stable")]


def excerpt(heading: str, text: str | None) -> Excerpt:
    return Excerpt(heading, "(not found in the files of the folder)" if text is None else text)


def facts_table(key: str, manifest: Mapping[str, Any]) -> DataTable:
    """The counts of a manifest, nested ones with their names joined."""
    lines: list[tuple[str, Any]] = []
    for name, value in manifest.get("counts", {}).items():
        if isinstance(value, dict):
            lines += [(f"{name}: {inner}", count) for inner, count in value.items()]
        else:
            lines.append((name.replace("_", " "), value))
    return DataTable(f"{key}-counts", "Records", (Column("what"), Column("records", "count")), lines)


def sample(pick: Sequence[NDArray[np.int64]], each: int) -> NDArray[np.int64]:
    """At most `each` of every group of indices, evenly spread over the group, ascending."""
    chosen = [
        group[np.linspace(0, len(group) - 1, min(each, len(group))).astype(np.int64)] for group in pick if len(group)
    ]
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)


def captioned(
    key: str, caption: str, columns: Sequence[Column], lines: Sequence[Sequence[Any]], *, copies: bool = False
) -> DataTable:
    """A table whose caption says what stands in all of its rows alike, instead of a column for each."""
    same = [
        place
        for place, column in enumerate(columns)
        if column.name in GROUP and len({row[place] for row in lines}) == 1 and lines[0][place]
    ]
    if len(lines) < 2 or not same:
        return DataTable(key, caption, columns, lines, copies)
    kept = [place for place in range(len(columns)) if place not in same]
    told = ", ".join(str(lines[0][place]) for place in same)
    rest = [[row[place] for place in kept] for row in lines]
    return DataTable(key, f"{caption}: {told}", [columns[place] for place in kept], rest, copies)
