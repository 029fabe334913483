"""Writing the 15 mixes of RQ2 of 20,000 records each, and the memory of both mixers.

    python tests/performance/bench_mixing.py [RECORDS_IN_EACH]

Writing is compared with json.dump with indent, and with cp of the same bytes. What is measured is the mixing itself:
drawing, writing, hashing and syncing the 15 files from 110,000 records; it ends with everything on the disk, so cp is
followed by sync. The baseline dumps the same records, already parsed, in the same order.

Memory is the peak of the whole command, composition_mixer.py and domain_mixer.py, for 20,000 and 110,000 records, as a
multiple of its input. domain_mixer.py has two other domains of two fifths of that number each. The records are those of
the Evol-Instruct file and the stand-ins for Alpaca and MathInstruct beside the repository, over and over.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from measure import SHARED, in_turns, machine, peak_mb, seconds
from RQ2_composition.composition_mixer_steps import KINDS, plan
from seedkit.manifest import OutputFolder
from seedkit.mixes import Pool, write_mixes
from seedkit.records import Record, json_lines, read_records
from seedkit.spool import spooled

CODE = Path(__file__).resolve().parents[2] / "Code"
SEEDS = SHARED / "seeds"
EVOL, GENERAL, MATH = SEEDS / "evol_instruct_code.jsonl", SEEDS / "alpaca_9k.jsonl", SEEDS / "math_standin.json"
SIZES = (20_000, 110_000)  # records


def records(source: Path, count: int) -> Iterator[Record]:
    """`count` different records, the texts of `source` over and over."""
    for number, record in enumerate(islice(cycle(read_records(source)), count), 1):
        yield Record(f"{source.stem}{number}", record.instruction, f"{number}", record.output, number)


@contextmanager
def pools(folder: Path, size: int) -> Iterator[list[Pool]]:
    """Pools of `size` records of each kind."""
    with spooled(folder) as spool:
        found = [Pool(kind, spool) for kind in KINDS]
        for pool in found:
            for record in records(EVOL, size):
                pool.add(record)
        yield found


def writing(folder: Path, size: int) -> str:
    """How long mixes of `size` records take, against cp and json.dump."""
    mixes = plan(size, 3)
    names = [*(mix.name for mix in mixes), "pool.jsonl"]
    with pools(folder, size * 11 // 4) as own:

        def ours() -> float:
            with OutputFolder(folder / "ours", "bench", names, sources=[]) as output:
                return seconds(lambda: write_mixes(output, own, mixes, 0, "pool.jsonl", "task_type"))

        def copied() -> float:
            shutil.rmtree(folder / "copy", ignore_errors=True)
            command = f"cp -r '{folder}/ours' '{folder}/copy' && sync -f '{folder}/copy'"
            return seconds(lambda: subprocess.run(command, shell=True, check=True))

        ours()
        own_s, copy_s = in_turns(ours, copied, 5)
        one = [json.loads(line) for line in (folder / "ours" / mixes[1].name).read_bytes().splitlines()]

        def dumped() -> float:
            """One file of the 15; the others are as large."""
            with (folder / "dump.json").open("w", encoding="utf-8") as file:
                return len(mixes) * seconds(lambda: json.dump(one, file, indent=2, ensure_ascii=False))

        own_again_s, dump_s = in_turns(ours, dumped, 5)
    megabytes = sum((folder / "ours" / mix.name).stat().st_size for mix in mixes) / 1e6
    return (
        f"mixing: {len(mixes)} files of {size:,} records, {megabytes:.0f} MB: {dump_s / own_again_s:.1f} times json.dump with "
        f"indent ({own_again_s:.2f} s, {dump_s:.2f} s), {own_s / copy_s:.1f} times as long as cp and sync "
        f"({own_s:.2f} s, {copy_s:.2f} s)"
    )


def peak_of(script: str, *flags: object) -> float:
    """Peak memory of a command in MB."""
    command = [sys.executable, str(CODE / script), *map(str, flags)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, peak_mb(process.pid))
        time.sleep(0.002)
    if process.returncode:
        raise SystemExit(f"{script} ended with status {process.returncode}")
    return peak


def write(path: Path, source: Path, count: int, classified: bool = False) -> Path:
    rows = (
        {"id": record.id, "instruction": record.instruction, "input": record.input, "output": record.output}
        | ({"task_type": KINDS[record.line % 2]} if classified else {})
        for record in records(source, count)
    )
    with path.open("wb") as file:
        file.writelines(json_lines(rows))
    return path


def composition_memory(folder: Path, count: int) -> tuple[float, float]:
    """Peak of composition_mixer.py and its input, in MB."""
    data = write(folder / "classified.jsonl", EVOL, count, classified=True)
    size = min(20_000, count // 4)
    flags = ("--input_file", data, "--subset_size", size, "--output_dir", folder / f"composition{count}")
    return peak_of("RQ2_composition/composition_mixer.py", *flags), data.stat().st_size / 1e6


def domain_memory(folder: Path, count: int) -> tuple[float, float]:
    """Peak of domain_mixer.py and its three inputs, in MB."""
    files = [
        write(folder / "code.jsonl", EVOL, count),
        write(folder / "general.jsonl", GENERAL, count * 2 // 5),
        write(folder / "math.jsonl", MATH, count * 2 // 5),
    ]
    flags = zip(("--input_file", "--general_file", "--math_file"), files, strict=True)
    peak = peak_of(
        "RQ4_breadth/domain_mixer.py", *(x for pair in flags for x in pair), "--output_dir", folder / f"domain{count}"
    )
    return peak, sum(path.stat().st_size for path in files) / 1e6


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    if not EVOL.exists():
        raise SystemExit(f"mixing not measured: no data at {EVOL}")
    with tempfile.TemporaryDirectory() as name:
        print(f"{writing(Path(name), size)}; {machine()}")
        for script, memory in (("composition_mixer.py", composition_memory), ("domain_mixer.py", domain_memory)):
            found = [memory(Path(name), count * size // 20_000) for count in SIZES]
            told = [f"{peak:.0f} MB for {data:.0f} MB of input, {peak / data:.2f} times" for peak, data in found]
            (less, small), (more, large) = found
            growth = f"{(more - less) / (large - small):.2f} bytes for each further byte of input"
            print(f"{script}: peak {'; '.join(told)}; {growth}")


if __name__ == "__main__":
    main()
