"""An environment that looks like LLaMA-Factory's and trains nothing, for the tests of train.py."""

import json
import sys
from pathlib import Path
from typing import Any

from support import ROOT

SIZES = {"LOW": 9, "MIDDLE": 12, "HIGH": 17}  # records of the subsets in the tests' partition
PROGRAM = ROOT / "tests" / "training" / "llamafactory_stand_in.py"


def stand_in(folder: Path, gpus: list[str], *, gpu_bytes: float = 80e9, **installed: str) -> Path:
    """An environment with those GPUs and the releases of requirements.txt, except as `installed` says."""
    (folder / "bin").mkdir(parents=True)
    facts = {
        **{"python": "3.11.7", "cpus": 2, "machine": "x86_64", "gpus": gpus, "gpu_bytes": [gpu_bytes] * len(gpus)},
        "installed": {**_pins(), **{name.replace("_", "-"): version for name, version in installed.items()}},
    }
    for name, text in (
        ("python", f"#!/bin/sh\necho '{json.dumps(facts)}'\n"),
        ("llamafactory-cli", f"#!{sys.executable}\n{PROGRAM.read_text()}"),
    ):
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    return folder


def _pins() -> dict[str, str]:
    lines = (ROOT / "Code" / "training" / "requirements.txt").read_text().splitlines()
    pins: list[Any] = [line.split("==") for line in lines if "==" in line]
    return dict(pins)


def run_folder(tmp_path: Path, name: str) -> Path:
    """Where train.py puts the student of a subset."""
    return tmp_path / "runs" / "llama-full" / f"EVOL_{name}_seed42"


def calls(folder: Path) -> int:
    """How often the trainer was started there."""
    path = folder / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0
