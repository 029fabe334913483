"""Several students at a time on one machine's GPUs: a command of train.py for each group of GPUs, which share the runs."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from seedkit.cli import say
from seedkit.errors import UsageError

from training.launching import guarded
from training.llamafactory_environment import environment_folder, probed


def groups(args: argparse.Namespace) -> list[str]:
    """What CUDA_VISIBLE_DEVICES is for each group of --gpus_per_run GPUs: those that it shows now, or the first --gpus of them.

    Raises UsageError where there are fewer.
    """
    there = len(probed(environment_folder(args.environment)).gpus)
    names = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(there)))).split(",")[: args.gpus or there]
    size: int = args.gpus_per_run
    if len(names[:there]) < size:
        raise UsageError(f"--gpus_per_run {size}: expected as many GPUs, got {len(names[:there])}")
    if idle := len(names) % size:
        say(f"--gpus_per_run {size}: {idle} of {len(names)} GPUs stay idle")
    return [",".join(names[at : at + size]) for at in range(0, len(names) - size + 1, size)]


def train_side_by_side(args: argparse.Namespace, visible: Sequence[str]) -> int:
    """Run this very command on each group of GPUs, each with a share of its own; returns the largest exit code."""
    number, of = args.share or (1, 1)
    with ExitStack() as running:
        started = []
        for place, gpus in enumerate(visible, 1):
            share = f"{(number - 1) * len(visible) + place}/{of * len(visible)}"
            command = [sys.executable, *sys.argv, "--share", share, "--gpus", str(args.gpus_per_run)]
            variables = {**os.environ, "CUDA_VISIBLE_DEVICES": gpus}
            variables.pop("MASTER_PORT", None)  # each needs one of its own
            started.append(running.enter_context(guarded(command, env=variables)))
            say(f"GPUs {gpus}: share {share}")
        codes = [process.wait() for process in started]
    return max(code if code >= 0 else 128 - code for code in codes)  # as a shell has it where a signal ended one
