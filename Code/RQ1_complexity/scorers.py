"""The two difficulty measures as the flags ask for them: which model, which engine, on which devices."""

import argparse
import functools
from hashlib import sha256

from seedkit.cli import say
from seedkit.embed import CPU_TOKENS, GPU_TOKENS, encoder_dtype, minilm_revision
from seedkit.errors import InputError, UsageError
from seedkit.files import file_facts
from seedkit.models import circumstances, devices, model_label, model_revision, resolve_dtype, resolve_kind
from seedkit.stage import ModelSpec

from RQ1_complexity.complexity import PROMPT, XCODER, ScorerSpec, TransformersScorer, VllmScorer
from RQ1_complexity.embedded_scorer import HEAD, EmbeddedScorer
from RQ1_complexity.perplexity import EMBEDDED_LM, GPT2, Perplexity
from RQ1_complexity.scoring_model import why_not_compiled

# Records a GPU from which the layers of the scoring model are compiled. That takes 8 s, and makes an 8B on an H200 score
# 432 prompts a second instead of 354.
COMPILE_FROM = 15_000


def plan(args: argparse.Namespace, records: int) -> dict[str, ScorerSpec]:
    """The scorer of each measure, by name: model, engine and devices as the flags ask, for so many records; says what
    was chosen.

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
        dtype = encoder_dtype(args.dtype, where[0])
        tokens = args.max_batch_tokens or (GPU_TOKENS if gpu else CPU_TOKENS)
        semantic = ModelSpec(
            functools.partial(EmbeddedScorer, dtype=dtype, max_batch_tokens=tokens),
            where,
            {
                "scorer": "embedded",
                "encoder": minilm_revision(),
                "head": file_facts(HEAD).sha256[:32],
                "dtype": dtype,
            }
            | circumstances(dtype, where, tokens),
        )
    else:
        semantic = _llm_scorer(args, where, dtype, budget, records)
    lm = args.perplexity_model or (GPT2 if scorer == "xcoder" else "embedded")
    name = str(EMBEDDED_LM) if lm == "embedded" else lm
    if lm == "embedded" and not gpu:  # in bfloat16 its perplexity orders records as in float32
        dtype = encoder_dtype(args.dtype, "cpu")
    else:  # bfloat16 moves GPT-2's perplexity by up to 18%, and is hardly faster
        dtype = resolve_dtype(args.dtype, "cpu")
    identity = {"model": model_label(lm), "revision": model_revision(name), "dtype": dtype, "engine": "transformers"}
    budget = args.max_batch_tokens or (16384 if gpu else CPU_TOKENS)
    linguistic = ModelSpec(
        functools.partial(Perplexity, name, dtype=dtype, max_batch_tokens=budget),
        where,
        identity | circumstances(dtype, where, budget),
    )
    return {"semantic": semantic, "linguistic": linguistic}


def _llm_scorer(args: argparse.Namespace, where: list[str], dtype: str, budget: int, records: int) -> ScorerSpec:
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
    } | circumstances(dtype, where, budget)
    if engine == "transformers":
        compiled = _compiled(where, dtype, records)
        if compiled:
            identity["compiled"] = "layers"
        factory = functools.partial(TransformersScorer, model, dtype=dtype, max_batch_tokens=budget, compiled=compiled)
        return ModelSpec(factory, where, identity)
    scorer = functools.partial(VllmScorer, model, dtype=dtype, max_batch_tokens=budget)
    size = args.tensor_parallel_size
    gpus = [device.removeprefix("cuda:") for device in where if device.startswith("cuda:")]
    if not gpus:
        return ModelSpec(scorer, ["cpu"], identity, isolate=True)
    groups = [f"cuda:{'+'.join(gpus[start : start + size])}" for start in range(0, len(gpus) - size + 1, size)]
    wanted = args.data_parallel_size or len(groups)
    if not groups or wanted > len(groups):
        raise InputError(f"vLLM: {wanted} engines of {size} GPUs need {wanted * size} GPUs, there are {len(gpus)}")
    if dtype != "float32":
        identity["tensor_parallel_size"] = str(size)
    # an engine takes most of a GPU's memory until its process ends, so it gets a process of its own
    return ModelSpec(scorer, groups[:wanted], identity, isolate=True)


def _compiled(where: list[str], dtype: str, records: int) -> bool:
    """Whether the scoring model's layers are compiled: on GPUs, in low precision, where it pays; says so if it cannot be."""
    if not where[0].startswith("cuda") or dtype == "float32" or records < COMPILE_FROM * len(where):
        return False
    why = why_not_compiled()
    if why:
        say(f"scoring model: its layers are not compiled, which would save a fifth of the time: {why}")
    return why is None
