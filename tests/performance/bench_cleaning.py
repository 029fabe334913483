"""Cleaning a release of the size of Evol-Instruct: 110,000 records of about 1,560 bytes, duplicates planted in it.

    python tests/performance/bench_cleaning.py [RECORDS]

The texts are those of the Evol-Instruct file beside the repository, with three words in ten exchanged for others of its
words, so that hardly any two are alike by chance; two answers in five have another one added, for the size. One record in fifty is an exact copy of the instruction of an earlier one, one in
fifty has one of its words changed. Recall is counted on the planted ones; of the second kind on those whose Jaccard similarity is
the threshold or more. The whole command is measured: hash, read, clean, write, manifest.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from measure import SHARED, alone, machine, peak_mb
from seedkit.records import read_records
from seeds import fetch_seeds_steps
from seeds.cleaning import MAX_CHARS, THRESHOLD
from seeds.near_duplicates import jaccard, shingles
from seeds.releases import RELEASES

EVERY = 50


@dataclass
class Planted:
    exact: set[int]
    near: set[int]


def varied(text: str, words: list[str], random_: random.Random) -> str:
    return " ".join(random_.choice(words) if random_.random() < 0.3 else word for word in text.split(" "))


def write(path: Path, count: int) -> Planted:
    """Write `count` records, and return the lines of the planted ones."""
    source = SHARED / "seeds" / "evol_instruct_code.jsonl"
    if not source.exists():
        raise SystemExit(f"cleaning not measured: no data at {source}")
    records = [record for record in read_records(source, rejects=[]) if record.output.strip()]
    words = sorted({word for record in records for word in record.instruction.split()})
    answers = cycle(record.output for record in records)
    random_ = random.Random(0)
    planted = Planted(set(), set())
    asked: list[str] = []
    with path.open("w", encoding="utf-8") as file:
        for line, record in zip(range(1, count + 1), cycle(records), strict=False):
            earlier = random_.choice(asked) if asked else ""
            if line % EVERY == 0:
                planted.exact.add(line)
                instruction = earlier
            elif line % EVERY == 1 and len(own := earlier.split(" ")) > 1:
                own[random_.randrange(len(own))] = "exchanged"
                instruction = " ".join(own)
                if jaccard(shingles(earlier), shingles(instruction)) >= THRESHOLD:
                    planted.near.add(line)
            else:
                instruction = varied(record.instruction, words, random_)
                asked.append(instruction)
            response = record.output
            if random_.random() < 0.4:
                response += "\n" + next(answers)
            file.write(json.dumps({"instruction": instruction, "response": response}, ensure_ascii=False) + "\n")
    return planted


def run(folder: Path) -> None:
    """The command itself, in this process; prints what it took."""
    args = argparse.Namespace(
        sources=["EVOL"],
        from_dir=folder,
        output_dir=folder / "out",
        revision={},
        resume=True,
        max_chars=MAX_CHARS,
        near_duplicates=THRESHOLD,
    )
    start = time.perf_counter()
    counts = fetch_seeds_steps.fetch("EVOL", fetch_seeds_steps.find(args)["EVOL"], [], args)
    print(json.dumps({"seconds": time.perf_counter() - start, "mb": peak_mb(), "counts": counts}))


def main() -> None:
    if len(sys.argv) == 3:
        return run(Path(sys.argv[2]))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 110_000
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / RELEASES["EVOL"].name
        planted = write(data, count)
        megabytes = data.stat().st_size / 1e6
        took = alone(__file__, "run", name)
        gone: dict[str, set[int]] = {"exact": set(), "near": set()}
        for text in (Path(name) / "out" / "EVOL_rejects.jsonl").read_bytes().splitlines():
            row = json.loads(text)
            gone.setdefault(row["reason"].split()[0], set()).add(row["line"])
    exact, near = len(planted.exact & gone["exact"]), len(planted.near & (gone["near"] | gone["exact"]))
    others = sum(map(len, gone.values())) - len((planted.exact | planted.near) & set().union(*gone.values()))
    print(
        f"cleaning: {count:,} records, {megabytes:.0f} MB ({megabytes * 1e6 / count:,.0f} bytes each): {took['seconds']:.1f} s, "
        f"{count / took['seconds']:,.0f} records a second, peak {took['mb']:.0f} MB; found {exact:,} of {len(planted.exact):,} exact "
        f"and {near:,} of {len(planted.near):,} near duplicates; {others:,} records left for other reasons; {machine()}"
    )


if __name__ == "__main__":
    main()
