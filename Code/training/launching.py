"""LLaMA-Factory as a program: one training process at a time, which ends when this process ends."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.errors import RunError

from training.llamafactory_environment import Environment
from training.losses import log_rows

TAKEN_OVER = "another command has taken this run over while this one was stopped or cut off"
REPORT_S = 30  # seconds between two lines about a run
GRACE_S = 10  # seconds that a process has to end by itself
# sh: kills the process group $1 as soon as the process at the other end of its stdin is gone, whatever ended that
GUARD = f'read -r line; kill -s TERM -- "-$1" && sleep {GRACE_S} && kill -s KILL -- "-$1"'


def deepspeed_config(stage: int) -> dict[str, Any]:
    """DeepSpeed's settings for a ZeRO stage, as in LLaMA-Factory's examples/deepspeed; the trainer fills in "auto"."""
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
    unwanted: Callable[[], bool],
) -> int:
    """Run llamafactory-cli on a YAML file with its output in `log`; returns its exit code.

    It inherits the file descriptor `lock`, so that no second run can enter the folder as long as it lives. It is ended when
    this process ends, however that happens, and when the run is `unwanted`: then RunError is raised.
    """
    variables = {
        **os.environ,
        "PATH": f"{environment.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        # a cache of this run's own, so that the rows of another run are never taken for its data
        "HF_DATASETS_CACHE": str(log.parent / ".cache"),
        "PYTHONUNBUFFERED": "1",
    }
    if gpus == 0:
        variables["CUDA_VISIBLE_DEVICES"] = ""
    if torchrun:
        variables |= {"FORCE_TORCHRUN": "1", "NPROC_PER_NODE": str(max(1, gpus))}
    elif gpus == 1 and len(environment.gpus) > 1:  # LLaMA-Factory's launcher would take them all
        variables["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    # the launcher splits its command at spaces, and a file name without folders has none
    command = [str(environment.folder / "bin" / "llamafactory-cli"), "train", settings.name]
    with log.open("wb") as output:
        try:
            with guarded(
                command,
                cwd=settings.parent,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
            ) as process:
                return _watched(process, model, label, unwanted)
        finally:
            shutil.rmtree(log.parent / ".cache", ignore_errors=True)


@contextmanager
def guarded(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A process group of its own that ends with the block, and when this process ends, however that happens.

    `options` are those of subprocess.Popen.
    """
    process = subprocess.Popen(command, start_new_session=True, **options)
    guard = subprocess.Popen(
        ["sh", "-c", GUARD, "sh", str(process.pid)],
        stdin=subprocess.PIPE,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            _end(process)
        guard.kill()
        guard.communicate()


def _watched(process: "subprocess.Popen[bytes]", model: Path, label: str, unwanted: Callable[[], bool]) -> int:
    """Wait for the process and say every REPORT_S seconds how far it is; returns its exit code."""
    started = said = time.monotonic()
    while True:
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            pass
        if unwanted():
            raise RunError(TAKEN_OVER)
        if time.monotonic() - said >= REPORT_S:
            said = time.monotonic()
            rows = log_rows(model)
            if rows:
                row = rows[-1]
                far = f"step {row['current_steps']:,} of {row['total_steps']:,}, loss {row['loss']:.3f}"
                say(f"{label}: {far}, {row.get('remaining_time', '?')} left")
            else:
                say(
                    f"{label}: no step logged in {said - started:.0f} s; the model is loaded and the data are encoded first"
                )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process group: ask first, kill after GRACE_S."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
