"""Is every output what its manifest says?

    python -m seedkit.verify Datas/RQ1/EVOL [more folders]

Checks hashes, sizes and counts of all files. Of tertiles also that they are disjoint, complete, ordered and as large as
they must be; of classified records that the counts by category are true; of mixes that their ratios are exact, that no
record is in one twice, that the mixes of a repeat are nested, and that no two are alike. Exit code 0 if all is well, 1
if a folder is not what its manifest says, 2 if there is no manifest.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from seedkit.cli import run
from seedkit.errors import InputError, RunError
from seedkit.files import file_facts
from seedkit.flags import parser
from seedkit.manifest import documents, read_manifest
from seedkit.verify_mixes import key_fault, mix_faults, rows

CLASSIFIED_KEYS = ("assigned_category", "category_similarity", "category_margin", "task_type")


def verify(folder: Path) -> list[str]:
    """What is wrong with an output folder, one line each; nothing if all is well. InputError without a manifest."""
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


def file_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """What files are not as one output's manifest lists them."""
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
    name, categories = manifest["classified"]["file"], manifest["classified"]["categories"]
    found: Counter[str] = Counter()
    seen = set()
    for row in rows(folder / name):
        category = row["assigned_category"]
        found[category] += 1
        if fault := key_fault({key: value for key, value in row.items() if key not in CLASSIFIED_KEYS}):
            yield f"{name}: {fault}"
        if row["id"] in seen:
            yield f"{name}: {row['id']} is in it twice"
        seen.add(row["id"])
        if category not in categories or row["task_type"] != categories[category]["task_type"]:
            yield f"{name}: {row['id']} is {row['task_type']} in {category}, which is no category of the manifest's"
        if not -1.001 <= row["category_similarity"] <= 1.001 or not 0 <= row["category_margin"] <= 2.001:
            yield f"{name}: {row['id']} has a similarity or a margin that no cosine has"
    for category, expected in categories.items():
        if found[category] != expected["records"]:
            yield f"{name}: {found[category]} records in {category}, the manifest says {expected['records']}"
    yield from _reject_fault(folder, manifest)


def _tertile_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    tertiles, counts = manifest["tertiles"], manifest["counts"]
    column = tertiles["column"]
    value: dict[str, float] = {}
    third: dict[str, int] = {}
    order: dict[str, int] = {}
    failed = 0
    for number, row in enumerate(rows(folder / tertiles["scores"])):
        if row["status"] != "ok":
            failed += 1
            if row["tertile"] is not None or row[column] is not None or not row["reason"]:
                yield f"{row['id']}: status {row['status']}, expected no score, no tertile and a reason"
            continue
        if row["id"] in value:
            yield f"{row['id']}: scored twice"
        value[row["id"]], third[row["id"]], order[row["id"]] = row[column], row["tertile"], number
    if len(value) != counts["scored"] or failed != counts["failed"]:
        yield f"{len(value)} scored and {failed} failed, the manifest says {counts['scored']} and {counts['failed']}"
    yield from _reject_fault(folder, manifest)

    wanted = sorted(value, key=lambda id_: (value[id_], order[id_]))
    size = len(wanted) // 3
    expected = {id_: min(3, position // size + 1) if size else 0 for position, id_ in enumerate(wanted)}
    seen: dict[str, str] = {}
    for number, name in enumerate(tertiles["files"], 1):
        last = -1
        for row in rows(folder / name):
            id_ = row["id"]
            if fault := key_fault(row):
                yield f"{name}: {fault}"
            if id_ in seen:
                yield f"{name}: {id_} is also in {seen[id_]}"
            if expected.get(id_) != number or third.get(id_) != number:
                yield f"{name}: {id_} belongs in tertile {expected.get(id_)}, its row says {third.get(id_)}"
            if order.get(id_, -1) < last:
                yield f"{name}: {id_} is out of the input's order"
            last = order.get(id_, -1)
            seen[id_] = name
    missing = [id_ for id_ in wanted if id_ not in seen]
    if missing:
        yield f"{len(missing)} scored records are in no tertile, e.g. {missing[0]}"


KINDS: dict[str, Callable[[Path, dict[str, Any]], Iterator[str]]] = {
    "tertiles": _tertile_faults,
    "classified": _classified_faults,
    "mixes": lambda folder, manifest: chain(mix_faults(folder, manifest), _reject_fault(folder, manifest)),
}


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="output folder with a manifest.json")
    return flags.parse_args()


def main() -> None:
    bad = 0
    for folder in parse().folders:
        if not folder.exists():
            raise InputError(f"{folder}: no such folder")
        faults = verify(folder)
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
