"""What the steps of the kit share: where they run, the texts they run on, and how they say what they found."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

CODE = Path(__file__).resolve().parents[2] / "Code"
SCORER = CODE / "RQ1_complexity" / "complexity_scorer.py"


def write_texts(source: Path, work: Path, toy: bool) -> None:
    """Write the instructions of a JSON Lines file to `work`/texts.jsonl as records: 1,100 short ones for a toy run.

    Else at least 2,500 of them, spread over the file, so that there are three chunks of a stage; a file with fewer is
    repeated, each copy with a number before it.
    """
    texts = [json.loads(line)["instruction"] for line in source.read_text(encoding="utf-8").splitlines()]
    count, longest = (1100, 40) if toy else (2500, None)
    texts = [text[:longest] for text in texts[:: max(1, len(texts) // count)]]
    copies = [
        text if number < len(texts) else f"{number // len(texts)}. {text}"
        for number, text in enumerate(texts * -(-count // len(texts)))
    ]
    with (work / "texts.jsonl").open("w", encoding="utf-8") as file:
        for number, text in enumerate(copies[:count]):
            file.write(json.dumps({"id": str(number), "instruction": text, "input": "", "output": "x"}) + "\n")


@dataclass(frozen=True)
class Bench:
    """`device` is what the project's flags call it; a `toy` bench has tiny shapes. `work` is shared by all steps."""

    device: str
    toy: bool
    work: Path

    @property
    def rows_file(self) -> Path:
        return self.work / "rows.jsonl"

    @property
    def texts_file(self) -> Path:
        return self.work / "texts.jsonl"

    @cached_property
    def texts(self) -> list[str]:
        lines = self.texts_file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["instruction"] for line in lines]

    @property
    def cuda(self) -> bool:
        return self.device.startswith("cuda")

    def report(self, what: str, value: float | str, unit: str = "", *, holds: bool | None = None) -> None:
        """One figure, on the disk at once. `holds` says whether it is what it must be, None where nothing is asked."""
        row = {"what": what, "value": value, "unit": unit, "holds": None if holds is None else bool(holds)}
        with self.rows_file.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def seconds(self, run: Callable[[], object], rounds: int = 1) -> float:
        """Median wall-clock seconds of `run`, the device's work included."""
        found = []
        for _ in range(rounds):
            self.wait()
            start = time.perf_counter()
            run()
            self.wait()
            found.append(time.perf_counter() - start)
        return statistics.median(found)

    def wait(self) -> None:
        """Until the device has done what it was given."""
        if self.cuda:
            import torch

            torch.cuda.synchronize()

    def scorer(self, *flags: object, script: Path = SCORER, before: tuple[object, ...] = ()) -> list[str]:
        """The command of complexity_scorer.py; `before` are arguments of a `script` that runs it."""
        return [sys.executable, str(script), *map(str, before), *map(str, flags)]


def trace_only() -> None:
    """From now on, layers to be compiled are traced, but no kernels are made for them, which takes a minute on a CPU."""
    import torch

    module: Any = torch.nn.Module
    compiling = module.compile
    module.compile = lambda self, **_: compiling(self, backend="eager", dynamic=True)


def run(command: list[str], seconds: float = 300) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user would."""
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False, env=dict(os.environ)
    )


def succeed(command: list[str], seconds: float = 300) -> str:
    """What a command wrote to stdout; RuntimeError with what it said if it failed."""
    done = run(command, seconds)
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout
