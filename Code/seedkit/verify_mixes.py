"""Are mixes what their manifest says? Exact ratios, no record twice, nested within a repeat, no two alike."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import orjson

from seedkit.mixes import same_records

MANY = 10**6  # with more ways to draw a mix than this, two equal draws are no coincidence
RECORD_KEYS = ["id", "instruction", "input", "output"]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)


def key_fault(row: dict[str, Any]) -> str | None:
    """Why a row is no plain record of four strings; None if it is one."""
    if list(row) != RECORD_KEYS or not all(isinstance(text, str) for text in row.values()):
        return f"{row.get('id')} has the keys {', '.join(row)}, expected the strings {', '.join(RECORD_KEYS)}"
    return None


def mix_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Check every mix against the pool it was drawn from, and the mixes against each other.

    manifest["mixes"] is {pool, column, files: [{name, series, repeat, counts}]}: `pool` names a file of rows with an
    id and, under `column`, the kind of the record; `counts` is how many of each kind the mix has. The mixes of one
    series and repeat are nested; a mix without a repeat belongs to all. Manifests say in `same_records` which repeats
    hold the same records, since the release that leaves room for others.
    """
    mixes = manifest["mixes"]
    kind: dict[str, str] = {}
    for row in rows(folder / mixes["pool"]):
        if row["id"] in kind:
            yield f"{mixes['pool']}: {row['id']} is in it twice"
        kind[row["id"]] = row[mixes["column"]]
    pool_size = Counter(kind.values())
    for which, count in pool_size.items():
        if count != manifest["counts"][which]:
            yield f"{mixes['pool']}: {count} records are {which}, the manifest says {manifest['counts'][which]}"
    members: dict[str, dict[str, set[str]]] = {}
    for mix in mixes["files"]:
        name = mix["name"]
        members[name] = defaultdict(set)
        count = 0
        for row in rows(folder / name):
            count += 1
            if fault := key_fault(row):
                yield f"{name}: {fault}"
            if row["id"] not in kind:
                yield f"{name}: {row['id']} is not in {mixes['pool']}"
            members[name][kind.get(row["id"], "")].add(row["id"])
        if count != sum(map(len, members[name].values())):
            yield f"{name}: a record is in it twice"
        for which in sorted({*mix["counts"], *members[name]}):
            found, expected = len(members[name][which]), mix["counts"].get(which, 0)
            if found != expected:
                yield f"{name}: {found} records are {which}, expected {expected}"
    yield from _nesting_faults(mixes["files"], members)
    yield from _likeness_faults(manifest, members, pool_size)
    found_alike = same_records(mixes["files"], members)
    if mixes.get("same_records", found_alike) != found_alike:
        said = [", ".join(names) for names in mixes["same_records"]]
        seen = [", ".join(names) for names in found_alike]
        yield f"repeats with the same records are {seen}, the manifest says {said}"


def alike(folder: Path, manifest: dict[str, Any]) -> list[list[str]]:
    """The repeats of a folder without faults that hold the same records, by name; see `mix_faults` for the manifest."""
    files, counts = manifest["mixes"]["files"], manifest["counts"]
    few = [mix for mix in files if few_ways(mix, counts)]  # of the others, two alike would be a fault
    return same_records(files, {mix["name"]: {row["id"] for row in rows(folder / mix["name"])} for mix in few})


def few_ways(mix: dict[str, Any], pool_size: Mapping[str, int]) -> bool:
    """Whether the records of a mix can be drawn in MANY ways at most: C(n, k) for k of n of each kind, multiplied.

    Counting ends as soon as they are more: the number itself has millions of digits for millions of records.
    """
    ways = 1
    for which, count in mix["counts"].items():
        size = pool_size[which]
        kind = 1
        for taken in range(min(count, size - count)):
            kind = kind * (size - taken) // (taken + 1)  # C(size, taken + 1), exactly
            if ways * kind > MANY:
                return False
        ways *= kind
    return True


def _nesting_faults(files: list[dict[str, Any]], members: dict[str, dict[str, set[str]]]) -> Iterator[str]:
    common = [mix for mix in files if mix["repeat"] is None]
    groups = defaultdict(list)
    for mix in files:
        if mix["repeat"] is not None:
            groups[mix["series"], mix["repeat"]].append(mix)
    for group in groups.values():
        for which in sorted({which for mix in group for which in mix["counts"]}):
            chain = sorted([*common, *group], key=lambda mix: len(members[mix["name"]][which]))
            for small, large in pairwise(chain):
                if not members[small["name"]][which] <= members[large["name"]][which]:
                    yield f"{small['name']}: its {which} records are not all in {large['name']}"


def _likeness_faults(
    manifest: dict[str, Any], members: dict[str, dict[str, set[str]]], pool_size: Counter[str]
) -> Iterator[str]:
    for first, second in combinations(manifest["mixes"]["files"], 2):
        one, other = first["name"], second["name"]
        if manifest["files"][one]["sha256"] == manifest["files"][other]["sha256"]:
            yield f"{one} and {other} are the same file"
        if first["repeat"] == second["repeat"] or first["series"] != second["series"]:
            continue
        # with few ways to draw, two repeats may well draw the same
        same = first["counts"] == second["counts"] and members[one] == members[other]
        if same and not few_ways(first, pool_size):
            yield f"{one} and {other} hold the same records, though their repeats differ"
