"""The report on a study of RQ1 to RQ4 over EVOL and OSS at full size: time, memory and the size of the page.

    python tests/performance/bench_report.py [EVOL_RECORDS OSS_RECORDS]      default: 110,000 and 75,000

The records are those of the Evol-Instruct file and of the stand-in for OSS-Instruct beside the repository, over and over, each with
a number behind its instruction, so that all texts differ. Scores and embeddings are drawn at random, since what they are changes
nothing here; files, manifests and mixes are written by the scripts' own functions. Then report.py runs in a process of its
own over all folders. What the folders hold is read from the disk or from memory, whichever the system has it in.
"""

import argparse
import contextlib
import io
import json
import runpy
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from measure import SHARED, alone, machine, peak_mb, seconds
from RQ2_composition.categories import CATEGORIES, task_type
from RQ2_composition.task_classifier_steps import COLUMNS
from seedkit import partition
from seedkit.files import file_facts
from seedkit.manifest import MANIFEST, OutputFolder
from seedkit.records import Record, json_lines, read_records, record_line
from seedkit.sources import Source

CODE = Path(__file__).resolve().parents[2] / "Code"
SEEDS = SHARED / "seeds"
FILES = {"EVOL": SEEDS / "evol_instruct_code.jsonl", "OSS": SEEDS / "codealpaca_oss_schema.jsonl"}
GENERAL, MATH = SEEDS / "alpaca_9k.jsonl", SEEDS / "math_standin.json"
SIZES = (110_000, 75_000)
DIMENSIONS = 768  # of INSTRUCTOR's embeddings


def copies(source: Path, count: int) -> Iterator[Record]:
    """`count` records that all differ, the texts of `source` over and over."""
    for number, record in enumerate(islice(cycle(read_records(source, rejects=[])), count), 1):
        yield Record(f"{source.stem}-{number}", f"{record.instruction} ({number})", record.input, record.output, number)


def run(script: str, *flags: object) -> str:
    """A script in this process; what it wrote to stdout."""
    said, sys.argv = io.StringIO(), [str(CODE / script), *map(str, flags)]
    with contextlib.redirect_stdout(said):
        runpy.run_path(str(CODE / script), run_name="__main__")
    return said.getvalue()


def tertiles(
    source: Source,
    rq: str,
    column: str,
    values: np.ndarray,
    more: dict[str, object],
    further: dict[str, list[float | None]],
) -> None:
    """Write the tertiles and the scores of a source, and its manifest."""
    names = [f"{rq}_{column.upper()}_{name}.jsonl" for name in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER")]
    found = partition.scored_rows(source, [None] * len(source.records), 0.0)
    split = partition.split(column, names, f"{column}_scores.jsonl", values)
    partition.write_tertiles(source, found, split, further)
    source.folder.finish(
        {
            **source.describe(),
            "arguments": {},
            "counts": partition.counts(source, found, "scored"),
            "tertiles": {"scores": split.scores_name, "column": column, "files": names},
            **more,
        }
    )


def opened(name: str, path: Path, folder: Path, stage: str, names: list[str]) -> Source:
    return Source(
        name, path, file_facts(path), OutputFolder(folder, stage, names, sources=[]), list(read_records(path)), []
    )


def build(folder: Path, name: str, count: int) -> None:
    """RQ1 to RQ3 of `count` records of a source."""
    pick = np.random.default_rng(count)
    path = folder / f"{name}.jsonl"
    with path.open("wb") as file:
        file.writelines(record_line(record) for record in copies(FILES[name], count))
    made = {rq: folder / rq / name for rq in ("RQ1", "RQ2", "RQ3")}
    files = [f"RQ1_COMPLEXITY_{one}.jsonl" for one in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER")]
    source = opened(name, path, made["RQ1"], "RQ1_complexity", [*files, "complexity_scores.jsonl"])
    semantic, linguistic = np.clip(pick.normal(2.5, 0.8, count), 0, 5), pick.lognormal(4, 1, count)
    identity = {"scorer": "embedded", "model": "embedded"}
    extra = {
        "models": {"semantic": identity, "linguistic": identity},
        "spearman_with_complexity": {"semantic": 0.9, "linguistic": 0.3},
    }
    further = {"semantic": semantic.tolist(), "linguistic": linguistic.tolist()}
    with source.folder:
        tertiles(source, "RQ1", "complexity", (semantic / 5 + linguistic / linguistic.max()) / 2, extra, further)
    files = [f"RQ3_DIVERSITY_{one}.jsonl" for one in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER")]
    source = opened(name, path, made["RQ3"], "RQ3_density", [*files, "diversity_scores.jsonl", "embeddings.npy"])
    vectors = pick.standard_normal((count, DIMENSIONS), dtype=np.float32) * np.geomspace(
        1, 0.01, DIMENSIONS, dtype=np.float32
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.save(folder / f"{name}.npy", vectors)
    del vectors
    spread = {
        "mean_pairwise_cosine": 0.5,
        "mean_neighbour_distance": 0.2,
        "neighbours_of": 2000,
        "vendi_score": 99.0,
        "vendi_sample": 2000,
    }
    with source.folder:
        source.folder.add("embeddings.npy", folder / f"{name}.npy")
        more: dict[str, object] = {"models": {"encoder": {"encoder": "minilm"}}, "spread": [spread] * 3}
        tertiles(source, "RQ3", "diversity", pick.normal(0.5, 0.1, count), more, {})
    classify(folder, name, path, made["RQ2"], pick)
    size = "20000" if count >= min(SIZES) else "auto"
    run(
        "RQ2_composition/composition_mixer.py",
        "--subset_size",
        size,
        "--input_file",
        made["RQ2"] / "classified.jsonl",
        "--output_dir",
        made["RQ2"],
    )


def breadth(folder: Path) -> None:
    """RQ4 of both sources, with 52,000 records of either other domain."""
    for stem, path in (("general", GENERAL), ("math", MATH)):
        with (folder / f"{stem}.jsonl").open("wb") as file:
            file.writelines(record_line(record) for record in copies(path, 52_000))
    sources = ["--input_file", *(folder / f"{name}.jsonl" for name in FILES), "--source_name", *FILES]
    domains = ["--general_file", folder / "general.jsonl", "--math_file", folder / "math.jsonl"]
    run("RQ4_breadth/domain_mixer.py", *sources, *domains, "--output_dir", folder / "RQ4")


def classify(folder: Path, name: str, path: Path, target: Path, pick: np.random.Generator) -> None:
    """Classified records with categories and margins drawn at random, half of them algorithmic."""
    source = opened(name, path, target, "RQ2_classification", ["classified.jsonl"])
    weights = np.array([0.25] * 2 + [0.5 / 8] * 8)
    category = pick.choice(len(CATEGORIES), len(source.records), p=weights)
    margin = np.round(pick.exponential(0.1, len(source.records)), 6)
    found = partition.scored_rows(source, [None] * len(source.records), 0.0)
    counts = Counter(CATEGORIES[number] for number in category.tolist())
    rows = (
        {
            "id": record.id, "instruction": record.instruction, "input": record.input, "output": record.output,
            "assigned_category": CATEGORIES[category[n]], "category_similarity": 0.5, "category_margin": float(margin[n]),
            "task_type": task_type(CATEGORIES[category[n]]),
        }
        for n, record in enumerate(source.records)
    )  # fmt: skip
    with source.folder:
        source.folder.write("classified.jsonl", json_lines(rows))
        source.folder.finish(
            {
                **source.describe(),
                "arguments": {},
                "models": {"tasks": {"encoder": "minilm"}},
                "prototypes": {"kind": "described", "count": 521},
                "counts": partition.counts(source, found, "classified"),
                "classified": {
                    "file": "classified.jsonl",
                    "columns": COLUMNS,
                    "categories": {one: {"task_type": task_type(one), "records": counts[one]} for one in CATEGORIES},
                },
            }
        )


def child(page: Path, folders: list[str]) -> None:
    """Run report.py here and print what it took, as JSON."""
    took = seconds(lambda: run("report/report.py", *folders, "--output", page))
    print(json.dumps({"seconds": round(took, 1), "peak_mb": round(peak_mb()), "page_mb": page.stat().st_size / 1e6}))


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("sizes", type=int, nargs="*", default=SIZES)
    flags.add_argument("--folder", type=Path, help="where the folders are made, and stay (default: a temporary one)")
    flags.add_argument("--report", nargs="+", help=argparse.SUPPRESS)
    args = flags.parse_args()
    if args.report:
        return child(Path(args.report[0]), args.report[1:])
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        folders = [folder / rq / name for name in FILES for rq in ("RQ1", "RQ2", "RQ3", "RQ4")]
        if not all((one / MANIFEST).exists() for one in folders):
            for name, count in zip(FILES, args.sizes, strict=True):
                build(folder, name, count)
            breadth(folder)
        size = sum(path.stat().st_size for one in folders for path in one.iterdir() if path.is_file())
        print(
            f"{machine()}\n{len(folders)} folders, {size / 1e9:.1f} GB, {' and '.join(f'{count:,}' for count in args.sizes)} records"
        )
        for _ in range(3):
            print(alone(__file__, "--report", folder / "report.html", *folders))


if __name__ == "__main__":
    main()
