"""From records to the subsets that others must beat: the steps of baseline_subsets.py, each a function of plain data."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from seedkit import partition
from seedkit.balance import balance, balance_report
from seedkit.display import table, written_to
from seedkit.errors import InputError, RunError, UsageError
from seedkit.manifest import versions
from seedkit.records import json_lines, record_line
from seedkit.score_store import Score, ScoreStore
from seedkit.sources import Source, arguments, duplicate_texts, empty_outputs, write_rejects
from seedkit.stage import ModelSpec, score_texts
from seedkit.token_counts import token_counts

from baselines.choosing import ChosenSubset, choose, diversity_method, random_name, size_of, subset_name
from baselines.knowledge import Knowledge, Numbers, read_knowledge
from baselines.scorers import QUALITY, pair_text

STAGE = "baselines"
SCORES = "baseline_scores.jsonl"
OWN_ARGUMENTS = ("method", "size", "num_samples", "seed", "quality", "min_distance", "max_failure_rate")


def check(args: argparse.Namespace) -> None:
    """Raise UsageError for flags that do not fit each other."""
    if args.method and len(set(args.method)) < len(args.method):
        raise UsageError(f"--method {' '.join(args.method)}: expected each method once")
    size_of(args.size, 3)
    needs = {"--complexity_scores": args.complexity_scores, "--embeddings": args.embeddings}
    wanted = "quality_diversity" in args.method
    for flag, value in needs.items():
        if wanted and value is None:
            raise UsageError(f"--method quality_diversity: expected {flag} FILE with it")
        if value is not None and not wanted:
            raise UsageError(f"{flag}: only quality_diversity reads it; add it to --method")
    if args.quality == "none" and args.quality_model:
        raise UsageError("--quality none and --quality_model contradict each other")
    if wanted and len(args.input_file or args.source_name or ("EVOL", "OSS")) != 1:
        raise UsageError("--method quality_diversity: expected one source, whose scores and embeddings the files hold")


def identity(args: argparse.Namespace) -> dict[str, Any]:
    """What an earlier run must have had in common for this one to replace its files unasked."""
    return {"arguments": {name: getattr(args, name) for name in ("method", "size", "num_samples", "seed", "quality")}}


def file_names(args: argparse.Namespace) -> list[str]:
    """The files that a run may write, in the order of the methods."""
    names = []
    for method in args.method:
        if method == "random":
            names += [random_name(sample) for sample in range(1, args.num_samples + 1)]
        else:
            names.append(subset_name(diversity_method(args) if method == "quality_diversity" else method))
    return [*names, SCORES]


def further_inputs(args: argparse.Namespace) -> list[Path]:
    """The files that are read besides the records."""
    return [path for path in (args.complexity_scores, args.embeddings) if path is not None]


def read(source: Source, args: argparse.Namespace) -> Knowledge:
    """What is known of the source's records. Raises InputError where there are fewer than --size, or a file does not fit."""
    wanted = size_of(args.size, len(source.records))
    if not 0 < wanted <= len(source.records):
        raise InputError(f"{source.path}: {len(source.records)} records, expected at least --size {args.size} and one")
    return read_knowledge(source, args)


def score(
    sources: Sequence[Source], plan: Mapping[str, ModelSpec[list[Score]]], resume: bool
) -> list[dict[str, list[Score]]]:
    """By source and measure the score of each record, one measure after the other so that one model is in memory."""
    found: list[dict[str, list[Score]]] = [{} for _ in sources]
    for measure, spec in plan.items():
        with spec.workers() as workers:
            for source, scores in zip(sources, found, strict=True):
                asked = [number for number, record in enumerate(source.records) if record.output.strip()]
                texts = [pair_text(source.records[number].query, source.records[number].output) for number in asked]
                with ScoreStore(source.folder.store, measure, spec.identity, resume=resume) as store:
                    values, _ = score_texts(workers, texts, store, f"{source.name} {measure}")
                scores[measure] = [Score(None, "the answer is empty")] * len(source.records)
                for number, value in zip(asked, values, strict=True):
                    scores[measure][number] = value
    return found


def publish(
    source: Source,
    scores: Mapping[str, list[Score]],
    known: Knowledge,
    plan: Mapping[str, ModelSpec[list[Score]]],
    args: argparse.Namespace,
) -> str:
    """Choose the subsets and write them, the manifest last; returns the closing table."""
    failed = _checked(source, scores, args.max_failure_rate)
    columns = {measure: _numbers(values) for measure, values in scores.items()}
    if any(method in args.method for method in ("longest", "shortest")):
        columns["answer_tokens"] = token_counts(record.output for record in source.records).astype(np.float64)
    if known.complexity is not None:
        quality = columns[QUALITY] + 1 if QUALITY in columns else np.ones(len(source.records))
        columns["evol_score"] = (known.complexity + 1) * quality
    subsets = choose(len(source.records), columns, known, args)
    members: dict[int, list[str]] = {}
    for subset in subsets:
        source.folder.write(subset.name, (record_line(source.records[row]) for row in subset.rows))
        for row in subset.rows.tolist():
            members.setdefault(row, []).append(subset.name)
    source.folder.write(SCORES, json_lines(_score_rows(source, scores, columns, members)))
    write_rejects(source.folder, source.rejects)
    apart = balance(partition.measure(source), ((one.name, one.rows) for one in subsets))
    source.folder.finish({**_manifest(source, subsets, failed, known, plan, args), "balance": apart})
    rows = [[one.name, f"{len(one.rows):,}", *_range(columns, one)] for one in subsets]
    return "\n".join(
        [
            f"\n{source.name}: {len(source.records):,} records",
            table(["subset", "n", "by", "lowest", "highest"], rows),
            *(f"{one.name}: {one.note}" for one in subsets if one.note),
            balance_report(apart["subsets"]),
            written_to(source.folder.path),
        ]
    )


def _checked(source: Source, scores: Mapping[str, list[Score]], max_failure_rate: float) -> dict[str, int]:
    """By measure, how many answers have no score although there is an answer. Raises RunError where they are too many."""
    failed = {}
    for measure, values in scores.items():
        numbers = [
            number
            for number, value in enumerate(values)
            if value.value is None and source.records[number].output.strip()
        ]
        if len(numbers) > max_failure_rate * len(values) + 1e-6:
            first = source.records[numbers[0]]
            raise RunError(
                f"{source.path}:{first.line}: {measure}: {values[numbers[0]].reason}; {len(numbers):,} of {len(values):,} "
                f"records have no score, more than --max_failure_rate {max_failure_rate:g} allows. Scores are kept: with "
                f"--max_failure_rate {-(-len(numbers) * 10000 // len(values)) / 10000:g} it goes on from here"
            )
        failed[measure] = len(numbers)
    return failed


def _numbers(scores: Sequence[Score]) -> Numbers:
    return np.array([np.nan if score.value is None else score.value for score in scores], dtype=np.float64)


def _range(columns: Mapping[str, Numbers], subset: ChosenSubset) -> list[str]:
    if subset.column is None or not len(subset.rows):
        return ["-", "-", "-"]
    values = columns[subset.column][subset.rows]
    return [subset.column, f"{values.min():.4g}", f"{values.max():.4g}"]


def _score_rows(
    source: Source,
    scores: Mapping[str, list[Score]],
    columns: Mapping[str, Numbers],
    members: Mapping[int, list[str]],
) -> Any:
    for number, record in enumerate(source.records):
        row: dict[str, Any] = {"id": record.id, "line": record.line}
        for name, values in columns.items():
            value = float(values[number])
            row[name] = None if np.isnan(value) else int(value) if name == "answer_tokens" else value
        reasons = {measure: found[number].reason for measure, found in scores.items() if found[number].reason}
        yield {**row, "reasons": reasons, "in": members.get(number, [])}


def _manifest(
    source: Source,
    subsets: Sequence[ChosenSubset],
    failed: Mapping[str, int],
    known: Knowledge,
    plan: Mapping[str, ModelSpec[list[Score]]],
    args: argparse.Namespace,
) -> dict[str, Any]:
    return {
        **source.describe(),
        "arguments": arguments(args, *OWN_ARGUMENTS),
        **({"further_inputs": known.files} if known.files else {}),
        "models": {measure: spec.identity for measure, spec in plan.items()},
        "versions": versions("instructiondata", "numpy", "torch", "transformers", "vllm", "tokenizers"),
        "counts": {
            "records": len(source.records) + len(source.rejects),
            "left_out": len(source.rejects),
            "unreadable": len(source.rejects),
            "duplicate_texts": duplicate_texts(source.records),
            "empty_outputs": empty_outputs(source.records),
            "without_score": dict(failed),
        },
        "chosen": {
            "scores": SCORES,
            "files": {
                one.name: {"method": one.method, "column": one.column, "records": len(one.rows)} for one in subsets
            },
        },
    }
