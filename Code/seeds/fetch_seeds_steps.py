"""From a release to SOURCE.jsonl: the steps of fetch_seeds.py."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from seedkit.cli import say
from seedkit.display import table
from seedkit.errors import InputError
from seedkit.files import file_facts, write_atomic
from seedkit.manifest import OutputFolder, documents, read_manifest, versions
from seedkit.records import json_lines
from seedkit.sources import describe_file

from seeds import hub_files
from seeds.cleaning import STEPS, clean
from seeds.releases import RELEASES, Release, local_file

STAGE = "seeds"
DOWNLOADS = ".downloads"  # inside the output folder; may be removed at any time
PARQUET_ROWS = 1000  # held at a time
FIELDS = ("id", "instruction", "input", "output", "source")  # what is read of a parquet file


@dataclass(frozen=True)
class LocatedRelease:
    """A release's file before it is read."""

    sha256: str | None  # None: not known
    commit: str | None  # None: not on the hub but in --from_dir
    get: Callable[[], Path]  # downloads it where it has to be


def find(source: str, args: argparse.Namespace) -> LocatedRelease:
    """Look for a release, on the hub or in --from_dir, without reading it.

    Raises:
        InputError: it is not there, or the hub is out of reach.
        RunError: the hub refuses.
    """
    if args.from_dir:
        path = local_file(source, args.from_dir)
        return LocatedRelease(None, None, lambda: path)
    release = RELEASES[source]
    remote = hub_files.locate(release.repo, release.file, args.revision.get(source, release.revision))
    return LocatedRelease(remote.sha256, remote.commit, lambda: hub_files.download(remote, args.output_dir / DOWNLOADS))


def fetch(source: str, located: LocatedRelease, inputs: list[Path], args: argparse.Namespace) -> dict[str, int]:
    """Write SOURCE.jsonl, its origins and rejects, and the manifest, unless an earlier run has made the same.

    Args:
        inputs: the local files of all sources; none of them is written over.

    Returns:
        How many records were read, left at each step, and were kept.

    Raises:
        InputError: the release cannot be read, or no record of it stays.
    """
    arguments = {"max_chars": args.max_chars, "near_duplicates": args.near_duplicates}
    if args.resume and located.sha256 and (counts := finished(source, located.sha256, arguments, args.output_dir)):
        return counts
    names = [f"{source}.jsonl", f"{source}_origin.jsonl", f"{source}_rejects.jsonl"]
    with OutputFolder(args.output_dir, STAGE, names, sources=inputs) as output:
        path = located.get()
        facts = file_facts(path)
        if args.resume and (counts := finished(source, facts.sha256, arguments, args.output_dir)):
            return counts
        say(f"{source}: cleaning {path}")
        release = RELEASES[source]
        with as_json(path, args.output_dir / DOWNLOADS) as readable:
            cleaned = clean(readable, release.repo, max_chars=args.max_chars, near_duplicates=args.near_duplicates)
        counts = cleaned.counts()
        if not counts["kept"]:
            raise InputError(f"{path}: expected records that stay, got none: {_summary(counts)}")
        output.write(names[0], cleaned.lines.all())
        output.write(names[1], cleaned.origins.all())
        if cleaned.rejects:
            output.write(names[2], cleaned.rejected())
        output.finish(
            {
                "source": source,
                "input": describe_file(path, facts),
                "release": _described(release, located.commit),
                "arguments": arguments,
                "versions": versions("instructiondata", "orjson", "pyarrow", "rensa"),
                "counts": counts,
            }
        )
    say(f"{source}: {_summary(counts)}")
    return counts


def finished(source: str, sha256: str, arguments: dict[str, Any], folder: Path) -> dict[str, int] | None:
    """The counts of an earlier run with the same input and arguments, if all of its files are as it left them."""
    try:
        outputs = documents(read_manifest(folder))
    except InputError:
        return None
    for output in outputs:
        read, counts = output.get("input"), output.get("counts")
        same = isinstance(read, dict) and read.get("sha256") == sha256 and output.get("arguments") == arguments
        if output.get("stage") != STAGE or output.get("source") != source or not same:
            continue
        if not isinstance(counts, dict) or set(counts) != {"read", *STEPS, "kept"}:
            return None
        for name, recorded in output["files"].items():
            if not (folder / name).is_file() or file_facts(folder / name).sha256 != recorded.get("sha256"):
                return None
        say(f"{source}: finished by an earlier run with the same input; --no-resume makes it anew")
        return dict(counts)
    return None


@contextmanager
def as_json(path: Path, folder: Path) -> Iterator[Path]:
    """The file itself, or for a parquet file its rows as JSON Lines in `folder`, removed at the end of the context."""
    if path.suffix != ".parquet":
        yield path
        return
    folder.mkdir(parents=True, exist_ok=True)
    rows = folder / f"{path.name}.jsonl"
    try:
        try:
            facts = write_atomic(rows, json_lines(_parquet_rows(path)))
        except orjson.JSONEncodeError as error:
            raise InputError(f"{path}: expected texts in {', '.join(FIELDS)}, got something else: {error}") from None
        if not facts.lines:
            raise InputError(f"{path}: expected rows of records, got none")
        yield rows
    finally:
        rows.unlink(missing_ok=True)


def _parquet_rows(path: Path) -> Iterable[dict[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            texts = [name for name in file.schema_arrow.names if name in FIELDS]
            for batch in file.iter_batches(PARQUET_ROWS, columns=texts):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path}: expected a parquet file of texts, got one that cannot be read: {error}") from None


def _described(release: Release, commit: str | None) -> dict[str, str | None]:
    return {"repository": release.repo, "file": release.file, "commit": commit}


def _summary(counts: dict[str, int]) -> str:
    """The counts in one line, without the steps at which no record left."""
    left = [f"{counts[step]:,} {step.replace('_', ' ')}" for step in STEPS if counts[step]]
    return f"{counts['read']:,} records read, {counts['kept']:,} kept" + (f"; {', '.join(left)}" if left else "")


def closing_table(counts: dict[str, dict[str, int]]) -> str:
    """A table with a column for each source: how many records were read, left at each step, and were kept."""
    rows = [
        [step.replace("_", " "), *(f"{own[step]:,}" for own in counts.values())] for step in ("read", *STEPS, "kept")
    ]
    return table(["", *counts], rows)
