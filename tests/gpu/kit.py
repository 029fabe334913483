"""Runs the steps of the GPU kit one after the other, each in a process of its own, and prints a table of what they found.

A step that fails or takes too long is recorded with its error, and the next one goes on: an error of CUDA stays with its
process, and so does the memory. What a step found before it failed is kept.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import Bench, write_texts

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parents[1] / "Datas" / "sample" / "EVOL.jsonl"
DEPRIORITIZED = {"TORCH_CUDNN_SDPA_DEPRIORITIZED": "1"}  # torch then tries cuDNN's attention last


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
    Step("attention plans", "machine", "attention_plans", 60),
    Step("matrix rate", "machine", "matrix_rate", 60),
    Step("parity", "checks", "parity", 120),
    Step("same bytes", "checks", "same_bytes", 120),
    Step("encoder parity", "checks", "encoder_parity", 60),
    Step("little memory", "checks", "little_memory", 90),
    Step("greedy", "checks", "greedy", 60),
    Step("8B", "scoring_rates", "scorer", 120),
    Step("8B cuDNN last", "scoring_rates", "scorer_variants", 150, DEPRIORITIZED),
    Step("perplexity", "scoring_rates", "perplexity", 60),
    Step("embeddings", "encoding_rates", "embeddings", 90),
    Step("generation", "encoding_rates", "generation", 90),
)


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--cpu", action="store_true", help="toy size, on the CPU")
    flags.add_argument("--texts", type=Path, default=SAMPLE, help="JSON Lines with an instruction each")
    flags.add_argument("--only", default="", help="names of steps, with commas between them: " + step_names())
    flags.add_argument("--step", help=argparse.SUPPRESS)  # what this script runs itself with
    flags.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    args = flags.parse_args()
    if args.step:
        run_step(args.step, Bench("cpu" if args.cpu else "cuda:0", args.cpu, args.work))
        return
    out = Path(os.environ.get("OUT") or tempfile.mkdtemp(prefix="gpu-kit-"))
    out.mkdir(parents=True, exist_ok=True)
    failed = run_all(args.cpu, args.texts, [name for name in args.only.split(",") if name], out)
    sys.exit(1 if failed else 0)


def step_names() -> str:
    return ",".join(step.name for step in STEPS)


def run_step(name: str, bench: Bench) -> None:
    """One step, in this process."""
    step = next(step for step in STEPS if step.name == name)
    getattr(__import__(step.module), step.function)(bench)


def run_all(toy: bool, texts: Path, only: list[str], out: Path) -> bool:
    """Run the steps and write `out`/results.json after each; whether anything failed."""
    results: list[dict[str, Any]] = []
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
    found = Bench("cpu", toy, work).rows_file
    found.unlink(missing_ok=True)
    log = out / f"{step.name.replace(' ', '_')}.log"
    seconds = 4 * step.seconds if toy else step.seconds  # tests run on busy machines
    command = [sys.executable, str(HERE / "kit.py"), "--step", step.name, "--work", str(work), *(["--cpu"] * toy)]
    start = time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **step.environment},
        )
        try:
            code = process.wait(seconds)
            error = f"exit code {code}: {last_line(log)}" if code else None
        except subprocess.TimeoutExpired:
            error = f"not done after {seconds} s: {last_line(log)}"
        with contextlib.suppress(ProcessLookupError):  # what it started ends with it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    rows = [json.loads(line) for line in found.read_text().splitlines()] if found.exists() else []
    return {"step": step.name, "seconds": round(time.monotonic() - start, 1), "error": error, "rows": rows}


def last_line(log: Path) -> str:
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
