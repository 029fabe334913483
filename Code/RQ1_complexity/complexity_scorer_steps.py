"""From records to tertiles: the steps of complexity_scorer.py, each a function of plain data."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from seedkit import partition
from seedkit.manifest import versions
from seedkit.partition import ScoredRows, Tertiles, check_spread
from seedkit.score_store import Score, ScoreStore
from seedkit.sources import Source
from seedkit.stage import ModelSpec, Workers, score_texts

from RQ1_complexity.combine import combine, rank_correlation

STAGE = "RQ1_complexity"
TERTILE_FILES = tuple(f"RQ1_COMPLEXITY_{name}.jsonl" for name in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER"))
SCORES = "complexity_scores.jsonl"
PARTS = ("semantic", "linguistic")


@dataclass
class Scored:
    """The scores of one source, part by part, in the order of its records."""

    source: Source
    scores: dict[str, list[Score]] = field(default_factory=dict)
    computed: int = 0
    reused: int = 0

    def reason(self, number: int) -> str | None:
        """Why a record has no complexity, or None where it has one."""
        missing = (part for part in PARTS if self.scores[part][number].value is None)
        part = next(missing, None)
        return part and f"{part}: {self.scores[part][number].reason}"


def score(sources: Sequence[Source], parts: dict[str, ModelSpec], resume: bool) -> list[Scored]:
    """Score all sources, one part after the other, so that only one model is in memory at a time."""
    sets = [Scored(source) for source in sources]
    for name, part in parts.items():
        with Workers(part.factory, part.devices, isolate=part.isolate) as workers:
            for data in sets:
                records = data.source.records
                asked = [number for number, record in enumerate(records) if record.query.strip()]
                with ScoreStore(data.source.folder.folder / ".scores", name, part.identity, resume=resume) as store:
                    texts = [records[number].query for number in asked]
                    found, computed = score_texts(workers, texts, store, f"{data.source.name} {name}")
                scores = [Score(None, "the instruction is empty")] * len(records)
                for number, value in zip(asked, found, strict=True):
                    scores[number] = value
                data.scores[name] = scores
                data.computed += computed
                data.reused += len(set(texts)) - computed
    return sets


def publish(data: Scored, parts: dict[str, ModelSpec], args: argparse.Namespace) -> str:
    """Combine, check, split and write, the manifest last; returns the closing table."""
    source = data.source
    reasons = [data.reason(number) for number in range(len(source.records))]
    found = partition.scored_rows(source, reasons, args.max_failure_rate)
    columns = {part: np.array([data.scores[part][n].value for n in found.scored], dtype=np.float64) for part in PARTS}
    partition.check_enough(source, found)
    for part, values in columns.items():
        check_spread(values, part)
    complexity = combine(columns["semantic"], columns["linguistic"], args.normalize)
    thirds = partition.split("complexity", TERTILE_FILES, SCORES, complexity)
    partition.write_tertiles(source, found, thirds, {part: [s.value for s in data.scores[part]] for part in PARTS})
    correlation = {part: rank_correlation(values, complexity) for part, values in columns.items()}
    source.folder.finish(_manifest(source, found, thirds, parts, args, correlation))
    return "\n".join(
        [
            partition.report(source, found, thirds),
            f"Spearman with the result: {', '.join(f'{part} {rho:.2f}' for part, rho in correlation.items())}",
            f"written to {source.folder.folder}",
        ]
    )


def _manifest(
    source: Source,
    found: ScoredRows,
    thirds: Tertiles,
    parts: dict[str, ModelSpec],
    args: argparse.Namespace,
    correlation: dict[str, float],
) -> dict[str, object]:
    names = ("normalize", "max_failure_rate", "on_bad_record", "limit", "instruction_key", "input_key", "output_key")
    return {
        **source.describe(),
        "arguments": {name: getattr(args, name) for name in names},
        "models": {name: part.identity for name, part in parts.items()},
        "scored_text": "instruction, then a newline and input where input is not empty",
        "versions": versions("instructiondata", "numpy", "torch", "transformers", "sentence-transformers", "vllm"),
        **partition.describe(source, found, thirds),
        "spearman_with_complexity": {part: round(rho, 4) for part, rho in correlation.items()},
    }
