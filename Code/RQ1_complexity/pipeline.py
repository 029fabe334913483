"""From records to tertiles: the steps of complexity_scorer.py, each a function of plain data."""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seedkit.cli import say, table
from seedkit.errors import InputError, RunError
from seedkit.files import FileFacts, file_facts
from seedkit.manifest import OutputFolder, versions
from seedkit.records import Keys, Record, Reject, json_lines, read_records, record_line
from seedkit.score_store import Score, ScoreStore
from seedkit.stage import Part, Workers, score_texts
from seedkit.subsets import tertiles

from RQ1_complexity.combine import check_spread, combine, rank_correlation

STAGE = "RQ1_complexity"
TERTILE_FILES = tuple(f"RQ1_COMPLEXITY_{name}.jsonl" for name in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER"))
SCORES, REJECTS = "complexity_scores.jsonl", "rejects.jsonl"
PARTS = ("semantic", "linguistic")


@dataclass
class Data:
    """One source on its way: what was read, what was scored."""

    source: str
    path: Path
    facts: FileFacts
    folder: OutputFolder
    records: list[Record]
    rejects: list[Reject]
    scores: dict[str, list[Score]] = field(default_factory=dict)
    computed: int = 0
    reused: int = 0
    complexity: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    tertile: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


@contextmanager
def opened(jobs: Sequence[tuple[str, Path, Path]], args: argparse.Namespace) -> Iterator[list[Data]]:
    """Read every source and take its output folder, so that a mistake in the last one shows before hours of scoring."""
    keys = Keys(args.instruction_key, args.input_key, args.output_key)
    with ExitStack() as stack:
        sets = []
        for source, path, folder in jobs:
            rejects: list[Reject] = []
            bad = rejects if args.on_bad_record == "reject" else None
            records = list(read_records(path, keys, rejects=bad, limit=args.limit))
            facts = file_facts(path)
            output = stack.enter_context(OutputFolder(folder, STAGE, (*TERTILE_FILES, SCORES, REJECTS), source=path))
            data = Data(source, path, facts, output, records, rejects)
            say(f"{source}: {len(records):,} records from {path}" + (f", {len(rejects):,} rejected" if rejects else ""))
            if len(records) < 3:
                raise InputError(f"{path}: {len(records)} usable records, expected at least three to split in thirds")
            for count, what in ((duplicates(records), "duplicate texts"), (empty_outputs(records), "empty outputs")):
                if count:
                    say(f"{source}: {count:,} records with {what}, kept")
            sets.append(data)
        yield sets


def duplicates(records: Sequence[Record]) -> int:
    """How many records ask the same as an earlier one."""
    return len(records) - len({record.query for record in records})


def empty_outputs(records: Sequence[Record]) -> int:
    return sum(not record.output.strip() for record in records)


def score(sets: Sequence[Data], parts: dict[str, Part], resume: bool) -> None:
    """Fill in data.scores, one part after the other, so that only one model is in memory at a time."""
    for name, part in parts.items():
        with Workers(part.factory, part.devices, isolate=part.isolate) as workers:
            for data in sets:
                asked = [number for number, record in enumerate(data.records) if record.query.strip()]
                with ScoreStore(data.folder.folder / ".scores", name, part.identity, resume=resume) as store:
                    texts = [data.records[number].query for number in asked]
                    found, computed = score_texts(workers, texts, store, f"{data.source} {name}")
                scores = [Score(None, "the instruction is empty")] * len(data.records)
                for number, value in zip(asked, found, strict=True):
                    scores[number] = value
                data.scores[name] = scores
                data.computed += computed
                data.reused += len(set(texts)) - computed


def publish(data: Data, parts: dict[str, Part], args: argparse.Namespace) -> None:
    """Combine, check, split and write; the manifest last."""
    reasons = [
        next(
            (
                f"{part}: {data.scores[part][number].reason}"
                for part in PARTS
                if data.scores[part][number].value is None
            ),
            None,
        )
        for number in range(len(data.records))
    ]
    scored = np.array([number for number, reason in enumerate(reasons) if reason is None], dtype=np.int64)
    failed = [number for number, reason in enumerate(reasons) if reason is not None]
    if len(failed) > args.max_failure_rate * len(data.records) + 1e-6:  # 0.58 * 50 is a little less than 29
        first = failed[0]
        raise RunError(
            f"{data.path}:{data.records[first].line}: {reasons[first]}; {len(failed):,} of {len(data.records):,} records "
            f"have no score, more than --max_failure_rate {args.max_failure_rate:g} allows. Scores are kept: with "
            f"--max_failure_rate {_enough(len(failed), len(data.records))} it goes on from here, these records in {REJECTS}"
        )
    if len(scored) < 3:
        raise InputError(f"{data.path}: {len(scored)} records with a score, expected at least three to split in thirds")
    columns = {part: np.array([data.scores[part][n].value for n in scored], dtype=np.float64) for part in PARTS}
    for part, values in columns.items():
        check_spread(values, part)
    data.complexity = combine(columns["semantic"], columns["linguistic"], args.normalize)
    check_spread(data.complexity, "complexity")
    data.tertile = tertiles(data.complexity)

    place = {int(number): position for position, number in enumerate(scored)}
    for third, name in enumerate(TERTILE_FILES, 1):
        members = scored[data.tertile == third]
        data.folder.write(name, (record_line(data.records[number]) for number in members))
    data.folder.write(SCORES, json_lines(_rows(data, reasons, place)))
    rejects = data.rejects + [
        Reject(
            r.line,
            r.id,
            reasons[n] or "",
            {"id": r.id, "instruction": r.instruction, "input": r.input, "output": r.output},
        )
        for n in failed
        for r in [data.records[n]]
    ]
    if rejects:
        rejects.sort(key=lambda reject: reject.line)
        data.folder.write(
            REJECTS, json_lines({"line": r.line, "id": r.id, "reason": r.reason, "record": r.record} for r in rejects)
        )
    data.folder.finish(_manifest(data, parts, args, columns, len(failed)))


def _rows(data: Data, reasons: Sequence[str | None], place: dict[int, int]) -> Iterator[dict[str, Any]]:
    for number, record in enumerate(data.records):
        position = place.get(number)
        yield {
            "id": record.id,
            "line": record.line,
            **{part: data.scores[part][number].value for part in PARTS},
            "complexity": None if position is None else float(data.complexity[position]),
            "tertile": None if position is None else int(data.tertile[position]),
            "status": "failed" if position is None else "ok",
            "reason": reasons[number],
        }


def _readable(name: str) -> str:
    """A name from the command line or the disk, which need not be UTF-8, as text that is."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _enough(failed: int, records: int) -> str:
    """The smallest rate, to four decimals, that lets so many failures pass."""
    return f"{-(-failed * 10000 // records) / 10000:g}"


def _manifest(
    data: Data, parts: dict[str, Part], args: argparse.Namespace, columns: dict[str, NDArray[np.float64]], failed: int
) -> dict[str, Any]:
    names = ("normalize", "max_failure_rate", "on_bad_record", "limit", "instruction_key", "input_key", "output_key")
    return {
        "source": _readable(data.source),
        "input": {"file": _readable(data.path.name), "sha256": data.facts.sha256, "bytes": data.facts.bytes},
        "arguments": {name: getattr(args, name) for name in names},
        "models": {name: part.identity for name, part in parts.items()},
        "scored_text": "instruction, then a newline and input where input is not empty",
        "versions": versions("instructiondata", "numpy", "torch", "transformers", "sentence-transformers", "vllm"),
        "counts": {
            "records": len(data.records) + len(data.rejects),
            "scored": len(data.complexity),
            "failed": failed,
            "unreadable": len(data.rejects),
            "duplicate_texts": duplicates(data.records),
            "empty_outputs": empty_outputs(data.records),
        },
        "spearman_with_complexity": {
            part: round(rank_correlation(values, data.complexity), 4) for part, values in columns.items()
        },
        "tertiles": {"scores": SCORES, "column": "complexity", "files": list(TERTILE_FILES)},
    }


def report(data: Data) -> str:
    """The closing table of one source."""
    rows = []
    for third, name in enumerate(TERTILE_FILES, 1):
        values = data.complexity[data.tertile == third]
        rows.append([name, f"{len(values):,}", *(f"{f(values):.4f}" for f in (np.min, np.median, np.max))])
    scored = [n for n in range(len(data.records)) if all(data.scores[part][n].value is not None for part in PARTS)]
    shares = []
    for part in PARTS:
        column = np.array([data.scores[part][n].value for n in scored], dtype=np.float64)
        shares.append(f"{part} {rank_correlation(column, data.complexity):.2f}")
    left_out = len(data.records) + len(data.rejects) - len(scored)
    return "\n".join([
        f"\n{data.source}: {len(scored):,} records in thirds" + (f", {left_out:,} in {REJECTS}" if left_out else ""),
        table(["complexity", "n", "min", "median", "max"], rows),
        f"Spearman with the result: {', '.join(shares)}",
        f"written to {data.folder.folder}",
    ])  # fmt: skip
