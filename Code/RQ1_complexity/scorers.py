"""The two difficulty measures as the flags ask for them: which model, which engine, on which devices."""

import argparse
import functools
from hashlib import sha256

from seedkit.cli import say
from seedkit.embed import minilm_revision
from seedkit.errors import InputError, UsageError
from seedkit.files import file_facts
from seedkit.models import devices, model_label, model_revision, resolve_dtype, resolve_kind
from seedkit.stage import ModelSpec

from RQ1_complexity.complexity import PROMPT, XCODER, ScorerSpec, TransformersScorer, VllmScorer
from RQ1_complexity.embedded_scorer import HEAD, EmbeddedScorer
from RQ1_complexity.perplexity import EMBEDDED_LM, GPT2, Perplexity


def plan(args: argparse.Namespace) -> dict[str, ScorerSpec]:
    """The scorer of each measure, by name: model, engine and devices as the flags ask; says what was chosen.

    Raises UsageError for flags that contradict each other, InputError for a model that is not there or too few GPUs.
    """
    if args.scorer == "embedded" and args.scoring_model:
        raise UsageError(f"--scorer embedded has its own model: --scoring_model {args.scoring_model} does not fit it")
    if args.use_vllm and args.engine == "transformers":
        raise UsageError("--use_vllm and --engine transformers contradict each other")
    where = devices(args.device)
    gpu = where[0].startswith("cuda")
    named = ("--scoring_model", args.scoring_model)
    scorer = resolve_kind("scorer", args.scorer, "xcoder", "embedded", where[0], named)
    dtype = resolve_dtype(args.dtype, where[0])
    budget = args.max_batch_tokens or (16384 if gpu else 4096)

    if scorer == "embedded":
        if args.use_vllm or args.engine == "vllm":
            raise UsageError("--engine vllm runs the XCoder scorer: the embedded scorer has no use for it")
        semantic = ModelSpec(
            functools.partial(EmbeddedScorer, max_batch_tokens=budget),
            where,
            {
                "scorer": "embedded",
                "encoder": minilm_revision(),
                "head": file_facts(HEAD).sha256[:32],
                "dtype": "float32",
            },
        )
    else:
        semantic = _llm_scorer(args, where, dtype, budget)
    lm = args.perplexity_model or (GPT2 if scorer == "xcoder" else "embedded")
    name = str(EMBEDDED_LM) if lm == "embedded" else lm
    linguistic = ModelSpec(
        functools.partial(Perplexity, name, dtype=dtype, max_batch_tokens=budget),
        where,
        {"model": model_label(lm), "revision": model_revision(name), "dtype": dtype, "engine": "transformers"},
    )
    return {"semantic": semantic, "linguistic": linguistic}


def _llm_scorer(args: argparse.Namespace, where: list[str], dtype: str, budget: int) -> ScorerSpec:
    model = args.scoring_model or XCODER
    known = model == XCODER  # a folder does not say which model it is a copy of
    if not known:
        say(
            f"scoring model: custom, {model} instead of {XCODER}; its scores are complexity only if it was trained to "
            "answer that model's prompt"
        )
    engine = "vllm" if args.use_vllm else args.engine or "transformers"
    identity = {
        "scorer": "xcoder" if known else "custom",
        "model": model_label(model),
        "revision": model_revision(model),
        "dtype": dtype,
        "engine": engine,
        "prompt": sha256(PROMPT.encode()).hexdigest()[:32],
    }
    if engine == "transformers":
        factory = functools.partial(TransformersScorer, model, dtype=dtype, max_batch_tokens=budget)
        return ModelSpec(factory, where, identity)
    size = args.tensor_parallel_size
    gpus = [device.removeprefix("cuda:") for device in where if device.startswith("cuda:")]
    if not gpus:
        return ModelSpec(functools.partial(VllmScorer, model, dtype=dtype), ["cpu"], identity, isolate=True)
    groups = [f"cuda:{'+'.join(gpus[start : start + size])}" for start in range(0, len(gpus) - size + 1, size)]
    wanted = args.data_parallel_size or len(groups)
    if not groups or wanted > len(groups):
        raise InputError(f"vLLM: {wanted} engines of {size} GPUs need {wanted * size} GPUs, there are {len(gpus)}")
    # an engine takes most of a GPU's memory until its process ends, so it gets a process of its own
    return ModelSpec(functools.partial(VllmScorer, model, dtype=dtype), groups[:wanted], identity, isolate=True)
