"""The balance table of a full data set: how long it takes beside reading the records, and what memory.

    python tests/performance/bench_balance.py [RECORDS]

110,000 records are those of the data beside the repository, or else of the sample, again and again, each with a number in its
instruction and its answer. Memory is the peak of a process of its own that reads and measures, less that of one that only reads.
"""

import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import SHARED, alone, machine, peak_mb
from seedkit.balance import balance, measured
from seedkit.records import Record, json_lines, read_records

EVOL = SHARED / "seeds" / "evol_instruct_code.jsonl"
SAMPLE = Path(__file__).resolve().parents[2] / "Datas" / "sample" / "EVOL.jsonl"


def write(path: Path, count: int) -> None:
    records: list[Record] = list(read_records(EVOL if EVOL.exists() else SAMPLE))
    rows = (
        {"instruction": f"{record.instruction} ({number})", "output": f"{record.output}\n# {number}"}
        for number, record in enumerate(itertools.islice(itertools.cycle(records), count))
    )
    with path.open("wb") as file:
        file.writelines(json_lines(rows))


def child(path: str, how: str) -> None:
    """Print seconds of reading and of the table of three thirds, and the peak memory."""
    start = time.perf_counter()
    records = list(read_records(Path(path)))
    read = time.perf_counter() - start
    if how == "table":
        found = measured(records, len(records))
        thirds = np.array_split(np.arange(len(records)), 3)
        balance(found, zip("ABC", thirds, strict=True))
    taken = time.perf_counter() - start - read
    print(json.dumps({"read": read, "table": taken, "peak_mb": peak_mb()}))


def main() -> None:
    if len(sys.argv) > 2:
        child(sys.argv[1], sys.argv[2])
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 110_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        write(path, count)
        size = path.stat().st_size / 1e6
        runs = [(alone(__file__, path, "table"), alone(__file__, path, "nothing")) for _ in range(3)]
    table, nothing = (sorted(pair, key=lambda run: run["table"])[1] for pair in zip(*runs, strict=True))
    print(
        f"balance: {count:,} records, {size:.0f} MB: {table['table']:.1f} s beside {table['read']:.1f} s of reading, "
        f"{table['peak_mb'] - nothing['peak_mb']:.0f} MB beside {nothing['peak_mb']:.0f} MB; {machine()}"
    )


if __name__ == "__main__":
    main()
