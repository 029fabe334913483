"""Are subsets that were chosen by a score what their manifest says?"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seedkit.verify_mixes import key_fault, rows

# by method, from the values of the records chosen and of the others (None where there is none): what must not be
BETTER: dict[str, Callable[[float, float], bool]] = {
    "longest": lambda value, other: other > value,
    "shortest": lambda value, other: other < value,
    "ifd": lambda value, other: value < other < 1,
}


def chosen_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Check subsets against manifest["chosen"], which is {scores, files}: by file its method, column and records.

    A row of the scores names under "in" the files that its record is in.
    """
    chosen = manifest["chosen"]
    scores = {row["id"]: row for row in rows(folder / chosen["scores"])}
    for name, facts in chosen["files"].items():
        ids = []
        for row in rows(folder / name):
            if fault := key_fault(row):
                yield f"{name}: {fault}"
            ids.append(row["id"])
        members = set(ids)
        if len(ids) != facts["records"]:
            yield f"{name}: {len(ids)} records, the manifest says {facts['records']}"
        if len(members) < len(ids):
            yield f"{name}: {len(ids) - len(members)} records are in it twice"
        if odd := members ^ {id_ for id_, row in scores.items() if name in row["in"]}:
            yield f"{name}: {len(odd)} records are in it or in {chosen['scores']}, but not in both, e.g. {min(odd)}"
            continue
        yield from _order_faults(name, facts, ids, scores)


def _order_faults(name: str, facts: dict[str, Any], ids: list[str], scores: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What speaks against the records `ids` being those that the method chooses by the file's column."""
    column, method = facts["column"], facts["method"]
    if column is None or not ids:
        return
    values = [scores[id_][column] for id_ in ids]
    if None in values:
        yield f"{name}: {values.count(None)} records have no {column}"
    elif method in BETTER:
        worst = max(values) if method == "shortest" else min(values)
        members = set(ids)
        others = [row[column] for id_, row in scores.items() if id_ not in members and row[column] is not None]
        if better := sum(BETTER[method](worst, other) for other in others):
            yield f"{name}: {better} records with a better {column} are not in it"
    elif values != sorted(values, reverse=True):
        yield f"{name}: expected the records in descending order of {column}"
