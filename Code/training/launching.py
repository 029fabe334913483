"""LLaMA-Factory as a program: its environment, one training process at a time, and the end of it if ours ends first."""

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.errors import InputError, RunError

from training.losses import log_rows

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
ENVIRONMENT = ROOT / ".venv-train"
VARIABLE = "SEEDKIT_LLAMAFACTORY_ENV"
SETUP = "python Code/training/train.py --setup"
REPORT_S = 30  # between two lines about a run
GRACE_S = 10  # for a process to end by itself
PROBE = """
import importlib.metadata as m, json, os, platform
found = {d.metadata["Name"].lower(): d.version for d in m.distributions()}
import torch
count = torch.cuda.device_count()
print(json.dumps({"installed": found, "python": platform.python_version(), "cpus": os.cpu_count(),
                  "machine": platform.machine(), "gpus": [torch.cuda.get_device_name(n) for n in range(count)]}))
"""
# kills the process group $1 when whoever holds the other end of its stdin is gone, however that came about
GUARD = f'read -r line; kill -s TERM -- "-$1" && sleep {GRACE_S} && kill -s KILL -- "-$1"'


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python with LLaMA-Factory, and what this machine offers it."""

    folder: Path
    versions: dict[str, str]
    gpus: list[str]
    cpus: int
    machine: str

    def hardware(self, used_gpus: int) -> dict[str, Any]:
        return {"machine": self.machine, "cpus": self.cpus, "gpus": self.gpus[:used_gpus]}


def setup() -> None:
    """Make .venv-train from requirements.txt; nothing is done twice."""
    command = '. Code/environment.sh; environment "$1" Code/training/requirements.txt'
    script = ["bash", "-euo", "pipefail", "-c", command, "bash", ENVIRONMENT.name]
    if subprocess.run(script, cwd=ROOT, check=False).returncode:
        raise RunError(f"{ENVIRONMENT}: the installation did not finish; run {SETUP} again")
    probed(ENVIRONMENT)


def chosen(folder: Path | None) -> Path:
    """--environment, else the variable's, else .venv-train."""
    return folder or Path(os.environ.get(VARIABLE) or ENVIRONMENT)


def probed(folder: Path) -> Environment:
    """The environment, if it holds the releases that requirements.txt names; else InputError with the command to run."""
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
    wanted = ("llamafactory", "torch", "transformers", "tokenizers", "datasets", "peft", "accelerate", "deepspeed")
    found = {"python": facts["python"], **{name: installed[name] for name in wanted if name in installed}}
    return Environment(folder.absolute(), found, facts["gpus"], facts["cpus"], facts["machine"])


def deepspeed_missing(environment: Environment) -> None:
    """InputError if it is."""
    if "deepspeed" not in environment.versions:
        raise InputError(
            f"{environment.folder}: --deepspeed_stage needs deepspeed, which LLaMA-Factory leaves to its users; "
            f"run {environment.folder}/bin/pip install deepspeed"
        )


def deepspeed_config(stage: int) -> dict[str, Any]:
    """DeepSpeed's settings for a ZeRO stage, as in LLaMA-Factory's examples/deepspeed; "auto" is taken from the trainer."""
    zero: dict[str, Any] = {"stage": stage, "overlap_comm": False, "contiguous_gradients": True}
    if stage == 3:
        zero |= {
            "sub_group_size": 1e9,
            "reduce_bucket_size": "auto",
            "stage3_prefetch_bucket_size": "auto",
            "stage3_param_persistence_threshold": "auto",
            "stage3_max_live_parameters": 1e9,
            "stage3_max_reuse_distance": 1e9,
            "stage3_gather_16bit_weights_on_model_save": True,
        }
    else:
        zero |= {
            "allgather_partitions": True,
            "allgather_bucket_size": 5e8,
            "reduce_scatter": True,
            "reduce_bucket_size": 5e8,
            "round_robin_gradients": True,
        }
    return {
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
        "zero_allow_untested_optimizer": True,
        "bf16": {"enabled": "auto"},
        "zero_optimization": zero,
    }


def train(
    environment: Environment,
    settings: Path,
    log: Path,
    model: Path,
    label: str,
    *,
    gpus: int,
    torchrun: bool,
    lock: int,
) -> int:
    """Run llamafactory-cli on a YAML file, its words to `log`; returns its exit code.

    It inherits `lock`, which keeps a second run out of the folder as long as it lives, and is ended when this process is.
    """
    variables = {
        **os.environ,
        "PATH": f"{environment.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        # read anew from the file in every run: no cache of another one's rows
        "HF_DATASETS_CACHE": str(log.parent / ".cache"),
        "PYTHONUNBUFFERED": "1",
    }
    if gpus == 0:
        variables["CUDA_VISIBLE_DEVICES"] = ""
    if torchrun:
        variables |= {"FORCE_TORCHRUN": "1", "NPROC_PER_NODE": str(max(1, gpus))}
    elif gpus == 1 and len(environment.gpus) > 1:  # its launcher would take them all
        variables["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    # the launcher splits its command at spaces: a relative name has none
    command = [str(environment.folder / "bin" / "llamafactory-cli"), "train", settings.name]
    with log.open("wb") as words:
        process = subprocess.Popen(
            command,
            cwd=settings.parent,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
            pass_fds=(lock,),
        )
        guard = subprocess.Popen(
            ["sh", "-c", GUARD, "sh", str(process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return _watched(process, model, label)
        finally:
            if process.poll() is None:
                _end(process)
            guard.kill()
            guard.communicate()
            shutil.rmtree(log.parent / ".cache", ignore_errors=True)


def _watched(process: "subprocess.Popen[bytes]", model: Path, label: str) -> int:
    said, reported = time.monotonic(), 0
    while True:
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            pass
        if time.monotonic() - said >= REPORT_S:
            said = time.monotonic()
            rows = log_rows(model)
            if rows and rows[-1]["current_steps"] != reported:
                row, reported = rows[-1], rows[-1]["current_steps"]
                say(
                    f"{label}: step {reported:,} of {row['total_steps']:,}, loss {row['loss']:.3f}, "
                    f"{row.get('remaining_time', '?')} left"
                )


def _end(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
