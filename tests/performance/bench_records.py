"""Reading and writing 110,000 records of EVOL's size (172 MB), against json.loads and json.dumps line by line.

    python tests/performance/bench_records.py

Both go from file to file, a record at a time, and both check that the fields are strings and the ids different, hash
what they write and fsync it. Measured on records as our scripts write them, which have an id, and on the Evol-Instruct
release's schema, where both compute every id. Each run is a process of its own; memory is its peak.
"""

import hashlib
import json
import os
import random
import sys
import tempfile
from pathlib import Path

from measure import alone, in_turns, machine, peak_mb, seconds
from seedkit.files import write_atomic
from seedkit.records import read_records, record_line

RECORDS, SIZE = 110_000, 172_000_000


def make(path: Path, release: bool) -> None:
    """A file of the bundled sample's texts at the release's size, in the release's schema or ours."""
    sample = Path(__file__).resolve().parents[2] / "Datas" / "sample"
    texts = [record for name in ("EVOL", "OSS") for record in read_records(sample / f"{name}.jsonl")]
    pick = random.Random(0)
    target = SIZE // RECORDS
    with path.open("w", encoding="utf-8") as file:
        for number in range(RECORDS):
            record = pick.choice(texts)
            instruction, output = f"{number}: {record.instruction}", record.output
            size = len(json.dumps(instruction + output, ensure_ascii=False)) + 40
            output = output[: max(40, len(output) - size + target)]
            output += " " * max(0, target - size)
            row = {"instruction": instruction, "response": output}
            if not release:
                row = {"id": f"{number:016x}", "instruction": instruction, "input": "", "output": output}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def baseline(source: Path, target: Path) -> None:
    seen = set()
    sha256 = hashlib.sha256()
    with source.open(encoding="utf-8") as lines, target.open("wb") as file:
        for line in lines:
            row = json.loads(line)
            texts = row["instruction"], row.get("input", ""), row["output"] if "output" in row else row["response"]
            if not all(isinstance(text, str) for text in texts):
                raise ValueError(line)
            id_ = row["id"] if "id" in row else hashlib.blake2b("\0".join(texts).encode()).hexdigest()[:16]
            if id_ in seen:
                raise ValueError(line)
            seen.add(id_)
            record = {"id": id_, "instruction": texts[0], "input": texts[1], "output": texts[2]}
            data = (json.dumps(record, ensure_ascii=False) + "\n").encode()
            sha256.update(data)
            file.write(data)
        file.flush()
        os.fsync(file.fileno())


def ours(source: Path, target: Path) -> None:
    write_atomic(target, map(record_line, read_records(source)))


def main() -> None:
    if len(sys.argv) > 1:
        run, source, target = {"ours": ours, "baseline": baseline}[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])
        print(json.dumps({"seconds": seconds(lambda: run(source, target)), "peak_mb": peak_mb()}))
        return
    results, peaks = [], []
    with tempfile.TemporaryDirectory() as folder:
        source, target, other = (Path(folder) / name for name in ("source", "target", "other"))

        def timed(kind: str, path: Path) -> float:
            os.sync()  # so that the fsync of a run waits for that run's bytes only
            result = alone(__file__, kind, source, path)
            if kind == "ours":
                peaks.append(result["peak_mb"])
            return float(result["seconds"])

        for release in (False, True):
            make(source, release)
            results.append(in_turns(lambda: timed("ours", target), lambda: timed("baseline", other), 5))
            with target.open("rb") as a, other.open("rb") as b:
                if any(json.loads(one) != json.loads(two) for one, two in zip(a, b, strict=True)):
                    raise SystemExit("the two wrote different records")
        size = source.stat().st_size / 1e6
    (own, base), (own_release, base_release) = results
    print(
        f"records: {base / own:.1f} times the line-by-line baseline ({own:.2f} s against {base:.2f} s); "
        f"{base_release / own_release:.1f} times where ids must be computed ({own_release:.2f} s against "
        f"{base_release:.2f} s); {RECORDS:,} records, {size:.0f} MB, peak {max(peaks):.0f} MB; {machine()}"
    )


if __name__ == "__main__":
    main()
