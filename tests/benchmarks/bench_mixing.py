"""Writing the 15 mixes of RQ2 of 20,000 records each: against json.dump with indent, and against cp of the same bytes.

    python tests/benchmarks/bench_mixing.py [RECORDS_IN_EACH]

Records have the size of EVOL's. The mixer's own part is measured: drawing, writing, hashing and syncing the 15 files; it
ends with everything on the disk, so cp is followed by sync. The baseline dumps the same records, already parsed, in the
same order. Memory is that of the whole command, as a multiple of its input.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import in_turns, machine, seconds
from RQ2_composition.composition import KINDS, plan
from seedkit.manifest import OutputFolder
from seedkit.mixes import Pool, write_mixes
from seedkit.records import Record

ROOT = Path(__file__).resolve().parents[2]


def pools(count: int) -> list[Pool]:
    """`count` records of each kind, about 1,560 bytes each, as EVOL's."""
    pick = random.Random(0)
    words = [f"word{number}" for number in range(5000)]
    result = []
    for kind in KINDS:
        pool = Pool(kind)
        for number in range(count):
            texts = [" ".join(pick.choices(words, k=size)) for size in (60, 115)]
            pool.add(Record(f"{kind}{number}", texts[0], "", texts[1], number + 1))
        result.append(pool)
    return result


def peak_of_the_command(folder: Path, own: list[Pool], size: int) -> tuple[float, float]:
    """Peak memory of composition_mixer.py on these records in MB, and the size of its input in MB."""
    data = folder / "classified.jsonl"
    with data.open("wb") as file:
        for pool in own:
            file.writelines(line[:-2] + f',"task_type":"{pool.kind}"}}\n'.encode() for line in pool.lines)
    script = ROOT / "Code" / "RQ2_composition" / "composition_mixer.py"
    command = [sys.executable, script, "--input_file", data, "--output_dir", folder / "out", "--subset_size", str(size)]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"composition_mixer.py ended with status {status}")
    return usage.ru_maxrss / 1000, data.stat().st_size / 1e6


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    own = pools(size * 11 // 10)
    mixes = plan(size, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = [*(mix.name for mix in mixes), "pool.jsonl"]

        def ours() -> float:
            with OutputFolder(folder / "ours", "bench", names, sources=[]) as output:
                return seconds(lambda: write_mixes(output, own, mixes, 0, "pool.jsonl", "task_type"))

        def copied() -> float:
            shutil.rmtree(folder / "copy", ignore_errors=True)
            return seconds(lambda: subprocess.run(
                f"cp -r '{folder}/ours' '{folder}/copy' && sync -f '{folder}/copy'", shell=True, check=True))  # fmt: skip

        ours()
        own_s, copy_s = in_turns(ours, copied, 5)

        one = [json.loads(line) for line in (folder / "ours" / mixes[1].name).read_bytes().splitlines()]

        def dumped() -> float:
            """One file of the 15; the others are as large."""

            def run() -> None:
                with (folder / "dump.json").open("w", encoding="utf-8") as file:
                    json.dump(one, file, indent=2, ensure_ascii=False)

            return seconds(run) * len(mixes)

        dump_s = sorted(dumped() for _ in range(3))[1]
        megabytes = sum((folder / "ours" / mix.name).stat().st_size for mix in mixes) / 1e6
        peak, data = peak_of_the_command(folder, own, size)
    print(
        f"mixing: {len(mixes)} files of {size:,} records, {megabytes:.0f} MB: {dump_s / own_s:.1f} times json.dump with indent "
        f"({own_s:.2f} s, {dump_s:.1f} s), {own_s / copy_s:.1f} times as long as cp and sync ({copy_s:.2f} s); "
        f"composition_mixer.py peak {peak:.0f} MB for {data:.0f} MB of input, {peak / data:.2f} times; {machine()}"
    )


if __name__ == "__main__":
    main()
