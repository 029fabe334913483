"""Checks of a folder of a teacher's answers; verify.py calls them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seedkit.verify_mixes import key_fault, rows


def answer_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Check answers and records against manifest["answers"], which is {file, records, choose}.

    The answers to a record stand together, numbered upwards. A record that was chosen holds the text of its answer, and is
    called by the answer's id, or with "all" by ID#NUMBER from number 2 on. Verdicts are counted in manifest["verdicts"].
    """
    names, counts = manifest["answers"], manifest["counts"]
    texts: dict[str, set[str]] = {}  # of the answers that a record of that id may hold
    verdicts: Counter[str] = Counter()
    seen: dict[str, int] = {}  # the last number of each id
    last, chosen, total = "", 0, 0
    for row in rows(folder / names["file"]):
        id_, number, total = row["id"], row["number"], total + 1
        if id_ in seen and id_ != last:
            yield f"{names['file']}: {id_}: its answers do not stand together"
        if number <= seen.get(id_, 0):
            yield f"{names['file']}: {id_}: answer {number} after {seen[id_]}"
        seen[id_], last = number, id_
        name = f"{id_}#{number}" if names["choose"] == "all" and number > 1 else id_
        if row.get("chosen", True):
            texts.setdefault(name, set()).add(row["text"])
        chosen += row.get("chosen", False)
        if "verdict" in row:
            verdicts[row["verdict"]] += 1
    if total != counts["answers"]:
        yield f"{names['file']}: {total} answers, the manifest says {counts['answers']}"
    for verdict, expected in manifest.get("verdicts", {}).items():
        if verdicts[verdict] != expected:
            yield f"{names['file']}: {verdicts[verdict]} {verdict}, the manifest says {expected} {verdict}"
    found = 0
    for row in rows(folder / names["records"]):
        found += 1
        if fault := key_fault(row):
            yield f"{names['records']}: {fault}"
        if row["output"] not in texts.get(row["id"], ()):
            yield f"{names['records']}: {row['id']}: not the text of its answer"
    expected = chosen if "verdicts" in manifest else counts["chosen"]
    if not found == expected == counts["chosen"]:
        yield f"{names['records']}: {found} records, expected {expected}, the manifest says {counts['chosen']}"
