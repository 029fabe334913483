"""From records to the subsets that others must beat: the steps of baseline_subsets.py, each a function of plain data."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from seedkit.display import table
from seedkit.errors import InputError, RunError, UsageError
from seedkit.files import file_facts
from seedkit.manifest import versions
from seedkit.records import json_lines, record_line
from seedkit.score_store import Score, ScoreStore
from seedkit.sources import Source, arguments, describe_file, duplicate_texts, empty_outputs, write_rejects
from seedkit.stage import ModelSpec, score_texts
from seedkit.subsets import shuffled
from seedkit.token_counts import token_counts

from baselines.greedy import far_apart
from baselines.scorers import IFD, QUALITY, pair_text

STAGE = "baselines"
SCORES = "baseline_scores.jsonl"
OWN_ARGUMENTS = ("method", "size", "num_samples", "seed", "quality", "min_distance", "max_failure_rate")
Numbers = NDArray[np.float64]  # a value for every record, NaN where it has none
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What RQ1 and RQ3 say of a source's records, where quality_diversity is asked for."""

    complexity: Numbers | None = None  # the semantic score, 0 to 5
    vectors: NDArray[np.float32] | None = None  # (records, dimension), unit length, NaN where there is none
    files: dict[str, Any] = field(default_factory=dict)  # as the manifest names them


@dataclass(frozen=True, slots=True)
class ChosenSubset:
    """One subset of a source: its records, in the order in which they are written."""

    name: str
    method: str
    rows: Rows
    column: str | None = None  # of the scores, by which it was chosen
    note: str | None = None  # what a reader has to know besides


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


def size_of(wanted: str, records: int) -> int:
    """How many records a subset has: a third (rounded down), a number, or a share of them. Raises UsageError."""
    if wanted == "tertile":
        return records // 3
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 and int(wanted) > 0:
        return int(wanted)
    try:
        share = float(wanted)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise UsageError(f"--size {wanted}: expected tertile, a number of records, or a share between 0 and 1")
    return max(1, int(share * records + 1e-9))


def identity(args: argparse.Namespace) -> dict[str, Any]:
    """What an earlier run must have had in common for this one to replace its files unasked."""
    return {"arguments": {name: getattr(args, name) for name in ("method", "size", "num_samples", "seed", "quality")}}


def diversity_method(args: argparse.Namespace) -> str:
    """What quality_diversity is called: without a quality model it is the complexity that is made diverse."""
    return "quality_diversity" if args.quality == "model" else "complexity_diversity"


def file_names(args: argparse.Namespace) -> list[str]:
    """The files that a run may write, in the order of the methods."""
    names = []
    for method in args.method:
        if method == "random":
            names += [random_name(sample) for sample in range(1, args.num_samples + 1)]
        else:
            names.append(subset_name(diversity_method(args) if method == "quality_diversity" else method))
    return [*names, SCORES]


def subset_name(method: str) -> str:
    return f"BASELINE_{method.upper()}.jsonl"


def random_name(sample: int) -> str:
    return f"BASELINE_RANDOM_random_sample_{sample}.jsonl"


def further_inputs(args: argparse.Namespace) -> list[Path]:
    """The files that are read besides the records."""
    return [path for path in (args.complexity_scores, args.embeddings) if path is not None]


def read_knowledge(source: Source, args: argparse.Namespace) -> Knowledge:
    """Complexity and vectors of the source's records, matched by id.

    Raises InputError where a file cannot be read, is of another form, or lacks a record.
    """
    wanted = size_of(args.size, len(source.records))
    if not 0 < wanted <= len(source.records):
        raise InputError(f"{source.path}: {len(source.records)} records, expected at least --size {args.size} and one")
    if "quality_diversity" not in args.method:
        return Knowledge()
    ids = [record.id for record in source.records]
    sidecar = args.embeddings.with_suffix(".json")
    files = {
        path.name: describe_file(path, file_facts(path))
        for path in (args.complexity_scores, args.embeddings, sidecar)
        if path.exists()
    }
    return Knowledge(
        np.array(_in_order(ids, _semantic(args.complexity_scores), args.complexity_scores), dtype=np.float64),
        _vectors(ids, args.embeddings, sidecar),
        files,
    )


def _semantic(path: Path) -> dict[str, float]:
    """The semantic difficulty of each record that has one, by id; NaN for the others."""
    found = {}
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = orjson.loads(line)
                    value = row["semantic"]
                    found[str(row["id"])] = float("nan") if value is None else float(value)
                except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                    raise InputError(
                        f'{path}:{number}: expected a row of RQ1\'s complexity_scores.jsonl with "id" and "semantic"'
                    ) from None
    except OSError as error:
        raise InputError(f"--complexity_scores {path}: cannot be read: {error.strerror}") from None
    return found


def _vectors(ids: Sequence[str], path: Path, sidecar: Path) -> NDArray[np.float32]:
    """The records' vectors; a memory map where the file has the same records in the same order."""
    try:
        vectors: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
        names = [str(name) for name in orjson.loads(sidecar.read_bytes())["ids"]]
    except OSError as error:
        raise InputError(f"--embeddings {path}: cannot be read: {error.strerror or error}: {error.filename}") from None
    except (ValueError, KeyError, TypeError, EOFError):
        raise InputError(
            f"--embeddings {path}: expected RQ3's embeddings.npy with its sidecar {sidecar.name}"
        ) from None
    if vectors.ndim != 2 or len(vectors) != len(names):
        raise InputError(f"--embeddings {path}: expected {len(names)} rows as in {sidecar.name}, got {vectors.shape}")
    if names == list(ids):
        return vectors
    rows = _in_order(ids, {name: row for row, name in enumerate(names)}, path)
    return vectors[np.array(rows, dtype=np.int64)]


def _in_order(ids: Sequence[str], values: Mapping[str, Any], path: Path) -> list[Any]:
    missing = [id_ for id_ in ids if id_ not in values]
    if missing:
        raise InputError(
            f"{path}: {len(missing):,} of {len(ids):,} records are not in it, e.g. {missing[0]}; expected a file made from "
            "the same records"
        )
    return [values[id_] for id_ in ids]


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
    source.folder.finish(_manifest(source, subsets, failed, known, plan, args))
    rows = [[one.name, f"{len(one.rows):,}", *_range(columns, one)] for one in subsets]
    return "\n".join(
        [
            f"\n{source.name}: {len(source.records):,} records",
            table(["subset", "n", "by", "lowest", "highest"], rows),
            *(f"{one.name}: {one.note}" for one in subsets if one.note),
            f"written to {source.folder.path}",
        ]
    )


def choose(
    records: int, columns: Mapping[str, Numbers], known: Knowledge, args: argparse.Namespace
) -> list[ChosenSubset]:
    """The subsets that the methods choose, of --size records each where there are so many.

    Equal scores keep the input's order. `columns` are scores by name, each of shape (records,).
    """
    size = size_of(args.size, records)
    found = []
    for method in args.method:
        if method == "random":
            for sample in range(1, args.num_samples + 1):
                rows = shuffled(records, args.seed, sample).order[:size]
                found.append(ChosenSubset(random_name(sample), method, rows))
        elif method in ("longest", "shortest"):
            sign = -1 if method == "longest" else 1
            rows = ranked(sign * columns["answer_tokens"])[:size]
            found.append(ChosenSubset(subset_name(method), method, np.sort(rows), "answer_tokens"))
        elif method == "ifd":
            useful = np.where(columns[IFD] < 1, columns[IFD], np.nan)
            rows = ranked(-useful)[:size]
            note = f"only {len(rows):,} records have an IFD below 1" if len(rows) < size else None
            found.append(ChosenSubset(subset_name(method), method, np.sort(rows), IFD, note))
        else:
            found.append(_diverse(columns["evol_score"], known, size, args))
    return found


def ranked(values: Numbers) -> Rows:
    """The rows with a value, in ascending order of it; equal values in the input's order."""
    order = np.argsort(values, kind="stable")
    return order[: int(np.isfinite(values).sum())].astype(np.int64)


def _diverse(evol: Numbers, known: Knowledge, size: int, args: argparse.Namespace) -> ChosenSubset:
    assert known.vectors is not None
    vectors = known.vectors
    order = ranked(-evol)
    order = order[np.isfinite(vectors[order, 0])]  # an empty instruction has no vector
    taken = far_apart(vectors, order, size, args.min_distance)
    note = f"{taken.looked_at:,} of {len(order):,} records were looked at, in descending order of the score"
    if len(taken.rows) < size:
        note += f"; only {len(taken.rows):,} are {args.min_distance:g} apart, not {size:,}: a lower --min_distance gives more"
    method = diversity_method(args)
    return ChosenSubset(subset_name(method), method, taken.rows, "evol_score", note)


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
