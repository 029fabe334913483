"""What the doctor predicts that LLaMA-Factory will do with each record of the files that it looked at."""

from collections import Counter
from pathlib import Path

import msgspec
from seedkit.errors import UsageError
from seedkit.sources import readable

from report.blocks import Column, DataTable, PagePart
from report.folders import rows, slug

STATUSES = ("trains", "truncated", "kept although empty", "dropped", "the whole file is lost")


class DiagnosisRow(msgspec.Struct):
    """A line that llamafactory_doctor.py wrote with --json."""

    file: str
    status: str
    answer_tokens_lost: int = 0


def section(path: Path) -> PagePart:
    """How many records of each file would be trained on, truncated, dropped. Raises UsageError where there is no file."""
    if not path.is_file():
        raise UsageError(f"--diagnoses {path}: expected a file of llamafactory_doctor.py --json, got none")
    counts: dict[str, Counter[str]] = {}
    lost: Counter[str] = Counter()
    for row in rows(path, DiagnosisRow):
        counts.setdefault(row.file, Counter())[row.status] += 1
        lost[row.file] += row.answer_tokens_lost
    name = readable(str(path))
    made = PagePart(
        "diagnoses",
        slug(f"diagnoses-{name}"),
        "What the doctor predicts",
        name,
        f"python Code/training/llamafactory_doctor.py ... --json {name}",
    )
    heads = (
        Column("file"),
        *(Column(status, "count") for status in STATUSES),
        Column("tokens of answers lost", "count"),
    )
    lines = [(file, *(found[status] for status in STATUSES), lost[file]) for file, found in counts.items()]
    made.data = {
        "table": DataTable(
            f"{made.key}-table", "Records by what LLaMA-Factory will do with them", heads, lines, copies=True
        )
    }
    return made
