"""Runs the steps of the GPU kit one after the other, each in a process of its own, and prints a table of what they found.

A step that fails or takes too long is recorded with its error, and the next one goes on: an error of CUDA stays with its
process, and so does the memory. What a step found before it failed is kept. The processes of a toy run are copies of one
that has loaded the libraries; those of a real run load them themselves, since CUDA and a step's environment ask for it.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench import Bench, write_texts

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parents[1] / "Datas" / "sample" / "EVOL.jsonl"
CUDNN_FIRST = {"TORCH_CUDNN_SDPA_DEPRIORITIZED": "0"}  # torch's own order on newer cards; the scripts set 1


@dataclass(frozen=True)
class Step:
    """A function `module.function(bench)`, the most seconds it may take on a GPU, and what it adds to the environment."""

    name: str
    module: str
    function: str
    seconds: int
    environment: dict[str, str] = field(default_factory=dict)


STEPS = (
    Step("machine", "machine", "versions", 60),
    Step("masked rows", "machine", "masked_rows", 60),
    Step("new shapes", "machine", "new_shapes", 30),
    Step("new shapes cuDNN first", "machine", "new_shapes", 60, CUDNN_FIRST),
    Step("matrix rate", "machine", "matrix_rate", 60),
    Step("parity", "checks", "parity", 120),
    Step("same bytes", "checks", "same_bytes", 150),
    Step("encoder parity", "checks", "encoder_parity", 60),
    Step("little memory", "memory", "little_memory", 90),
    Step("memory given back", "memory", "given_back", 60),
    Step("greedy", "checks", "greedy", 60),
    Step("8B", "scoring_rates", "scorer", 150),
    Step("8B cuDNN first", "scoring_rates", "scorer_as_torch_orders", 90, CUDNN_FIRST),
    Step("perplexity", "scoring_rates", "perplexity", 60),
    Step("embeddings", "encoding_rates", "embeddings", 90),
    Step("generation", "encoding_rates", "generation", 90),
)


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--cpu", action="store_true", help="toy size, on the CPU")
    flags.add_argument("--texts", type=Path, default=SAMPLE, help="JSON Lines with an instruction each")
    flags.add_argument("--only", default="", help="names of steps, with commas between them: " + step_names())
    args = flags.parse_args()
    out = Path(os.environ.get("OUT") or tempfile.mkdtemp(prefix="gpu-kit-"))
    out.mkdir(parents=True, exist_ok=True)
    failed = run_all(args.cpu, args.texts, [name for name in args.only.split(",") if name], out)
    sys.exit(1 if failed else 0)


def step_names() -> str:
    return ",".join(step.name for step in STEPS)


def run_step(step: Step, bench: Bench, log: Path) -> None:
    """One step, in a process of its own that leads a session; what it says goes to `log`."""
    os.setsid()
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    getattr(__import__(step.module), step.function)(bench)


def run_all(toy: bool, texts: Path, only: list[str], out: Path) -> bool:
    """Run the steps and write `out`/results.json after each; whether anything failed."""
    results: list[dict[str, Any]] = []
    os.environ["TORCH_CUDNN_SDPA_DEPRIORITIZED"] = "1"  # as scripts do, for what runs without one
    if toy:
        import sentence_transformers  # noqa: F401
        import torch  # noqa: F401
    with tempfile.TemporaryDirectory(prefix="gpu-kit-work-") as work:
        write_texts(texts, Path(work), toy)
        for step in STEPS:
            if only and step.name not in only:
                continue
            results.append(guarded(step, toy, Path(work), out))
            (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
            print_step(results[-1])
    wrong = [step["step"] for step in results if step["error"] or any(row["holds"] is False for row in step["rows"])]
    print(
        f"\n{sum(step['seconds'] for step in results):.0f} s in all, results in {out}; "
        + (f"not as it should be: {', '.join(wrong)}" if wrong else "all as it should be")
    )
    return bool(wrong)


def guarded(step: Step, toy: bool, work: Path, out: Path) -> dict[str, Any]:
    """What a step found, its seconds, and the error that ended it, if one did."""
    bench = Bench("cpu" if toy else "cuda:0", toy, work)
    bench.rows_file.unlink(missing_ok=True)
    log = out / f"{step.name.replace(' ', '_')}.log"
    seconds = 4 * step.seconds if toy else step.seconds  # tests run on busy machines
    context: Any = multiprocessing.get_context("fork" if toy else "spawn")
    process = context.Process(target=run_step, args=(step, bench, log))
    start = time.monotonic()
    with patch.dict(os.environ, step.environment):
        process.start()
        process.join(seconds)
    error = None if process.exitcode == 0 else f"exit code {process.exitcode}: {last_line(log)}"
    if process.exitcode is None:
        error = f"not done after {seconds} s: {last_line(log)}"
    with contextlib.suppress(ProcessLookupError):  # what it started ends with it
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
    rows = [json.loads(line) for line in bench.rows_file.read_text().splitlines()] if bench.rows_file.exists() else []
    return {"step": step.name, "seconds": round(time.monotonic() - start, 1), "error": error, "rows": rows}


def last_line(log: Path) -> str:
    if not log.exists():
        return "it did not start"
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:500] if lines else "nothing was said"


def print_step(result: dict[str, Any]) -> None:
    print(f"\n{result['step']} ({result['seconds']} s)")
    for row in result["rows"]:
        mark = {None: " ", True: "+", False: "!"}[row["holds"]]
        value = f"{row['value']:.6g}" if isinstance(row["value"], float) else str(row["value"])
        print(f" {mark} {row['what']}: {value}{' ' + row['unit'] if row['unit'] else ''}")
    if result["error"]:
        print(f" ! {result['error']}", flush=True)


if __name__ == "__main__":
    main()
