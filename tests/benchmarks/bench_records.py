"""Reading and writing 110,000 records of EVOL's size (172 MB), against json.loads and json.dumps line by line.

    python tests/benchmarks/bench_records.py

The baseline writes the same records, ids included; `bare` is the baseline without ids, which does less than we do. Ours
also checks every record, hashes the output and fsyncs it. Each run is a process of its own; memory is its peak.
"""

import hashlib
import json
import random
import sys
import tempfile
from pathlib import Path

from measure import alone, in_turns, machine, peak_mb, seconds

RECORDS, SIZE = 110_000, 172_000_000


def make(path: Path) -> None:
    """A file in the Evol-Instruct release's schema, of the bundled sample's texts, at the release's size."""
    from seedkit.records import read_records

    sample = Path(__file__).resolve().parents[2] / "Datas" / "sample"
    texts = [record for name in ("EVOL", "OSS") for record in read_records(sample / f"{name}.jsonl")]
    pick = random.Random(0)
    target = SIZE // RECORDS
    with path.open("w", encoding="utf-8") as file:
        for number in range(RECORDS):
            record = pick.choice(texts)
            row = {"instruction": f"{number}: {record.instruction}", "response": record.output}
            line = json.dumps(row, ensure_ascii=False)
            row["response"] = row["response"][: max(40, len(row["response"]) - len(line) + target)]
            row["response"] += " " * max(0, target - len(line))
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def baseline(source: Path, target: Path, ids: bool) -> None:
    with source.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with target.open("w", encoding="utf-8") as file:
        for row in rows:
            instruction, output = row["instruction"], row["response"]
            record = {"instruction": instruction, "input": "", "output": output}
            if ids:
                text = f"{instruction}\0\0{output}"
                record = {"id": hashlib.blake2b(text.encode()).hexdigest()[:16], **record}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def ours(source: Path, target: Path) -> None:
    from seedkit.files import write_atomic
    from seedkit.records import read_records, record_line

    records = list(read_records(source))
    write_atomic(target, map(record_line, records))


def main() -> None:
    if len(sys.argv) > 1:
        kind, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
        run = (lambda: ours(source, target)) if kind == "ours" else (lambda: baseline(source, target, kind == "same"))
        print(json.dumps({"seconds": seconds(run), "peak_mb": peak_mb()}))
        return
    with tempfile.TemporaryDirectory() as folder:
        source, target, other = (Path(folder) / name for name in ("source", "target", "other"))
        make(source)
        peaks = []

        def timed(kind: str, path: Path) -> float:
            result = alone(__file__, kind, source, path)
            if kind == "ours":
                peaks.append(result["peak_mb"])
            return float(result["seconds"])

        own, same = in_turns(lambda: timed("ours", target), lambda: timed("same", other), 5)
        with target.open("rb") as a, other.open("rb") as b:
            if any(json.loads(one) != json.loads(two) for one, two in zip(a, b, strict=True)):
                raise SystemExit("the two wrote different records")
        own_again, bare = in_turns(lambda: timed("ours", target), lambda: timed("bare", other), 5)
        size = source.stat().st_size / 1e6
    print(
        f"records: {same / own:.1f} times the line-by-line baseline ({own:.2f} s against {same:.2f} s; "
        f"{bare / own_again:.1f} times it without ids), {RECORDS:,} records, {size:.0f} MB, "
        f"peak {max(peaks):.0f} MB; {machine()}"
    )


if __name__ == "__main__":
    main()
