"""The two difficulty measures as the flags ask for them: which model, which engine, on which devices."""

import argparse
import functools

from seedkit.cli import say
from seedkit.digit_scorer_plan import digit_scorer, wants_vllm
from seedkit.embed import CPU_TOKENS, GPU_TOKENS, encoder_dtype, minilm_revision
from seedkit.errors import UsageError
from seedkit.files import file_facts
from seedkit.likelihood import EMBEDDED, GPT2, language_model
from seedkit.models import circumstances, devices, resolve_dtype, resolve_kind
from seedkit.stage import ModelSpec

from RQ1_complexity.complexity import PROMPT, XCODER, ScorerSpec, prompt
from RQ1_complexity.embedded_scorer import HEAD, EmbeddedScorer
from RQ1_complexity.perplexity import Perplexity


def plan(args: argparse.Namespace, records: int) -> dict[str, ScorerSpec]:
    """The scorer of each measure, by name: model, engine and devices as the flags ask, for so many records; says what
    was chosen.

    Raises UsageError for flags that contradict each other, InputError for a model that is not there or too few GPUs.
    """
    if args.scorer == "embedded" and args.scoring_model:
        raise UsageError(f"--scorer embedded has its own model: --scoring_model {args.scoring_model} does not fit it")
    vllm = wants_vllm(args)
    where = devices(args.device)
    gpu = where[0].startswith("cuda")
    named = ("--scoring_model", args.scoring_model)
    scorer = resolve_kind("scorer", args.scorer, "xcoder", "embedded", where[0], named)
    dtype = resolve_dtype(args.dtype, where[0])
    budget = args.max_batch_tokens or (16384 if gpu else 4096)

    if scorer == "embedded":
        if vllm:
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
        semantic = _scoring_model(args, where, dtype, budget, records)
    wanted = args.perplexity_model or (GPT2 if scorer == "xcoder" else EMBEDDED)
    lm = language_model(wanted, args.dtype, where, args.max_batch_tokens)
    measure = functools.partial(Perplexity, lm.name, dtype=lm.dtype, max_batch_tokens=lm.max_batch_tokens)
    return {"semantic": semantic, "linguistic": ModelSpec(measure, where, lm.identity)}


def _scoring_model(args: argparse.Namespace, where: list[str], dtype: str, budget: int, records: int) -> ScorerSpec:
    model = args.scoring_model or XCODER
    known = model == XCODER  # a folder does not say which model it is a copy of
    if not known:
        say(
            f"scoring model: custom, {model} instead of {XCODER}; its scores are complexity only if it was trained to "
            "answer that model's prompt"
        )
    kind = "xcoder" if known else "custom"
    return digit_scorer(args, model, kind, PROMPT, prompt, where, dtype, budget, records)
