"""A scorer that answers with digits as the flags ask for it: which engine, on which devices, its layers compiled or not."""

import argparse
import functools
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from seedkit.cli import say
from seedkit.digit_scorers import Prompt, TransformersDigits, VllmDigits
from seedkit.errors import InputError, UsageError
from seedkit.models import circumstances, model_label, model_revision
from seedkit.ray_cluster import split
from seedkit.score_store import Score
from seedkit.scoring_model import why_not_compiled
from seedkit.stage import ModelSpec

# Records from which the layers of the scoring model are compiled. That takes 8 s, and makes an 8B on an H200 score 432
# prompts a second instead of 354. However many GPUs there are: compiled layers give other last digits, so a run that goes on
# with more of them or fewer would have to compute all scores anew, to save less than these 8 s.
COMPILE_FROM = 15_000


def wants_vllm(args: argparse.Namespace) -> bool:
    """Whether the flags ask for vLLM. Raises UsageError where they contradict each other."""
    if args.use_vllm and args.engine == "transformers":
        raise UsageError("--use_vllm and --engine transformers contradict each other")
    return bool(args.use_vllm) or args.engine == "vllm"


def digit_scorer(
    args: argparse.Namespace,
    model: str,
    kind: str,
    template: str,
    prompt: Prompt,
    where: Sequence[str],
    dtype: str,
    max_batch_tokens: int,
    records: int,
) -> ModelSpec[list[Score]]:
    """The scorer `model`, called `kind` in manifests, for so many records; `prompt` fills `template`.

    Raises UsageError for flags that contradict each other, InputError for a model that is not there or too few GPUs.
    """
    engine = "vllm" if wants_vllm(args) else "transformers"
    identity = {
        "scorer": kind,
        "model": model_label(model),
        "revision": model_revision(model),
        "dtype": dtype,
        "engine": engine,
        "prompt": sha256(template.encode()).hexdigest()[:32],
    } | circumstances(dtype, where, max_batch_tokens)
    how: dict[str, Any] = {"dtype": dtype, "max_batch_tokens": max_batch_tokens}
    if engine == "transformers":
        compiled = _compiled(where, dtype, records)
        if compiled:
            identity["compiled"] = "layers"
        factory = functools.partial(TransformersDigits, model, prompt, compiled=compiled, **how)
        return ModelSpec(factory, list(where), identity)
    scorer = functools.partial(VllmDigits, model, prompt, **how)
    size = args.tensor_parallel_size
    names, clusters = zip(*map(split, where), strict=True)
    gpus = [name.removeprefix("cuda:") for name in names if name.startswith("cuda:")]
    if not gpus:
        return ModelSpec(scorer, list(where[:1]), identity, isolate=True)
    behind = f"@{clusters[0]}" if clusters[0] else ""
    groups = [f"cuda:{'+'.join(gpus[start : start + size])}{behind}" for start in range(0, len(gpus) - size + 1, size)]
    wanted = args.data_parallel_size or len(groups)
    if not groups or wanted > len(groups):
        raise InputError(f"vLLM: {wanted} engines of {size} GPUs need {wanted * size} GPUs, there are {len(gpus)}")
    if dtype != "float32":
        identity["tensor_parallel_size"] = str(size)
    # an engine takes most of a GPU's memory until its process ends, so it gets a process of its own
    return ModelSpec(scorer, groups[:wanted], identity, isolate=True)


def _compiled(where: Sequence[str], dtype: str, records: int) -> bool:
    """Whether the scoring model's layers are compiled: on GPUs, in low precision, where it pays; says so if it cannot be."""
    if not where[0].startswith("cuda") or dtype == "float32" or records < COMPILE_FROM:
        return False
    why = why_not_compiled()
    if why:
        say(f"scoring model: its layers are not compiled, which would save a fifth of the time: {why}")
    return why is None
