"""Leakage of the tertiles and mixes in finished folders: decontaminate.py with --report."""

import argparse
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from seedkit.cli import say
from seedkit.errors import InputError
from seedkit.files import file_facts
from seedkit.manifest import OutputFolder, documents, read_manifest, subset_files
from seedkit.records import json_lines, read_records, record_id
from seedkit.sources import describe_file, readable
from seedkit.verify import file_faults

from seeds.decontaminate_steps import leakage_table, record_text, scanned, settings
from seeds.problem_index import Index
from seeds.problem_scan import Leakage, Text, leakage_by_benchmark

STAGE = "decontamination_report"
LEAKAGE = "leakage.jsonl"


def report(index: Index, args: argparse.Namespace) -> str:
    """Leakage of every tertile and mix in finished folders; a record that is in several files is searched once.

    Writes the table to --output_dir, if there is one, and returns it.
    """
    files = [(_names(folder, stage, path), path) for folder in args.report for stage, path in partition_files(folder)]
    paths = [path for _, path in files]
    sets, rows_of = _distinct(paths)
    say(f"{len(files)} files of {sum(map(len, rows_of)):,} records, {len(sets):,} of them different")
    size = len(sets), sum(path.stat().st_size for path in paths)
    scan, _ = scanned("report", index, _texts(paths, sets, rows_of), len(files), args, size)
    rows = []
    for number, (names, _) in enumerate(files):
        rows += [(names, line) for line in leakage_by_benchmark(index, scan, number, rows_of[number])]
    if args.output_dir:
        _write_report(rows, files, args)
    return leakage_table(rows, ("stage", "folder", "file"))


def _distinct(paths: Sequence[Path]) -> tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]]:
    """(for each different text the numbers of the files that have it; for each file the rows of its texts)"""
    sets: list[tuple[int, ...]] = []
    known: dict[str, int] = {}
    same: dict[tuple[int, ...], tuple[int, ...]] = {}  # so that equal sets are one object
    rows_of = [array("Q") for _ in paths]
    for number, path in enumerate(paths):
        for record in read_records(path):
            row = known.setdefault(record_id(record.instruction, record.input, record.output), len(sets))
            if row == len(sets):
                sets.append(())
            if sets[row][-1:] != (number,):
                more = (*sets[row], number)
                sets[row] = same.setdefault(more, more)
            rows_of[number].append(row)
    return sets, rows_of


def _texts(paths: Sequence[Path], sets: Sequence[Sequence[int]], rows_of: Sequence[Sequence[int]]) -> Iterator[Text]:
    """The different texts, each where it comes first: the files are read once more, so that none is held."""
    count = 0
    for path, rows in zip(paths, rows_of, strict=True):
        for row, record in zip(rows, read_records(path), strict=True):
            if row == count:
                yield Text(record_text(record), sets[row], record)
                count += 1


def partition_files(folder: Path) -> list[tuple[str, Path]]:
    """(stage, file) of the tertiles, mixes, baselines and classified records in a finished folder, as its manifest lists them."""
    found = []
    for output in documents(read_manifest(folder)):
        if fault := next(file_faults(folder, output), None):
            raise InputError(f"{fault}; expected a folder as its manifest says")
        try:
            names = subset_files(output)
            names += [output["classified"]["file"]] if "classified" in output else []
        except (InputError, KeyError, TypeError):
            names = [""]
        if not all(name in output["files"] for name in names):
            raise InputError(f"{folder}: its manifest names files of {output.get('stage')} that it does not list")
        found += [(str(output.get("stage", "")), folder / name) for name in names]
    if not found:
        raise InputError(
            f"{folder}: expected tertiles, mixes, baselines, parts of them or classified records, its manifest.json lists none"
        )
    return found


def _names(folder: Path, stage: str, path: Path) -> tuple[str, str, str]:
    return stage, readable(folder.resolve().name), readable(path.name)


def _write_report(
    rows: Sequence[tuple[Sequence[str], Leakage]], files: Sequence[tuple[Sequence[str], Path]], args: argparse.Namespace
) -> None:
    inputs = [path for _, path in files]
    read = [*inputs, *args.benchmarks]
    reported = {"reported": [names for names, _ in files]}
    with OutputFolder(
        args.output_dir, STAGE, (LEAKAGE,), sources=read, identity=reported, overwrite=args.overwrite
    ) as output:
        lines = ({**dict(zip(("stage", "folder", "file"), names, strict=True)), **asdict(row)} for names, row in rows)
        output.write(LEAKAGE, json_lines(lines))
        output.finish(
            {
                **settings(args),
                **reported,
                "inputs": [describe_file(path, file_facts(path)) for path in inputs],
                "counts": {"files": len(files), "rows": len(rows)},
            }
        )
    say(f"written to {args.output_dir}")
