"""A data set on its way through a script: where it comes from, what was read, where its results go."""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from seedkit.cli import say
from seedkit.errors import InputError, UsageError
from seedkit.files import FileFacts, file_facts
from seedkit.json_values import form
from seedkit.manifest import OutputFolder
from seedkit.records import Keys, Record, Reject, json_lines, read_records

DATAS = Path(__file__).resolve().parents[2] / "Datas"
SOURCES = ("EVOL", "OSS")
COMMON_ARGUMENTS = ("on_bad_record", "limit", "instruction_key", "input_key", "output_key")  # in every manifest


class Job(NamedTuple):
    """What a script is to do with one source."""

    source: str
    path: Path  # of the input file
    folder: Path  # of the output


@dataclass
class Source:
    """One data set: its records in memory, its output folder locked for this run."""

    name: str
    path: Path
    facts: FileFacts
    folder: OutputFolder
    records: list[Record]
    rejects: list[Reject]
    generations: list[Any] = field(default_factory=list)  # what each record's "generation" is, None where it has none

    def describe(self) -> dict[str, Any]:
        """What the manifest says of the source."""
        return describe_source(self.name, self.path, self.facts)


def describe_source(name: str, path: Path, facts: FileFacts) -> dict[str, Any]:
    """A source and its input file as the manifest names them."""
    return {"source": readable(name), "input": describe_file(path, facts)}


def input_facts(path: Path) -> FileFacts:
    """Hash and size of an input file. Raises InputError where there is nothing to read."""
    form(path)
    return file_facts(path)


def identify(name: str, path: Path) -> dict[str, Any]:
    """What tells the outputs of one source from those of another: its name and that of its input file."""
    return {"source": readable(name), "input": {"file": readable(path.name)}}


def describe_file(path: Path, facts: FileFacts) -> dict[str, Any]:
    """An input file as the manifest names it: without its folder, which differs from machine to machine."""
    return {"file": readable(path.name), "sha256": facts.sha256, "bytes": facts.bytes}


def arguments(args: argparse.Namespace, *own: str) -> dict[str, Any]:
    """A script's arguments as the manifest holds them: its own, then those of COMMON_ARGUMENTS."""
    return {name: getattr(args, name) for name in (*own, *COMMON_ARGUMENTS)}


def jobs(
    args: argparse.Namespace,
    question: str,
    *,
    default_input: Callable[[str], Path] | None = None,
    recorded_source: Callable[[Path], str | None] = lambda path: None,
) -> list[Job]:
    """What the flags ask for: the files of --input_file, or EVOL and OSS (or one of them), into Datas/`question`/SOURCE.

    Without --input_file a source is read from `default_input(source)`, else from its seed file. With it each source is
    named by --source_name, else by `recorded_source(path)` if that knows it, else by the file's name. --output_dir is the
    folder of a single file's results; of several sources each has a folder below it.

    Raises UsageError if names and files do not fit each other.
    """
    root = args.output_dir or DATAS / question
    if args.input_file:
        names = args.source_name or [recorded_source(path) or path.stem.upper() for path in args.input_file]
        if len(names) != len(args.input_file):
            raise UsageError(
                f"--source_name: {len(names)} names for {len(args.input_file)} files, expected one for each"
            )
        found = list(zip(names, args.input_file, strict=True))
    else:
        find = default_input or default_seed
        found = [(source, find(source)) for source in default_sources(args)]
    if twice := [source for source, count in Counter(source for source, _ in found).items() if count > 1]:
        raise UsageError(f"two sources are called {twice[0]}; expected different names, set with --source_name")
    own = len(found) == 1 and args.input_file and args.output_dir
    return [Job(source, path, root if own else root / source) for source, path in found]


def default_sources(args: argparse.Namespace) -> Sequence[str]:
    """EVOL and OSS, or those that --source_name names."""
    for name in args.source_name or ():
        if name not in SOURCES:
            raise UsageError(f"--source_name {name}: expected one of {', '.join(SOURCES)}, or --input_file with it")
    return args.source_name or SOURCES


def default_seed(source: str) -> Path:
    """The full seed file of a source if it has been fetched, else the bundled sample."""
    full = DATAS / "seeds" / f"{source}.jsonl"
    if full.exists():
        return full
    say(f"{source}: no full data in Datas/seeds, taking the bundled sample")
    return DATAS / "sample" / f"{source}.jsonl"


def read(
    path: Path,
    args: argparse.Namespace,
    rejects: list[Reject],
    *,
    keys: Keys | None = None,
    column: tuple[str, list[Any]] | None = None,
) -> Iterator[Record]:
    """Yield the records of an input file one by one, as `read_records` does, with the limit that the flags set.

    Fields are called as the flags say, or as `keys` does. A record that cannot be used goes to `rejects` if
    --on_bad_record is reject, and raises InputError otherwise.
    """
    if keys is None:
        keys = Keys(args.instruction_key, args.input_key, args.output_key)
    bad = rejects if args.on_bad_record == "reject" else None
    yield from read_records(path, keys, rejects=bad, limit=args.limit, column=column)


@contextmanager
def opened(
    todo: Sequence[Job],
    args: argparse.Namespace,
    stage: str,
    names: Collection[str],
    *,
    minimum: int = 1,
    more: Collection[Path] = (),
    identity: Mapping[str, Any] | None = None,
) -> Iterator[list[Source]]:
    """Open the output folder of every source and read it, so that a mistake in the last one shows before hours of work.

    `names` are the files that the stage may write, `more` further files that it reads. A finished output of the stage is
    replaced if its source and the name of its input file are the same, and what its manifest says of the keys in
    `identity`; any is with --overwrite.

    Raises InputError if a source has fewer than `minimum` usable records, or a file or folder cannot be used.
    """
    with ExitStack() as stack:
        sources = []
        for name, path, folder in todo:
            facts = input_facts(path)
            output = stack.enter_context(
                OutputFolder(
                    folder,
                    stage,
                    names,
                    sources=[path, *more],
                    identity={**identify(name, path), **(identity or {})},
                    overwrite=args.overwrite,
                )
            )
            rejects: list[Reject] = []
            generations: list[Any] = []
            records = list(read(path, args, rejects, column=("generation", generations)))
            source = Source(name, path, facts, output, records, rejects, generations)
            say(f"{name}: {len(records):,} records from {path}" + (f", {len(rejects):,} rejected" if rejects else ""))
            if any(earlier.get("input") != source.describe()["input"] for earlier in output.replaced):
                say(f"{name}: the outputs in {folder} were made from other contents of {path.name}; they are replaced")
            if len(records) < minimum:
                raise InputError(f"{path}: {len(records)} usable records, expected at least {minimum}")
            for count, what in (
                (duplicate_texts(records), "duplicate texts"),
                (empty_outputs(records), "empty outputs"),
            ):
                if count:
                    say(f"{name}: {count:,} records with {what}, kept")
            sources.append(source)
        yield sources


def duplicate_texts(records: Sequence[Record]) -> int:
    """How many records have the same query as an earlier one."""
    return len(records) - len({record.query for record in records})


def empty_outputs(records: Sequence[Record]) -> int:
    """How many records have an output of nothing but white space."""
    return sum(not record.output.strip() for record in records)


def rejected(record: Record, reason: str) -> Reject:
    """A record that was read and is left out for a reason."""
    plain = {"id": record.id, "instruction": record.instruction, "input": record.input, "output": record.output}
    return Reject(record.line, record.id, reason, plain)


def write_rejects(folder: OutputFolder, rejects: Sequence[Reject]) -> None:
    """Write the rejects in the order of the input; no file if there are none."""
    if rejects:
        rows = sorted(rejects, key=lambda reject: reject.line)
        lines = ({"line": r.line, "id": r.id, "reason": r.reason, "record": r.record} for r in rows)
        folder.write(folder.rejects, json_lines(lines))


def named(file: Path) -> str:
    """The name of a file to write. Raises InputError if it is not UTF-8, which a manifest could not hold."""
    try:
        file.name.encode()
    except UnicodeEncodeError:
        raise InputError(f"{readable(str(file))}: expected a file name in UTF-8") from None
    return file.name


def readable(name: str) -> str:
    """A name from the command line or the disk as UTF-8 text; bytes that are not UTF-8 become escapes."""
    return os.fsencode(name).decode(errors="backslashreplace")
