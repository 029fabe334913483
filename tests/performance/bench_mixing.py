"""Writing the 15 mixes of RQ2 of 20,000 records each: against json.dump with indent, and against cp of the same bytes.

    python tests/performance/bench_mixing.py [RECORDS_IN_EACH]

The records are those of the Evol-Instruct file beside the repository, over and over. What is measured is the mixing itself:
drawing, writing, hashing and syncing the 15 files; it ends with everything on the disk, so cp is followed by sync. The
baseline dumps the same records, already parsed, in the same order. Memory is that of the whole command, as a multiple of
its input.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from measure import SHARED, in_turns, machine, peak_mb, seconds
from RQ2_composition.composition_mixer_steps import KINDS, plan
from seedkit.manifest import OutputFolder
from seedkit.mixes import Pool, write_mixes
from seedkit.records import Record, read_records

ROOT = Path(__file__).resolve().parents[2]


def pools(count: int) -> list[Pool]:
    """`count` records of each kind, the texts of the Evol-Instruct file over and over."""
    source = SHARED / "seeds" / "evol_instruct_code.jsonl"
    if not source.exists():
        raise SystemExit(f"mixing not measured: no data at {source}")
    texts = cycle(read_records(source))
    result = []
    for kind in KINDS:
        pool = Pool(kind)
        for number, record in enumerate(islice(texts, count), 1):
            pool.add(Record(f"{kind}{number}", record.instruction, f"{number}", record.output, number))
        result.append(pool)
    return result


def peak_of_the_command(folder: Path, own: list[Pool], size: int) -> tuple[float, float]:
    """Peak memory of composition_mixer.py on these records in MB, and the size of its input in MB."""
    data = folder / "classified.jsonl"
    with data.open("wb") as file:
        for pool in own:
            file.writelines(line[:-2] + f',"task_type":"{pool.kind}"}}\n'.encode() for line in pool.lines.all())
    script = ROOT / "Code" / "RQ2_composition" / "composition_mixer.py"
    command = [sys.executable, script, "--input_file", data, "--output_dir", folder / "out", "--subset_size", str(size)]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, peak_mb(process.pid))
        time.sleep(0.002)
    if process.returncode:
        raise SystemExit(f"composition_mixer.py ended with status {process.returncode}")
    return peak, data.stat().st_size / 1e6


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    own = pools(size * 11 // 4)  # 110,000 records for mixes of 20,000
    mixes = plan(size, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = [*(mix.name for mix in mixes), "pool.jsonl"]

        def ours() -> float:
            with OutputFolder(folder / "ours", "bench", names, sources=[]) as output:
                return seconds(lambda: write_mixes(output, own, mixes, 0, "pool.jsonl", "task_type"))

        def copied() -> float:
            shutil.rmtree(folder / "copy", ignore_errors=True)
            return seconds(
                lambda: subprocess.run(
                    f"cp -r '{folder}/ours' '{folder}/copy' && sync -f '{folder}/copy'", shell=True, check=True
                )
            )

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
