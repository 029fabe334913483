"""How do time and memory grow with the number of records, and what would ten million need?

    python tests/performance/bench_growth.py [N ...] [--parts rq1 rq3 ...] [--keep FILE]      default: 100,000 and 300,000

The records are those of the Evol-Instruct file and the stand-ins for Alpaca and MathInstruct beside the repository, over and
over, with three words in ten exchanged for others of the file and a number behind the answer, so that all differ and hardly any
two are near duplicates. Every part is the real script in a process of its own. Models are left out, since their time is
that of the texts: scores and vectors are drawn at random by a stage that runs through the same workers, journals and stores
(`score` and `embed`), where complexity_scorer.py and diversity_scorer.py then find them.

Of each part the CPU seconds (user and system) of all its processes, the seconds by the clock, and the most memory of all its
processes together: the proportional set size (PSS), with and without the pages of files, which the system may drop. Exponents
are slopes of log(CPU seconds) and log(MB) over log(N). What ten million need lies on the straight line through the two largest N,
or where the exponent is above 1 on that power of N, whichever is more.

A part runs what it reads first, if that is not there. --keep FILE has the figures as JSON after every part; a part whose
figures are there is not measured again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measure import SHARED, machine
from numpy.typing import NDArray
from seedkit.files import write_atomic
from seedkit.records import json_lines, read_records
from seedkit.score_store import Score, ScoreStore
from seedkit.stage import ModelSpec, score_texts

CODE = Path(__file__).resolve().parents[2] / "Code"
SEEDS = SHARED / "seeds"
FILES = {"records": "evol_instruct_code.jsonl", "general": "alpaca_9k.jsonl", "math": "math_standin.json"}
BENCHMARKS = [SHARED / "benchmarks" / name for name in ("HumanEval.jsonl", "mbpp.jsonl")]
RELEASE = "data-evol_instruct-decontaminated.jsonl"
SIZES = (100_000, 300_000)
TARGET = 10_000_000  # records
EXCHANGED = 0.3  # share of the words of an instruction
OTHER = 0.4  # records of either other domain, as a share of the code's; 30% of it are drawn at most
DIMENSION = 384  # of MiniLM's vectors
EVERY_S = 0.2  # between two looks at the memory


class Part(NamedTuple):
    """What is measured: a command, its words in braces being files of the folder, and the parts whose outputs it reads."""

    command: str
    needs: tuple[str, ...] = ()


RQ1 = (
    "RQ1_complexity/complexity_scorer.py --scorer embedded --device cpu --input_file {records.jsonl} --output_dir {rq1}"
)
RQ3 = "RQ3_density/diversity_scorer.py --embedder minilm --device cpu --input_file {records.jsonl} --output_dir {rq3}"
BUILT = ("rq1", "rq2", "rq3", "rq4", "baselines")
PARTS = {
    "score": Part(f"{__file__} --draw score {RQ1}"),
    "rq1": Part(RQ1, ("score",)),
    "rq2": Part(
        "RQ2_composition/composition_mixer.py --subset_size auto --input_file {classified.jsonl} --source_name RECORDS --output_dir {rq2}"
    ),
    "embed": Part(f"{__file__} --draw embed {RQ3}"),
    "rq3": Part(RQ3, ("embed",)),
    "rq4": Part(
        "RQ4_breadth/domain_mixer.py --input_file {records.jsonl} --general_file {general.jsonl} --math_file {math.jsonl} "
        "--output_dir {rq4}"
    ),
    "baselines": Part(
        "baselines/baseline_subsets.py --method random longest --input_file {records.jsonl} --output_dir {baselines}"
    ),
    "fetch": Part("seeds/fetch_seeds.py --sources EVOL --from_dir {release} --output_dir {fetch}"),
    "decontaminate": Part(
        "seeds/decontaminate.py --remove --input_file {records.jsonl} --output_dir {decontaminate} --benchmarks "
        + " ".join(map(str, BENCHMARKS))
    ),
    **{f"verify-{name}": Part(f"seedkit/verify.py {{{name}}}", (name,)) for name in (*BUILT, "fetch")},
    "report": Part(
        f"report/report.py {' '.join(f'{{{name}}}' for name in BUILT)} {{decontaminate}} --output {{report.html}}",
        (*BUILT, "decontaminate"),
    ),
}  # fmt: skip


class Drawn:
    """A stage without a model: scores, or with `vectors` unit vectors, drawn at random. For `score` and `embed`."""

    def __init__(self, *, vectors: bool, device: str) -> None:
        self._random = np.random.default_rng(0)
        self._vectors = vectors
        self._scale = np.geomspace(1, 0.01, DIMENSION, dtype=np.float32)  # embeddings have few directions that count

    def __call__(self, texts: list[str]) -> Any:
        if not self._vectors:
            return [Score(round(value, 6)) for value in self._random.lognormal(0, 0.5, len(texts)).tolist()]
        rows: NDArray[np.float32] = self._random.standard_normal((len(texts), DIMENSION), dtype=np.float32)
        rows = (rows + 0.5) * self._scale
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def draw(what: str) -> None:
    """Fill the store in which the script of the command line will look for its scores, or its vectors."""
    stage = partial(Drawn, vectors=what == "embed")
    if what == "score":
        from RQ1_complexity import complexity_scorer, scorers

        args = complexity_scorer.parse()
        texts = [record.query for record in read_records(args.input_file[0])]
        for measure, spec in scorers.plan(args, len(texts)).items():
            with (
                ModelSpec(stage, ["cpu"], spec.identity).workers() as workers,
                ScoreStore(args.output_dir / ".scores", measure, spec.identity) as store,
            ):
                score_texts(workers, texts, store, measure)
        return
    from RQ3_density import diversity_scorer
    from seedkit.embed import encoder_spec
    from seedkit.embedding_store import embed

    args = diversity_scorer.parse()
    records = list(read_records(args.input_file[0]))
    encoder = ModelSpec(stage, ["cpu"], encoder_spec(args, diversity_scorer.INSTRUCTION).identity)
    asked = {number: record.query for number, record in enumerate(records) if record.query.strip()}
    ids = [record.id for record in records]
    embed(encoder, asked, ids, args.output_dir / ".scores", "embeddings", label="embeddings")


def rows(source: Path, count: int) -> Iterator[dict[str, Any]]:
    """`count` records made of those of `source`, all different."""
    records = [record for record in read_records(source, rejects=[]) if record.output.strip()]
    words = sorted({word for record in records for word in record.instruction.split()})
    random = np.random.default_rng(0)
    for number, record in enumerate(islice(cycle(records), count)):
        own = record.instruction.split(" ")
        places = np.flatnonzero(random.random(len(own)) < EXCHANGED).tolist()
        for place, other in zip(places, random.integers(len(words), size=len(places)).tolist(), strict=True):
            own[place] = words[other]
        output = f"{record.output}\n# {number}"
        yield {"instruction": f"{' '.join(own)} ({number})", "input": record.input, "output": output}


def make(folder: Path, count: int, command: str) -> None:
    """Write the inputs that a command names, if they are not there yet."""
    for name, source in FILES.items():
        if f"{{{name}.jsonl}}" in command and not (path := folder / f"{name}.jsonl").exists():
            wanted = count if name == "records" else int(OTHER * count)
            write_atomic(path, json_lines(rows(SEEDS / source, wanted)))
    if "{classified.jsonl}" in command:
        kinds = cycle(("algorithmic", "practical"))
        made = ({**row, "task_type": next(kinds)} for row in rows(SEEDS / FILES["records"], count))
        write_atomic(folder / "classified.jsonl", json_lines(made))
    if "{release}" in command:
        (folder / "release").mkdir(exist_ok=True)
        made = (
            {"instruction": row["instruction"], "response": row["output"]}
            for row in rows(SEEDS / FILES["records"], count)
        )
        write_atomic(folder / "release" / RELEASE, json_lines(made))


def processes(root: int) -> Iterator[int]:
    """A process and all that came of it."""
    yield root
    for task in Path(f"/proc/{root}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from processes(int(child))


def memory(root: int) -> tuple[float, float]:
    """PSS of a process and all that came of it in MB, with and without the pages of files."""
    found = {"Pss": 0, "Pss_File": 0}
    for process in processes(root):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in found:
                found[name] += int(value.split()[0])
    return found["Pss"] * 1024 / 1e6, (found["Pss"] - found["Pss_File"]) * 1024 / 1e6


def measured(folder: Path, name: str) -> dict[str, float]:
    """Run a part and say what it took."""
    words = PARTS[name].command.split()
    command = [str(folder / word[1:-1]) if word.startswith("{") else word for word in words]
    command[0] = command[0] if command[0] == __file__ else str(CODE / command[0])
    start, peaks = time.perf_counter(), np.zeros(2)
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, *command], stdout=log, stderr=log)
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            try:
                peaks = np.maximum(peaks, memory(process.pid))
            except (FileNotFoundError, ProcessLookupError):
                pass  # a process ended in between
            time.sleep(EVERY_S)
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    if process.returncode:
        raise SystemExit(f"{name} ended with status {process.returncode}:\n{(folder / f'{name}.log').read_text()}")
    used = ended[2]
    return {
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "wall_s": round(time.perf_counter() - start, 2),
        "mb": round(float(peaks[0]), 1),
        "own_mb": round(float(peaks[1]), 1),
    }


def fill(folder: Path, count: int, parts: list[str], figures: dict[str, Any], keep: Path | None) -> None:
    """Measure the parts that have no figures for `count` records yet, and what they need."""
    done: set[str] = set()

    def run(name: str) -> None:
        for needed in PARTS[name].needs:
            if needed not in done:
                run(needed)
        make(folder, count, PARTS[name].command)
        found = measured(folder, name)
        done.add(name)
        figures.setdefault(name, {})[str(count)] = found
        print(f"{name} of {count:,}: {found}", flush=True)
        if keep:
            write_atomic(keep, [json.dumps(figures, indent=1).encode()])

    for name in parts:
        if name not in done and str(count) not in figures.get(name, {}):
            run(name)


def table(figures: dict[str, Any]) -> Iterator[str]:
    """The figures of all parts that have them, as the lines of a Markdown table."""
    sizes = sorted({int(count) for found in figures.values() for count in found})
    heads = [f"{count:,}: CPU s, s, MB" for count in sizes]
    last = ["exponent of CPU s", "of MB", f"{TARGET:,}: CPU h", "GB", "GB without files' pages"]
    yield f"| part | {' | '.join([*heads, *last])} |"
    yield "|---" * (1 + len(heads) + len(last)) + "|"
    for name in (one for one in PARTS if one in figures):
        found = {int(count): one for count, one in figures[name].items()}
        cells = [
            f"{found[n]['cpu_s']:,.1f}, {found[n]['wall_s']:,.1f}, {found[n]['mb']:,.0f}" if n in found else "-"
            for n in sizes
        ]
        if len(found) > 1:
            slopes = [slope(found, what) for what in ("cpu_s", "mb")]
            most = [needed(found, what) for what in ("cpu_s", "mb", "own_mb")]
            cells += [f"{slopes[0]:.2f}", f"{slopes[1]:.2f}"]
            cells += [f"{most[0] / 3600:,.1f}", f"{most[1] / 1000:,.1f}", f"{most[2] / 1000:,.1f}"]
        else:
            cells += ["-"] * len(last)
        yield f"| {name} | {' | '.join(cells)} |"


def slope(found: dict[int, dict[str, float]], what: str) -> float:
    """The exponent of growth: the slope of log(value) over log(records)."""
    counts = sorted(found)
    return float(np.polyfit(np.log(counts), np.log([found[count][what] for count in counts]), 1)[0])


def needed(found: dict[int, dict[str, float]], what: str) -> float:
    """The value at TARGET: on the line through the two largest counts, or by the exponent where that is above 1 and gives more."""
    less, most = sorted(found)[-2:]
    rise = (found[most][what] - found[less][what]) / (most - less)
    power = found[most][what] * (TARGET / most) ** slope(found, what) if slope(found, what) > 1 else 0.0
    return max(found[most][what] + max(0.0, rise) * (TARGET - most), power)


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("sizes", type=int, nargs="*", default=SIZES, metavar="N", help="numbers of records")
    flags.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    flags.add_argument("--keep", type=Path, metavar="FILE", help="figures as JSON, which a later run goes on from")
    flags.add_argument("--folder", type=Path, help="on whose disk all is made (default: that of temporary files)")
    args = flags.parse_args()
    if not all((SEEDS / name).exists() for name in FILES.values()):
        raise SystemExit(f"growth not measured: no data at {SEEDS}")
    figures = json.loads(args.keep.read_text()) if args.keep and args.keep.exists() else {}
    for count in args.sizes:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            fill(Path(folder), count, args.parts, figures, args.keep)
    print("\n".join([machine(), *table(figures)]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--draw"]:
        _, _, kind, *sys.argv[:] = sys.argv
        draw(kind)
    else:
        main()
