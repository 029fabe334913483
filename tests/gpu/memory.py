"""Memory: what happens when it is short, and whether a model leaves it behind."""

import functools
import json
import subprocess
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import shapes
from bench import Bench, run, trace_only
from checks import BFLOAT16, FLOAT32, at_once, column, scored, scorer_flags

LIMITED = Path(__file__).resolve().with_name("limited.py")


def little_memory(bench: Bench) -> None:
    """Batches that do not fit are halved and scored the same; what does not fit in any case is one line."""
    scorer_flags(bench, bench.work)  # the models are made here, before several ask for them
    jobs = [functools.partial(job, bench, 20 if bench.toy else 2000) for job in (large_batches, long_text)]
    if bench.toy:
        at_once(bench, *jobs)
        return
    for job in (*jobs, functools.partial(large_model, bench)):  # each takes all memory but a little
        job()


def large_batches(bench: Bench, left: int) -> None:
    """All texts in a few batches, of which each has to be halved."""
    folder, count = bench.work / "halved", bench.work / "short"
    flags = scorer_flags(bench, folder, *FLOAT32, "--max_batch_tokens", "4000000")
    done = run(limited(bench, left, count, flags))
    bench.report("large batches, exit code", done.returncode, _end(done.stderr), holds=done.returncode == 0)
    if done.returncode:
        return
    short = int(count.read_text())
    bench.report("large batches, times that memory was short", short, holds=short > 0)
    halved = json.loads((folder / "manifest.json").read_text()).get("halved", {})
    said = "memory did not hold whole batches" in done.stdout
    bench.report(
        "large batches, scores in halved batches", json.dumps(halved), holds=said and halved.get("semantic", 0) > 0
    )
    base = scored(bench, "float32", *FLOAT32)
    for part in ("semantic", "linguistic"):
        one, other = column(base, part), column(folder, part)
        off = float((np.abs(one - other) / np.maximum(1, np.abs(one))).max())
        bench.report(f"large batches, {part}, largest difference", off, holds=off < 1e-5)


def long_text(bench: Bench, left: int) -> None:
    """One text that memory does not hold."""
    long = bench.work / "long.jsonl"
    words = [*bench.texts[:3], "word " * (30_000 if bench.toy else 100_000)]
    long.write_text("".join(json.dumps({"instruction": text, "output": "x"}) + "\n" for text in words))
    flags = scorer_flags(bench, bench.work / "too_long", *FLOAT32)
    flags[flags.index("--input_file") + 1] = str(long)
    one_line(
        bench, "one text too large", run(limited(bench, left, bench.work / "ignored", flags)), "does not hold one text"
    )


def large_model(bench: Bench) -> None:
    """A model that memory does not hold."""
    flags = scorer_flags(bench, bench.work / "too_large", *BFLOAT16)
    flags[flags.index("--scoring_model") + 1] = str(shapes.llama_135m(bench))
    one_line(
        bench, "a model too large", run(limited(bench, 150, bench.work / "ignored_too", flags)), "does not hold it"
    )


def limited(bench: Bench, left: int, count: Path, flags: list[str]) -> list[str]:
    return bench.scorer(*flags, script=LIMITED, before=(left, count))


def one_line(bench: Bench, what: str, done: "subprocess.CompletedProcess[str]", words: str) -> None:
    """Whether a run failed with exit code 1 and one line that holds `words`."""
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    good = done.returncode == 1 and len(errors) == 1 and words in errors[0] and "Traceback" not in done.stderr
    bench.report(what, errors[0][:200] if errors else _end(done.stderr), f"(exit code {done.returncode})", holds=good)


def _end(text: str) -> str:
    return text.strip().splitlines()[-1][:300] if text.strip() else ""


def given_back(bench: Bench) -> None:
    """What a scoring model leaves on the device when its work is done, with its layers compiled."""
    import torch
    from RQ1_complexity.complexity import prompt
    from seedkit.digit_scorers import TransformersDigits
    from seedkit.stage import Workers

    if bench.toy:
        trace_only()
    made: list[weakref.ref[Any]] = []  # the network, which a cache of compiled code could keep

    def factory(*, device: str) -> TransformersDigits:
        model = str(shapes.llama_135m(bench))
        scorer = TransformersDigits(
            model, prompt, device=device, dtype="bfloat16", max_batch_tokens=4096, compiled=True
        )
        made.append(weakref.ref(scorer._model))
        return scorer

    with Workers(factory, [bench.device]) as workers:
        scores = [score for _, chunk in workers.map([bench.texts[:64]]) for score in chunk]
        in_use = torch.cuda.memory_reserved() / 1e9 if bench.cuda else 0.0
    gone = made[0]() is None
    bench.report("scores", len(scores), holds=len(scores) == 64)
    bench.report("the model is gone afterwards", str(gone), holds=gone)
    if bench.cuda:
        torch._C._cuda_clearCublasWorkspaces()  # which a process keeps whatever the model, 34 MB on an H100
        torch.cuda.empty_cache()
        left = torch.cuda.memory_reserved() / 1e9
        bench.report("memory taken while it was there", in_use, "GB")
        bench.report("memory taken afterwards", left, "GB", holds=left < 0.1 * in_use)
