"""From a release to SOURCE.jsonl: the steps of fetch_seeds.py."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
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
from seeds.releases import RELEASES, Release, local_files

STAGE = "seeds"
HUB, RECORD, UNVERIFIED = "hub", "download record", "unverified"  # what a file was compared with
DOWNLOADS = ".downloads"  # inside the output folder; may be removed at any time
PARQUET_ROWS = 1000  # held at a time
FIELDS = ("id", "instruction", "input", "output", "source")  # what is read of a parquet file


@dataclass(frozen=True)
class LocatedRelease:
    """A release's file before it is read."""

    sha256: str | None  # None: not known
    commit: str | None  # None: not known
    check: str  # HUB, RECORD or UNVERIFIED
    get: Callable[[], Path]  # downloads it where it has to be


def find(args: argparse.Namespace) -> dict[str, LocatedRelease]:
    """Look for every release, on the hub or in --from_dir, and say which of the latter nothing vouches for.

    Raises:
        InputError: one is not there, or is not what was downloaded, or the hub is out of reach.
        RunError: the hub refuses.
    """
    if args.from_dir:
        paths = local_files(args.sources, args.from_dir)
        return {source: _local(source, path, args.from_dir) for source, path in paths.items()}
    return {source: _remote(source, args) for source in args.sources}


def _local(source: str, path: Path, folder: Path) -> LocatedRelease:
    commit = hub_files.recorded_commit(path, folder)
    if commit is None:
        say(
            f"{source}: {path} is {UNVERIFIED}: there is no download record of {RELEASES[source].repo} to compare it with"
        )
    return LocatedRelease(None, commit, RECORD if commit else UNVERIFIED, lambda: path)


def _remote(source: str, args: argparse.Namespace) -> LocatedRelease:
    release = RELEASES[source]
    remote = hub_files.locate(release.repo, release.file, args.revision.get(source, release.revision))
    get = partial(hub_files.download, remote, args.output_dir / DOWNLOADS)
    return LocatedRelease(remote.sha256, remote.commit, HUB, get)


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
    made_of = {"arguments": arguments, "check": located.check}
    if args.resume and located.sha256 and (counts := finished(source, located.sha256, made_of, args.output_dir)):
        return counts
    names = [f"{source}.jsonl", f"{source}_origin.jsonl", f"{source}_rejects.jsonl"]
    with OutputFolder(args.output_dir, STAGE, names, sources=inputs) as output:
        path = located.get()
        facts = file_facts(path)
        if args.resume and (counts := finished(source, facts.sha256, made_of, args.output_dir)):
            return counts
        say(f"{source}: cleaning {path}")
        release = RELEASES[source]
        origin = release.repo if located.check != UNVERIFIED else f"{UNVERIFIED}: {path.name}"
        with (
            as_json(path, args.output_dir / DOWNLOADS) as readable,
            clean(readable, origin, scratch=args.output_dir, **arguments) as cleaned,
        ):
            counts = cleaned.counts()
            if not counts["kept"]:
                raise InputError(f"{path}: expected records that stay, got none: {_summary(counts)}")
            output.write(names[0], cleaned.lines())
            output.write(names[1], cleaned.origins())
            if counts["read"] > counts["kept"]:
                output.write(names[2], cleaned.rejects())
        output.finish(
            {
                "source": source,
                "input": describe_file(path, facts),
                "release": _described(release, located),
                "arguments": arguments,
                "versions": versions("instructiondata", "orjson", "pyarrow", "rensa"),
                "counts": counts,
            }
        )
    say(f"{source}: {_summary(counts)}")
    return counts


def finished(source: str, sha256: str, made_of: dict[str, Any], folder: Path) -> dict[str, int] | None:
    """The counts of an earlier run with the same input, arguments and check, if all of its files are as it left them."""
    try:
        outputs = documents(read_manifest(folder))
    except InputError:
        return None
    for output in outputs:
        read, counts = output.get("input"), output.get("counts")
        same = isinstance(read, dict) and read.get("sha256") == sha256
        earlier = {"arguments": output.get("arguments"), "check": _check(output.get("release"))}
        if output.get("stage") != STAGE or output.get("source") != source or not same or earlier != made_of:
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


def _described(release: Release, located: LocatedRelease) -> dict[str, str | None]:
    return {"repository": release.repo, "file": release.file, "commit": located.commit, "check": located.check}


def _check(described: Any) -> str | None:
    """What the file of an earlier run was compared with; earlier releases named only the commit of a file of the hub."""
    if not isinstance(described, dict):
        return None
    return described.get("check", HUB if described.get("commit") else None)


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
