"""How fast texts are embedded and answers written, against what the libraries do by themselves."""

import functools
from collections.abc import Callable
from typing import Any

import shapes
from bench import Bench
from scoring_rates import forget_peak, peak

LIBRARY_BATCH = 32
INSTRUCTION = "Represent the programming task:"


def embeddings(bench: Bench) -> None:
    """SentenceEncoder against the library's own encode() in float32, for the shapes of MiniLM and INSTRUCTOR-base."""
    from seedkit.embed import SentenceEncoder
    from sentence_transformers import SentenceTransformer

    texts = sorted(bench.texts, key=len, reverse=True)[:: 20 if bench.toy else 2]
    for name, folder, instruction in (
        ("MiniLM", shapes.minilm(bench), None),
        ("INSTRUCTOR", shapes.instructor(bench), INSTRUCTION),
    ):
        library = SentenceTransformer(str(folder), device=bench.device, local_files_only=True)
        library.set_pooling_include_prompt(False)

        def theirs(library: Any = library, instruction: str | None = instruction) -> Any:
            return library.encode(
                texts, prompt=instruction, batch_size=LIBRARY_BATCH, normalize_embeddings=True, show_progress_bar=False
            )

        base = theirs()
        theirs_seconds = bench.seconds(theirs)
        bench.report(f"{name}, the library in float32 at batch {LIBRARY_BATCH}", len(texts) / theirs_seconds, "texts/s")
        for dtype, budget in (("float32", 65536), ("bfloat16", 65536), ("bfloat16", 32768), ("bfloat16", 16384)):
            encoder = SentenceEncoder(
                str(folder), device=bench.device, dtype=dtype, max_batch_tokens=budget, instruction=instruction
            )
            vectors = encoder(texts)
            forget_peak(bench)
            ours = bench.seconds(functools.partial(encoder, texts))
            what = f"{name}, {dtype}, {budget} tokens"
            bench.report(what, len(texts) / ours, f"texts/s, {theirs_seconds / ours:.2f} times the library's")
            bench.report(f"{what}, lowest cosine", float((vectors * base).sum(axis=1).min()))
            if bench.cuda:
                bench.report(f"{what}, peak memory", peak(bench), "GB")


def generation(bench: Bench) -> None:
    """The transformers engine on a 135M LLaMA in bfloat16, greedy and drawn, against plain generate()."""
    from inference.engines import Request, Sampling
    from inference.transformers_engine import TransformersEngine
    from seedkit.causal_lm import load_causal_lm, padded
    from transformers import GenerationConfig

    model, tokens = str(shapes.llama_135m(bench)), shapes.tokenizer(bench)
    new, sizes = (8, (1, 4)) if bench.toy else (48, (1, 32, 128))
    prompts = [tuple(ids[:200]) for ids in tokens(bench.texts[: max(sizes)])["input_ids"]]
    end, stop = (tokens.eos_token_id,), ("\nclass ", "\nif __name__", "\nprint(")
    engines = {
        "greedy": TransformersEngine(model, Sampling(0.0, 1.0, (), end), device=bench.device, dtype="bfloat16"),
        "greedy with stop words": TransformersEngine(
            model, Sampling(0.0, 1.0, stop, end), device=bench.device, dtype="bfloat16"
        ),
        "drawn": TransformersEngine(model, Sampling(0.8, 0.95, (), end), device=bench.device, dtype="bfloat16"),
    }
    network = load_causal_lm(model, bench.device, "bfloat16")
    settings = GenerationConfig(do_sample=False, pad_token_id=0)
    for size in sizes:
        requests = [Request(prompt, new, number) for number, prompt in enumerate(prompts[:size])]
        ids, mask = padded([request.prompt for request in requests], bench.device, left=True)

        def plain(ids: Any = ids, mask: Any = mask) -> None:
            network.generate(input_ids=ids, attention_mask=mask, max_new_tokens=new, generation_config=settings)

        runs: dict[str, Callable[[], object]] = {"plain generate()": plain}
        runs |= {name: functools.partial(engine, requests) for name, engine in engines.items()}
        plain()
        base = 0.0
        for name, run in runs.items():
            seconds = bench.seconds(run)
            base = base or seconds
            share = "" if name.startswith("plain") else f", {base / seconds:.2f} times plain"
            bench.report(f"batch {size}, {name}", size * new / seconds, f"tokens/s{share}")
    # answers of many lengths, of which at most some fit at once: who ends gives its place away
    lengths = [max(1, new >> number % 4) for number in range(8 * sizes[1])]
    requests = [Request(prompts[number % len(prompts)], length, number) for number, length in enumerate(lengths)]
    engine = TransformersEngine(
        model,
        Sampling(0.0, 1.0, (), end),
        device=bench.device,
        dtype="bfloat16",
        max_batch_tokens=sizes[1] * (max(map(len, prompts)) + new),
    )
    seconds = bench.seconds(lambda: engine(requests))
    bench.report(
        f"{len(requests)} answers of 1/8 to 1 of that length, {sizes[1]} at once", sum(lengths) / seconds, "tokens/s"
    )
