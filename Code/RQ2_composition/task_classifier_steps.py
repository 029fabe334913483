"""From records to categories: the steps of task_classifier.py."""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from seedkit import figures, partition
from seedkit.cli import say
from seedkit.display import table, written_to
from seedkit.embed import EncoderSpec, encoder_specs
from seedkit.embedding_store import embed
from seedkit.manifest import versions
from seedkit.partition import ScoredRows, check_spread
from seedkit.records import QUERY_DESCRIPTION, json_lines
from seedkit.sources import Source, arguments

from RQ2_composition.categories import (
    CATEGORIES,
    TASK_INSTRUCTION,
    TOPIC_INSTRUCTION,
    Assignment,
    assign,
    described,
    task_type,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STAGE = "RQ2_classification"
# The columns that a record gets, as the manifest names them: its category, the group of that category, and the lowest
# and highest value of the others.
COLUMNS = {
    "category": "assigned_category",
    "group": "task_type",
    "ranges": {"category_similarity": [-1.001, 1.001], "category_margin": [0, 2.001]},  # of cosines, rounded
}
LOOKS = {"algorithmic": (figures.DARK, ""), "practical": (figures.LIGHT, "//")}  # colour and hatch


@dataclass(frozen=True)
class Encoders:
    """The encoder of the tasks, that of the prototypes, and the prototypes of each category."""

    tasks: EncoderSpec
    topics: EncoderSpec
    kind: str
    prototypes: dict[str, tuple[str, ...]]

    @property
    def texts(self) -> list[str]:
        return [text for category in CATEGORIES for text in self.prototypes[category]]

    @property
    def owner(self) -> list[int]:
        return [number for number, category in enumerate(CATEGORIES) for _ in self.prototypes[category]]


def encoders(args: argparse.Namespace) -> Encoders:
    """The encoder and the prototypes that the flags ask for; says what was chosen."""
    tasks, topics = encoder_specs(args, TASK_INSTRUCTION, TOPIC_INSTRUCTION)
    kind = args.prototypes or ("described" if tasks.identity["encoder"] == "minilm" else "names")
    say(f"prototypes: {kind}")
    names: dict[str, tuple[str, ...]] = {category: (category,) for category in CATEGORIES}
    return Encoders(tasks, topics, kind, described() if kind == "described" else names)


def chart_names(classified: str) -> list[str]:
    """The files of the chart beside the classified records."""
    return figures.names(Path(classified).stem)


def classify(source: Source, name: str, encoders: Encoders, args: argparse.Namespace) -> str:
    """Embed, assign and write, the manifest last; returns the closing table."""
    store = source.folder.store
    texts = {number: record.query for number, record in enumerate(source.records) if record.query.strip()}
    reasons = [None if number in texts else "the instruction is empty" for number in range(len(source.records))]
    found = partition.scored_rows(source, reasons, args.max_failure_rate)
    topics = dict(enumerate(encoders.texts))
    prototypes = embed(
        encoders.topics, topics, list(topics.values()), store, "prototypes", label="prototypes", resume=args.resume
    )
    ids = [record.id for record in source.records]
    tasks = embed(encoders.tasks, texts, ids, store, "tasks", label=f"{source.name} tasks", resume=args.resume)
    result = assign(tasks.vectors[found.scored], prototypes.vectors, np.array(encoders.owner))
    if len(found.scored) > 2:
        check_spread(result.similarity.astype(np.float64), "category_similarity")
    source.folder.write(name, json_lines(_rows(source, found, result)))
    counts = Counter(CATEGORIES[number] for number in result.category.tolist())
    figures.write(source.folder, Path(name).stem, _chart(source, counts))
    partition.write_left_out(source, found)
    source.folder.finish(_manifest(source, found, name, counts, encoders, args))
    return "\n".join([_table(source, found, result, counts), written_to(source.folder.path)])


def _rows(source: Source, found: ScoredRows, result: Assignment) -> Iterator[dict[str, Any]]:
    columns = (found.scored, result.category, result.similarity, result.margin)
    for number, category, similarity, margin in zip(*(column.tolist() for column in columns), strict=True):
        record = source.records[number]
        yield {
            "id": record.id,
            "instruction": record.instruction,
            "input": record.input,
            "output": record.output,
            "assigned_category": CATEGORIES[category],
            "category_similarity": round(similarity, 6),
            "category_margin": round(margin, 6),
            "task_type": task_type(CATEGORIES[category]),
        }


def _chart(source: Source, counts: Counter[str]) -> "Figure":
    """The records of each category as bars, with count and share beside each."""
    total = counts.total()
    figure, plot = figures.axes(9, 4.5)
    for kind, (colour, hatch) in LOOKS.items():
        names = [category for category in CATEGORIES if task_type(category) == kind]
        values = [counts[category] for category in names]
        label = f"{kind}: {figures.counted(sum(values), total)}"
        bars = plot.barh(names, values, color=colour, hatch=hatch, edgecolor="white", label=label)
        plot.bar_label(bars, [figures.counted(value, total) for value in values], padding=3)
    plot.margins(x=0.15)
    plot.invert_yaxis()
    plot.set_xlabel("records")
    plot.legend(frameon=False)
    figures.titled(plot, "Instructions by category of task", source.name, total)
    return figure


def _table(source: Source, found: ScoredRows, result: Assignment, counts: Counter[str]) -> str:
    total = len(found.scored)
    rows = []
    for number, category in enumerate(CATEGORIES):
        margins = result.margin[result.category == number]
        margin = f"{np.median(margins):.3f}" if len(margins) else "-"
        rows.append([category, task_type(category), f"{counts[category]:,}", _share(counts[category], total), margin])
    for kind in LOOKS:
        count = sum(counts[category] for category in CATEGORIES if task_type(category) == kind)
        rows.append([f"all {kind}", "", f"{count:,}", _share(count, total), ""])
    left_out = len(found.failed) + len(source.rejects)
    head = f"\n{source.name}: {total:,} records classified" + (
        f", {left_out:,} in {source.folder.rejects}" if left_out else ""
    )
    return f"{head}\n{table(['category', 'type', 'n', 'share', 'median margin'], rows)}"


def _share(count: int, total: int) -> str:
    return f"{count / total:.1%}" if total else "-"


def _manifest(
    source: Source, found: ScoredRows, name: str, counts: Counter[str], encoders: Encoders, args: argparse.Namespace
) -> dict[str, Any]:
    return {
        **source.describe(),
        "arguments": arguments(args, "max_failure_rate"),
        "models": {"tasks": encoders.tasks.identity, "prototypes": encoders.topics.identity},
        "prototypes": {
            "kind": encoders.kind,
            "count": len(encoders.texts),
            "sha256": sha256("\0".join(encoders.texts).encode()).hexdigest(),
        },
        "embedded_text": QUERY_DESCRIPTION,
        "versions": versions(
            "instructiondata", "numpy", "torch", "transformers", "sentence-transformers", "matplotlib"
        ),
        "counts": partition.counts(source, found, "classified"),
        "classified": {
            "file": name,
            "columns": COLUMNS,
            "categories": {
                category: {"task_type": task_type(category), "records": counts[category]} for category in CATEGORIES
            },
        },
    }
