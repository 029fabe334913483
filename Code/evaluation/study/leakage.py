"""What a leakage report says of the students' data: which problems they hold, and how much of the benchmarks.

decontaminate.py --report --output_dir writes such a folder: leakage.jsonl, a line for each data file and benchmark, and a manifest
with the data files' hashes, by which they are told to be what a student was trained on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from seedkit.errors import InputError
from seedkit.manifest import read_manifest
from seedkit.verify import verify

from evaluation.metrics.intervals import Interval
from evaluation.study.averages import problem_of
from evaluation.study.bases import BaseModel
from evaluation.study.table import Graded

LEAKAGE = "leakage.jsonl"
ALL = "all"  # stands for all benchmarks of the report together


@dataclass(frozen=True, slots=True)
class DataLeakage:
    """What one data file holds of all benchmarks of the report."""

    file: str
    sha256: str
    records: int
    flagged: int  # records that hold a problem
    indicator: float  # the test leakage indicator over 5-grams, 0 to 1
    interval: Interval  # 95%, over problems
    found: tuple[str, ...]  # the names of the problems that some record holds


def read_leakage(folders: Iterable[Path]) -> dict[str, DataLeakage]:
    """What the folders of decontaminate.py --report say, by the sha256 of the data file.

    Raises:
        InputError: a folder is not what its manifest says, or no such report.
    """
    found: dict[str, DataLeakage] = {}
    for folder in folders:
        manifest = read_manifest(folder)
        if LEAKAGE not in manifest["files"]:
            raise InputError(f"{folder}: expected {LEAKAGE} of decontaminate.py --report, its manifest.json lists none")
        if faults := verify(folder):
            raise InputError(f"{folder}: not what its manifest says: {faults[0]}")
        try:
            lines = [orjson.loads(line) for line in (folder / LEAKAGE).read_bytes().splitlines()]
            whole = [row for row in lines if row["benchmark"] == ALL]
            for row, data in zip(whole, manifest["inputs"], strict=True):
                one = _of(row, data)
                found[one.sha256] = one
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{folder / LEAKAGE}: expected what decontaminate.py --report writes now, got {error!r:.80}; run it again"
            ) from None
    return found


def _of(row: Mapping[str, Any], data: Mapping[str, Any]) -> DataLeakage:
    indicator, (low, high) = row["indicator_5"], row["interval_5"]
    sizes = int(row["records"]), int(row["flagged"])
    return DataLeakage(row["file"], data["sha256"], *sizes, indicator, Interval(low, high), tuple(row["found"]))


def without_leaked(graded: Sequence[Graded], leakage: Mapping[str, DataLeakage]) -> tuple[list[Graded], int, list[str]]:
    """The verdicts without the problems that some student of the table was trained on.

    Problems are the same in all versions of a benchmark: HumanEval/0 in HumanEval+ and in MultiPL-E's translations.

    Returns:
        The verdicts; how many problems were left out; the students whose data no report has.
    """
    trained = [one.student for one in graded if not isinstance(one.student, BaseModel)]
    unknown = sorted({student.label for student in trained if student.data not in leakage})
    names = {name for student in trained if student.data in leakage for name in leakage[student.data].found}
    leaked = {problem_of("", name) for name in names}

    def clean(one: Graded) -> Graded:
        left = {task for task in one.solved if problem_of("", task) not in leaked}
        base = one.base and {task: one.base[task] for task in left}
        return replace(one, solved={task: one.solved[task] for task in one.solved if task in left}, base=base)

    gone = {problem_of("", task) for one in graded for task in one.solved} & leaked
    return [clean(one) for one in graded], len(gone), unknown
