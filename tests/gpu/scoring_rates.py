"""How fast the two difficulty measures run: an 8B LLaMA through the project's scorer class, and GPT-2's shape."""

import functools
import itertools
import os
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
import shapes
from bench import Bench
from machine import rate
from RQ1_complexity import complexity
from RQ1_complexity import perplexity as perplexity_module
from RQ1_complexity.complexity import PROMPT, TransformersScorer, expected_score
from RQ1_complexity.perplexity import Perplexity
from seedkit.causal_lm import padded
from seedkit.stage import chunked

BUDGET = 16384  # tokens a forward pass, the default on a GPU
PROFILED = 8  # kernels of a profile that are named


class FloatHead(TransformersScorer):
    """The six rows of the head that matter, and the last hidden state, in float32."""

    def _forward(self, rows: Sequence[Sequence[int]]) -> list[float]:
        import torch

        ids, mask = padded(rows, self._device, left=False)
        with torch.inference_mode():
            hidden = self._model.model(input_ids=ids, use_cache=False).last_hidden_state
            last = hidden[torch.arange(len(rows), device=ids.device), mask.sum(1) - 1].float()
            logits = last @ self._model.lm_head.weight[self._read.digits].float().T
        values: list[float] = expected_score(logits.double().cpu().numpy()).tolist()
        return values


def scorer(bench: Bench) -> None:
    """The scorer as it is, where torch chooses the attention kernel by its own order."""
    measured(bench, random_model(bench), "as is", TransformersScorer, profile=True)


def scorer_variants(bench: Bench) -> None:
    """The same where cuDNN's attention is tried last, then with a head in float32, compiled layers, other budgets."""
    model = random_model(bench)
    base = measured(bench, model, "as is", TransformersScorer)
    head = measured(bench, model, "head in float32", FloatHead, profile=True)
    agreement(bench, "head in float32, against as is", base, head)
    for layer in model.model.layers:
        layer.compile(dynamic=True, backend="eager" if bench.toy else "inductor")
    compiled = measured(bench, model, "and layers compiled", FloatHead, profile=True)
    agreement(bench, "and layers compiled, against head in float32", head, compiled)
    for budget in (BUDGET // 2, 2 * BUDGET):
        other = measured(bench, model, f"and {budget} tokens a batch", FloatHead, budget=budget)
        agreement(bench, f"{budget} against {BUDGET} tokens a batch", compiled, other)


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
    bench: Bench, model: Any, name: str, kind: type[TransformersScorer], *, budget: int = BUDGET, profile: bool = False
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Run up to 2,048 texts through the scorer class in chunks as a stage gets them, twice, and report its rates.

    Returns the scores (n,).

    FLOPs are 2 a weight of the layers and token, padding left out, and 2 a layer, column and pair of tokens of which one
    sees the other, for attention.
    """
    _, unique, chunks = chunked(bench.texts[: 30 if bench.toy else 2048])
    parts = [[unique[key] for key in chunk] for chunk in chunks]
    texts = list(itertools.chain.from_iterable(parts))
    with patch.object(complexity, "load_causal_lm", lambda *_: model):
        scorer = kind(str(shapes.llama_8b(bench)), device=bench.device, dtype="bfloat16", max_batch_tokens=budget)
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
    """GPT-2's shape in both precisions, and with room for more logits."""
    model, texts = str(shapes.gpt2(bench)), sorted(bench.texts, key=len, reverse=True)[:: 40 if bench.toy else 2]
    columns = {}

    def timed(what: str, measure: Perplexity, some: list[str]) -> None:
        measure(some[::8])
        forget_peak(bench)
        found: list[Any] = []
        seconds = bench.seconds(lambda: found.extend(measure(some)))
        bench.report(what, len(some) / seconds, "texts/s")
        if bench.cuda:
            bench.report(f"{what}, peak memory", peak(bench), "GB")
        columns[what] = np.array([score.value for score in found], dtype=np.float64)

    for dtype in ("float32", "bfloat16"):
        measure = Perplexity(model, device=bench.device, dtype=dtype, max_batch_tokens=BUDGET)
        timed(dtype, measure, texts)
        with patch.object(perplexity_module, "LOGITS_BYTES", 1 << 33):
            timed(
                f"{dtype}, room for 8 GB of logits",
                Perplexity(model, device=bench.device, dtype=dtype, max_batch_tokens=BUDGET),
                texts,
            )
        if bench.cuda:
            kernels(bench, dtype, functools.partial(measure, texts[:: len(texts) // 150]))
        timed(
            f"{dtype}, one at a time",
            Perplexity(model, device=bench.device, dtype=dtype, max_batch_tokens=1),
            texts[:: max(1, len(texts) // 100)],
        )
    base = columns["float32"]
    for what in ("bfloat16", "float32, room for 8 GB of logits"):
        off = float((np.abs(columns[what] - base) / base).max())
        bench.report(f"{what}, largest difference from float32", 100 * off, "%")
