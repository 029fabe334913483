"""How fast the two difficulty measures run: an 8B LLaMA through the project's scorer class, and GPT-2's shape."""

import functools
import itertools
import os
from typing import Any
from unittest.mock import patch

import numpy as np
import shapes
from bench import Bench, trace_only
from machine import rate
from RQ1_complexity.complexity import PROMPT, prompt
from RQ1_complexity.perplexity import Perplexity
from seedkit import digit_scorers, likelihood
from seedkit.digit_scorers import TransformersDigits
from seedkit.scoring_model import compile_layers
from seedkit.stage import chunked

BUDGET = 16384  # tokens a forward pass, the default on a GPU
PROFILED = 8  # kernels of a profile that are named


def scorer(bench: Bench) -> None:
    """The scorer as scripts run it: on few records, with compiled layers as on many, and with other budgets."""
    if bench.toy:
        trace_only()
    shipped = loaded(bench)
    few = measured(bench, shipped, "layers as they are", profile=True)
    seconds = bench.seconds(lambda: compile_layers(shipped._model, "8B"))
    bench.report("compiling", seconds, "s")
    many = measured(bench, shipped, "layers compiled", profile=True)
    agreement(bench, "compiled against not compiled", few, many)
    same = bool((many == measured(bench, shipped, "layers compiled, once more")).all())
    bench.report("layers compiled, once more, same scores", str(same), holds=same)
    for budget in (BUDGET // 2, 2 * BUDGET):
        shipped._max_batch_tokens = budget
        other = measured(bench, shipped, f"layers compiled, {budget} tokens a batch")
        agreement(bench, f"{budget} against {BUDGET} tokens a batch", many, other)


def scorer_as_torch_orders(bench: Bench) -> None:
    """The same on few records, where cuDNN's attention is tried first."""
    measured(bench, loaded(bench), "layers as they are")


def loaded(bench: Bench) -> TransformersDigits:
    """The project's scorer class on a random model of the 8B's shape."""
    model = random_model(bench)
    with patch.object(digit_scorers, "load_causal_lm", lambda *_: model):
        return TransformersDigits(
            str(shapes.llama_8b(bench)), prompt, device=bench.device, dtype="bfloat16", max_batch_tokens=BUDGET
        )


def random_model(bench: Bench) -> Any:
    """The 8B's shape with random weights in bfloat16, made where it runs."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    bench.report("TORCH_CUDNN_SDPA_DEPRIORITIZED", os.environ.get("TORCH_CUDNN_SDPA_DEPRIORITIZED", "not set"))
    config = AutoConfig.from_pretrained(shapes.llama_8b(bench))
    torch.manual_seed(0)
    with torch.device(bench.device):
        return AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()


def measured(
    bench: Bench, scorer: TransformersDigits, name: str, *, profile: bool = False
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Run up to 2,048 texts through the scorer in chunks as a stage gets them, twice, and report its rates.

    Returns the scores (n,).

    FLOPs are 2 a weight of the layers and token, padding left out, and 2 a layer, column and pair of tokens of which one
    sees the other, for attention.
    """
    _, unique, chunks = chunked(bench.texts[: 30 if bench.toy else 2048])
    parts = [[unique[key] for key in chunk] for chunk in chunks]
    texts, model = list(itertools.chain.from_iterable(parts)), scorer._model
    lengths = np.array(
        [len(ids) for ids in shapes.tokenizer(bench)([PROMPT.format(instruction=t) for t in texts])["input_ids"]]
    )
    weights = sum(weight.numel() for weight in model.model.layers.parameters())
    flops = 2 * weights * lengths.sum() + 2 * len(model.model.layers) * model.config.hidden_size * (lengths**2).sum()
    warm = bench.seconds(lambda: scorer(texts[:: max(1, len(texts) // 40)]))
    bench.report(f"{name}, first 40 prompts, with all that is made at the first time", warm, "s")
    forget_peak(bench)
    scores: list[Any] = []
    first = bench.seconds(lambda: scores.extend(itertools.chain.from_iterable(map(scorer, parts))))
    again = bench.seconds(lambda: [scorer(part) for part in parts])
    whole = rate(bench)
    bench.report(f"{name}, new shapes", len(texts) / first, "prompts/s")
    bench.report(f"{name}, known shapes", len(texts) / again, "prompts/s")
    bench.report(f"{name}, known shapes", float(lengths.sum()) / again, "tokens/s")
    bench.report(f"{name}, new shapes", 100 * flops / first / whole, f"% of the card's {whole / 1e12:.0f} TFLOP/s")
    bench.report(f"{name}, known shapes", 100 * flops / again / whole, f"% of the card's {whole / 1e12:.0f} TFLOP/s")
    if bench.cuda:
        bench.report(f"{name}, peak memory", peak(bench), "GB")
    if profile and bench.cuda:
        kernels(bench, name, lambda: scorer(sorted(texts, key=len)[len(texts) // 2 :][:150]))
    return np.array([score.value for score in scores], dtype=np.float64)


def agreement(bench: Bench, what: str, one: Any, other: Any) -> None:
    """How two columns of scores (n,) differ."""
    from scipy.stats import spearmanr

    bench.report(f"{what}, largest difference", float(np.abs(one - other).max()))
    bench.report(f"{what}, Spearman", float(spearmanr(one, other)[0]))
    bench.report(f"{what}, spread of the scores", float(one.std()))


def kernels(bench: Bench, name: str, run: Any) -> None:
    """Where the milliseconds of about one batch go."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as found:
        run()
        bench.wait()
    events = [
        event for event in found.key_averages() if event.self_device_time_total and event.device_type.name == "CUDA"
    ]
    events.sort(key=lambda event: -event.self_device_time_total)
    total = sum(event.self_device_time_total for event in events)
    bench.report(f"{name}, profile of 150 prompts, kernels", total / 1000, "ms")
    for event in events[:PROFILED]:
        bench.report(f"{name}, {event.count} times {event.key[:90]}", 100 * event.self_device_time_total / total, "%")


def forget_peak(bench: Bench) -> None:
    if bench.cuda:
        import torch

        torch.cuda.reset_peak_memory_stats()


def peak(bench: Bench) -> float:
    """The most memory that was in use on the device, in GB."""
    import torch

    return torch.cuda.max_memory_allocated() / 1e9 if bench.cuda else 0.0


def perplexity(bench: Bench) -> None:
    """GPT-2's shape in both precisions, and with logits for fewer and for more tokens at a time."""
    model, texts = str(shapes.gpt2(bench)), sorted(bench.texts, key=len, reverse=True)[:: 40 if bench.toy else 2]
    columns = {}

    def timed(what: str, dtype: str, some: list[str], budget: int = BUDGET) -> Perplexity:
        measure = Perplexity(model, device=bench.device, dtype=dtype, max_batch_tokens=budget)
        measure(some[::8])
        forget_peak(bench)
        found: list[Any] = []
        seconds = bench.seconds(lambda: found.extend(measure(some)))
        bench.report(what, len(some) / seconds, "texts/s")
        if bench.cuda:
            bench.report(f"{what}, peak memory", peak(bench), "GB")
        columns[what] = np.array([score.value for score in found], dtype=np.float64)
        return measure

    for dtype in ("float32", "bfloat16"):
        measure = timed(dtype, dtype, texts)
        if bench.cuda:
            kernels(bench, dtype, functools.partial(measure, texts[:: len(texts) // 150]))
        timed(f"{dtype}, one at a time", dtype, texts[:: max(1, len(texts) // 100)], budget=1)
    for power in (26, 30):
        with patch.object(likelihood, "LOGITS_BYTES", 1 << power):
            timed(f"float32, {2 ** (power - 20)} MB of logits at a time", "float32", texts)
    timed(f"float32, {4 * BUDGET} tokens a batch", "float32", texts, budget=4 * BUDGET)
    base = columns["float32"]
    for what, found in columns.items():
        if len(found) == len(base) and what != "float32":
            off = float((np.abs(found - base) / base).max())
            good = off < 1e-5 if what.startswith("float32") else None
            bench.report(f"{what}, largest difference from float32", 100 * off, "%", holds=good)
