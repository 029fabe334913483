"""Is every output what its manifest says?

    python -m seedkit.verify Datas/RQ1/EVOL [more folders]
    python -m seedkit.verify Datas/studies/laptop            # every folder below that has a manifest

Checks hashes, sizes and counts of all files. Tertiles must also be disjoint, complete, ordered and of the right sizes;
the counts by category of classified records must be true; mixes must have exact ratios, no record twice, be nested within
a repeat, and no two may be alike; subsets chosen by a score must hold the records that it puts first; a teacher's
answers must be numbered, and those chosen be the records. Also told are repeats that hold the same records, where a mix
takes all of a kind, and files that no manifest knows. Exit code 0 if all is well, 1 if a folder is not what its manifest
says, 2 if there is no manifest.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from seedkit.cli import run
from seedkit.display import Progress
from seedkit.errors import InputError, RunError
from seedkit.files import file_facts
from seedkit.flags import parser
from seedkit.manifest import MANIFEST, documents, read_manifest
from seedkit.mixes import same_records_line
from seedkit.sources import readable
from seedkit.subsets import matched_tertiles
from seedkit.token_counts import token_counts
from seedkit.verify_chosen import chosen_faults
from seedkit.verify_mixes import alike, key_fault, mix_faults, rows
from seedkit.verify_teacher import answer_faults

# What manifests of classified records say of their columns since they say it; those of the first release had these.
FIRST_RELEASE_COLUMNS = {
    "category": "assigned_category",
    "group": "task_type",
    "ranges": {"category_similarity": [-1.001, 1.001], "category_margin": [0, 2.001]},
}


def verify(folder: Path) -> list[str]:
    """What is wrong with an output folder, one line for each fault; an empty list if all is well.

    Raises InputError if the folder has no manifest, or one that cannot be read.
    """
    faults = []
    outputs = documents(read_manifest(folder))
    listed = {name: facts.get("sha256") for output in outputs for name, facts in output["files"].items()}
    for output in outputs:
        own = list(file_faults(folder, output))
        for kind, check in KINDS.items():
            if kind in output and not own:
                try:
                    own += check(folder, output)
                except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
                    own.append(f"{folder}: cannot be read as {kind}: {type(error).__name__}: {error}")
        source = output.get("input") or {}
        if output.get("input_is_here") and listed.get(source.get("file"), source.get("sha256")) != source.get("sha256"):
            own.append(f"{folder}: {output.get('stage')} was made from another {source.get('file')} than the one here")
        faults += own
    return faults


def remarks(folder: Path, *, faultless: bool = True) -> list[str]:
    """What a reader of a folder has to know besides its faults, one line each; mixes are only looked at if `faultless`."""
    outputs = documents(read_manifest(folder))
    known = {MANIFEST, *(name for output in outputs for name in output["files"])}
    files = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    unknown = [readable(name) for name in files if name not in known]
    groups = [names for output in outputs if faultless and "mixes" in output for names in alike(folder, output)]
    return [
        *([f"files that no manifest knows: {', '.join(unknown)}"] if unknown else []),
        *map(same_records_line, groups),
    ]


def file_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Which files are missing, or differ from what one output's manifest says of them."""
    for name, recorded in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            yield f"{path}: the manifest lists it, but it is not there"
            continue
        facts = file_facts(path)
        for what in ("bytes", "lines", "sha256"):
            found = getattr(facts, what)
            if found != recorded.get(what):
                yield f"{path}: {what} is {found}, the manifest says {recorded.get(what)}"


def _reject_fault(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    counts = manifest["counts"]
    expected = counts["left_out"] if "left_out" in counts else counts["failed"] + counts["unreadable"]
    name = manifest.get("rejects", "rejects.jsonl")
    rejected = sum(1 for _ in rows(folder / name)) if name in manifest["files"] else 0
    if rejected != expected:
        yield f"{name} has {rejected} records, expected {expected}"


def _classified_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Check classified records against manifest["classified"], which is {file, columns, categories}.

    `columns` names the columns that classification added: "category", "group", and "ranges" with the lowest and highest
    value of each other. `categories` has for each category its group, under that column's name, and its "records".
    """
    name, categories = manifest["classified"]["file"], manifest["classified"]["categories"]
    columns = manifest["classified"].get("columns", FIRST_RELEASE_COLUMNS)
    category_column, group_column, ranges = columns["category"], columns["group"], columns["ranges"]
    added = {category_column, group_column, *ranges}
    found: Counter[str] = Counter()
    seen = set()
    for row in rows(folder / name):
        category, group = row[category_column], row[group_column]
        found[category] += 1
        if fault := key_fault({key: value for key, value in row.items() if key not in added}):
            yield f"{name}: {fault}"
        if row["id"] in seen:
            yield f"{name}: {row['id']} is in it twice"
        seen.add(row["id"])
        if category not in categories or group != categories[category][group_column]:
            yield f"{name}: {row['id']} is {group} in {category}, which is no category of the manifest's"
        for column, (low, high) in ranges.items():
            if not low <= row[column] <= high:
                yield f"{name}: {row['id']} has {column} {row[column]}, expected {low} to {high}"
    for category, expected in categories.items():
        if found[category] != expected["records"]:
            yield f"{name}: {found[category]} records in {category}, the manifest says {expected['records']}"
    yield from _reject_fault(folder, manifest)


def _tertile_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Check scores and tertiles against manifest["tertiles"], which is {scores, column, files}.

    Of matched tertiles it is also {matched: {on, bins}}: they are those within so many bins of the column `on`, which the
    scores have too. Manifests have it since there are such tertiles.
    """
    tertiles, counts = manifest["tertiles"], manifest["counts"]
    column, matched = tertiles["column"], tertiles.get("matched")
    scored: dict[str, _ScoreRow] = {}
    failed = 0
    for index, row in enumerate(rows(folder / tertiles["scores"])):
        if row["status"] != "ok":
            failed += 1
            if row["tertile"] is not None or row[column] is not None or not row["reason"]:
                yield f"{row['id']}: status {row['status']}, expected no score, no tertile and a reason"
            continue
        if row["id"] in scored:
            yield f"{row['id']}: scored twice"
        scored[row["id"]] = _ScoreRow(index, row[column], row["tertile"], row[matched["on"]] if matched else 0)
    if len(scored) != counts["scored"] or failed != counts["failed"]:
        yield f"{len(scored)} scored and {failed} failed, the manifest says {counts['scored']} and {counts['failed']}"
    yield from _reject_fault(folder, manifest)
    yield from _member_faults(folder, tertiles["files"], scored, matched)


class _ScoreRow(NamedTuple):
    """What the scores file says of a record, and its row there, which is the input's order."""

    row: int
    value: float
    tertile: int | None
    matched: int = 0  # its answer tokens, where tertiles are matched on them


def _expected(scored: dict[str, _ScoreRow], bins: int) -> dict[str, int]:
    """The tertile of each record by its score: among all, or within `bins` bins of what is matched."""
    if len(scored) < 3:
        return dict.fromkeys(scored, 0)
    found = list(scored.values())
    values = np.array([row.value for row in found], dtype=np.float64)
    by = np.array([row.matched for row in found], dtype=np.int64)
    return dict(zip(scored, matched_tertiles(values, by, bins).tolist(), strict=True))


def _member_faults(
    folder: Path, names: list[str], scored: dict[str, _ScoreRow], matched: dict[str, Any] | None
) -> Iterator[str]:
    """What records of the tertiles' files are not where their scores put them, or missing, or not as long as those say."""
    expected = _expected(scored, matched["bins"] if matched else 1)
    seen: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        last = -1
        for row in rows(folder / name):
            id_ = row["id"]
            own = scored.get(id_, _ScoreRow(-1, 0.0, None))
            if fault := key_fault(row):
                yield f"{name}: {fault}"
            if id_ in seen:
                yield f"{name}: {id_} is also in {seen[id_]}"
            if expected.get(id_) != number or own.tertile != number:
                yield f"{name}: {id_} belongs in tertile {expected.get(id_)}, its row says {own.tertile}"
            if own.row < last:
                yield f"{name}: {id_} is out of the input's order"
            if matched and (tokens := int(token_counts([row["output"]])[0])) != own.matched:
                yield f"{name}: the answer of {id_} has {tokens} tokens, its row says {own.matched}"
            last = own.row
            seen[id_] = name
    missing = [id_ for id_ in scored if id_ not in seen]
    if missing:
        yield f"{len(missing)} scored records are in no tertile, e.g. {missing[0]}"


KINDS: dict[str, Callable[[Path, dict[str, Any]], Iterator[str]]] = {
    "tertiles": _tertile_faults,
    "classified": _classified_faults,
    "chosen": lambda folder, manifest: chain(chosen_faults(folder, manifest), _reject_fault(folder, manifest)),
    "answers": lambda folder, manifest: chain(answer_faults(folder, manifest), _reject_fault(folder, manifest)),
    "mixes": lambda folder, manifest: chain(mix_faults(folder, manifest), _reject_fault(folder, manifest)),
}


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument(
        "folders", type=Path, nargs="+", metavar="DIR", help="output folder with a manifest.json, or a folder of such"
    )
    return flags.parse_args()


def with_manifest(folder: Path) -> list[Path]:
    """The folder, or where it has no manifest those below it that have one, hidden ones apart."""
    if not folder.exists():
        raise InputError(f"{folder}: no such folder")
    if (folder / MANIFEST).exists():
        return [folder]
    found = sorted({path.parent for path in folder.rglob(MANIFEST)})
    shown = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return shown or [folder]


def main() -> None:
    bad = 0
    for folder in chain.from_iterable(map(with_manifest, parse().folders)):
        with Progress(f"{folder}: verifying", None, 0, steady=True):
            faults = verify(folder)
            told = remarks(folder, faultless=not faults)
        for remark in told:
            print(f"{folder}: {remark}")
        for fault in faults[:20]:
            print(fault)
        if len(faults) > 20:
            print(f"... and {len(faults) - 20} more")
        print(f"{folder}: {'verified' if not faults else f'{len(faults)} faults'}")
        bad += bool(faults)
    if bad:
        raise RunError(f"{bad} folders are not what their manifests say")


if __name__ == "__main__":
    run(main)
