"""The steps of subsample.py: which subsets a folder has, and random parts of each."""

import argparse
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.display import table
from seedkit.errors import InputError
from seedkit.files import file_facts
from seedkit.manifest import OutputFolder, documents, read_manifest, versions
from seedkit.sources import describe_file
from seedkit.subsets import shuffled
from seedkit.verify import verify

from training.subset_names import parsed_stem

STAGE = "subsample"
SOURCE_END = "_SUBSAMPLED"
ARGUMENTS = ("share", "num_draws", "seed")


def subsample(args: argparse.Namespace) -> str:
    """Draw the parts, write the folder, and return the closing table.

    Raises InputError where the folder is not what its manifest says, or has no subset of a single draw.
    """
    source, paths = whole_subsets(args.partition)
    names = {path: [f"{path.stem}_subsample_{draw}.jsonl" for draw in range(1, args.num_draws + 1)] for path in paths}
    identity = {"source": source, "arguments": {name: getattr(args, name) for name in ARGUMENTS}}
    files: dict[str, dict[str, Any]] = {}
    with OutputFolder(
        args.output_dir,
        STAGE,
        [name for own in names.values() for name in own],
        sources=paths,
        identity=identity,
        overwrite=args.overwrite,
    ) as folder:
        for number, (path, own) in enumerate(names.items()):
            lines = path.read_bytes().splitlines(keepends=True)
            count = int(args.share * len(lines) + 1e-9)
            if not count:
                raise InputError(f"{path}: expected records for --share {args.share:g}, got {len(lines)}")
            for draw, name in enumerate(own, 1):
                chosen = sorted(shuffled(len(lines), args.seed, draw, number).order[:count].tolist())
                folder.write(name, (lines[row] for row in chosen))
                files[name] = {"of": path.name, "draw": draw, "records": count}
        folder.finish(
            {
                **identity,
                "inputs": [describe_file(path, file_facts(path)) for path in paths],
                "counts": {"files": len(files), "records": sum(one["records"] for one in files.values())},
                "subsamples": {"files": files},
                "versions": versions("instructiondata", "numpy"),
            }
        )
    say(f"written to {args.output_dir}")
    return table(("file", "records"), [(name, f"{one['records']:,}") for name, one in files.items()])


def whole_subsets(folder: Path) -> tuple[str, list[Path]]:
    """The name of the drawn parts' source, and the folder's subsets that have one draw of the data: tertiles, code alone.

    Raises InputError where there is none, or the folder is not what its manifest says.
    """
    outputs = documents(read_manifest(folder))
    if faults := verify(folder):
        raise InputError(f"{folder}: not what its manifest says: {faults[0]}")
    found, sources = [], set()
    for output in outputs:
        for name in output["files"]:
            path = folder / name
            parsed = parsed_stem(path.stem) if path.suffix == ".jsonl" else None
            if parsed and parsed[0] and parsed[2] is None:
                found.append(path)
                sources.add(str(output.get("source") or folder.resolve().name))
    if len(sources) != 1:
        got = "subsets of " + " and ".join(sorted(sources)) if sources else "none"
        raise InputError(f"{folder}: expected subsets of one source with one draw each, such as tertiles, got {got}")
    return sources.pop() + SOURCE_END, found
