"""Is every output what its manifest says?

    python -m seedkit.verify Datas/RQ1/EVOL [more folders]

Checks hashes, sizes and counts of all files; of a folder with tertiles also that they are disjoint, complete, ordered
and as large as they must be. Exit code 0 if all is
well, 1 if a folder is not what its manifest says, 2 if there is no manifest.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from seedkit.cli import parser, run
from seedkit.errors import InputError, RunError
from seedkit.files import file_facts
from seedkit.manifest import read_manifest

RECORD_KEYS = ["id", "instruction", "input", "output"]


def verify(folder: Path) -> list[str]:
    """What is wrong with an output folder, one line each; nothing if all is well. InputError without a manifest."""
    manifest = read_manifest(folder)
    faults = list(_file_faults(folder, manifest))
    if not faults and "tertiles" in manifest:
        try:
            faults += _tertile_faults(folder, manifest)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            faults.append(f"{folder}: cannot be read as tertiles: {type(error).__name__}: {error}")
    return faults


def _file_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
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


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)


def _tertile_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    tertiles, counts = manifest["tertiles"], manifest["counts"]
    column = tertiles["column"]
    value: dict[str, float] = {}
    third: dict[str, int] = {}
    order: dict[str, int] = {}
    failed = 0
    for number, row in enumerate(_rows(folder / tertiles["scores"])):
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
    rejected = sum(1 for _ in _rows(folder / "rejects.jsonl")) if "rejects.jsonl" in manifest["files"] else 0
    if rejected != counts["failed"] + counts["unreadable"]:
        yield f"rejects.jsonl has {rejected} records, expected {counts['failed'] + counts['unreadable']}"

    wanted = sorted(value, key=lambda id_: (value[id_], order[id_]))
    size = len(wanted) // 3
    expected = {id_: min(3, position // size + 1) if size else 0 for position, id_ in enumerate(wanted)}
    seen: dict[str, str] = {}
    for number, name in enumerate(tertiles["files"], 1):
        last = -1
        for row in _rows(folder / name):
            id_ = row["id"]
            if list(row) != RECORD_KEYS or not all(isinstance(text, str) for text in row.values()):
                yield f"{name}: {id_} has the keys {', '.join(row)}, expected the strings {', '.join(RECORD_KEYS)}"
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
