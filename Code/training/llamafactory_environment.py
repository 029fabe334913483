"""LLaMA-Factory's own Python environment: how it is made, which one is used, and what it and the machine offer."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.errors import InputError, RunError

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
GPU_REQUIREMENTS = Path(__file__).parent / "requirements-gpu.txt"  # what only some runs on GPUs need
ENVIRONMENT = ROOT / ".venv-train"
VARIABLE = "SEEDKIT_LLAMAFACTORY_ENV"
SETUP = "python Code/training/train.py --setup"
PROBE = """
import importlib.metadata as m, json, os, platform
found = {d.metadata["Name"].lower(): d.version for d in m.distributions()}
import torch
count = torch.cuda.device_count()
print(json.dumps({"installed": found, "python": platform.python_version(), "cpus": os.cpu_count(),
                  "machine": platform.machine(), "gpus": [torch.cuda.get_device_name(n) for n in range(count)],
                  "gpu_bytes": [torch.cuda.get_device_properties(n).total_memory for n in range(count)]}))
"""


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment with LLaMA-Factory, its releases, and the hardware that its torch sees."""

    folder: Path
    versions: dict[str, str]
    gpus: list[str]
    gpu_bytes: list[int]  # memory of each
    cpus: int
    machine: str

    def hardware(self, used_gpus: int) -> dict[str, Any]:
        """What run.json says of the machine, with the first `used_gpus` GPUs alone."""
        return {"machine": self.machine, "cpus": self.cpus, "gpus": self.gpus[:used_gpus]}


def setup() -> str:
    """Make .venv-train from requirements.txt, unless it is there; says what it does, returns what is there then.

    Raises:
        RunError: the installation failed.
        InputError: what is there does not work.
    """
    wanted = ", ".join(line for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines() if "==" in line)
    say(f"{ENVIRONMENT}: an environment of its own for LLaMA-Factory: {wanted}")
    say("About 6 GB and some minutes the first time; nothing that is there already is installed again")
    command = '. Code/environment.sh; environment "$1" Code/training/requirements.txt'
    script = ["bash", "-euo", "pipefail", "-c", command, "bash", ENVIRONMENT.name]
    if subprocess.run(script, cwd=ROOT, check=False).returncode:
        raise RunError(f"{ENVIRONMENT}: the installation did not finish; run {SETUP} again")
    made = probed(ENVIRONMENT)
    if made.gpus and "deepspeed" not in made.versions:
        say(f"DeepSpeed, for models that one GPU cannot hold, is not in it; with nvcc: {_gpu_install(made.folder)}")
    gpus = ", ".join(made.gpus) or "no GPU"
    releases = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    return f"{ENVIRONMENT}: LLaMA-Factory is ready: {releases}; {made.cpus} cores, {gpus}"


def environment_folder(folder: Path | None) -> Path:
    """The folder given with --environment, else that of SEEDKIT_LLAMAFACTORY_ENV, else .venv-train."""
    return folder or Path(os.environ.get(VARIABLE) or ENVIRONMENT)


def probed(folder: Path) -> Environment:
    """The environment in the folder; InputError if it lacks a release that requirements.txt names, with the command to run."""
    python = folder / "bin" / "python"
    advice = f"run {SETUP}, or name another with --environment or {VARIABLE}"
    if not python.exists():
        raise InputError(f"{folder}: expected LLaMA-Factory's environment, found no bin/python in it; {advice}")
    try:
        done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, timeout=300, check=False)
    except OSError as error:
        raise InputError(f"{folder}: bin/python cannot be run: {error.strerror}; {advice}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"{folder}: torch cannot be loaded in it: {last}; {advice}")
    facts = json.loads(done.stdout)
    installed = facts["installed"]
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        if version and installed.get(name, "none").split("+")[0] != version:
            raise InputError(f"{folder}: {name} is {installed.get(name, 'missing')}, expected {version}; {advice}")
    if not (folder / "bin" / "llamafactory-cli").exists():
        raise InputError(f"{folder}: expected llamafactory-cli in its bin folder; {advice}")
    wanted = (
        "llamafactory",
        "torch",
        "transformers",
        "tokenizers",
        "datasets",
        "peft",
        "accelerate",
        "deepspeed",
        "liger-kernel",
    )
    found = {"python": facts["python"], **{name: installed[name] for name in wanted if name in installed}}
    return Environment(folder.absolute(), found, facts["gpus"], facts["gpu_bytes"], facts["cpus"], facts["machine"])


def require_deepspeed(environment: Environment, why: str) -> None:
    """InputError if the environment lacks the DeepSpeed that `why` needs, or cannot import it, with what to do about it.

    DeepSpeed looks for nvcc when it is imported, so that is tried where torch sees a GPU.
    """
    _require(environment, "deepspeed", why)
    if not environment.gpus:
        return
    python = environment.folder / "bin" / "python"
    done = subprocess.run([python, "-c", "import deepspeed"], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(
            f"{environment.folder}: deepspeed cannot be imported: {last}; it needs nvcc, which a CUDA toolkit brings "
            "(load one, and set CUDA_HOME)"
        )


def require_liger(environment: Environment) -> None:
    """InputError if the environment lacks liger-kernel, with the command that installs it."""
    _require(environment, "liger-kernel", "--liger")


def _require(environment: Environment, package: str, why: str) -> None:
    """InputError if the environment does not hold a release of the package that requirements-gpu.txt names."""
    from packaging.requirements import Requirement

    lines = GPU_REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    (wanted,) = (line for line in lines if line.startswith(package))
    found = environment.versions.get(package, "none")
    if found == "none" or not Requirement(wanted).specifier.contains(found):
        raise InputError(
            f"{environment.folder}: {why} needs {wanted}, got {found}; on a machine with nvcc (a CUDA toolkit) run "
            f"{_gpu_install(environment.folder)}"
        )


def _gpu_install(folder: Path) -> str:
    return f"{folder}/bin/python -m pip install -r {GPU_REQUIREMENTS}"
