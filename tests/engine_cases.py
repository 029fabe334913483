"""Requests for tiny models, and their greedy answers worked out one token at a time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inference.engines import Request, Sampling, request_seed
from inference.transformers_engine import TransformersEngine
from seedkit.causal_lm import load_tokenizer
from tiny_models import tokenizer

PROMPTS = [
    "Write a function that returns the sum.",
    "for i in range(10):\n    ",
    "##Query: Design a cache.\n##Complexity: ",
    "é 漢",
    "sum of two numbers. " * 5,
]
GREEDY = Sampling(0.0, 1.0, (), ())
VLLM = ["--engine", "vllm", "--dtype", "float32"]  # as transformers computes on a CPU


def made(kind: str, folder: Path, **more: Any) -> Path:
    """A tiny model of transformers' class `kind`Config, with random weights."""
    import torch
    import transformers

    tokens = tokenizer(eos_token="<|end|>")
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    given = {"vocab_size": len(tokens), **sizes, "initializer_range": 0.3, "bos_token_id": 1, "eos_token_id": 0, **more}
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**given)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


def engine(model: Path, sampling: Sampling = GREEDY) -> TransformersEngine:
    return TransformersEngine(str(model), sampling, device="cpu", dtype="float32")


def generate_flags(model: Path, problems: Path, out: Path, *more: object) -> list[object]:
    """What generate.py is called with; what comes in `more` holds over what stands before it."""
    named = ["--model", model, "--benchmark", "humaneval", "--benchmark_file", problems]
    return [*named, "--device", "cpu", "--max_new_tokens", 4, "--output_dir", out, *more]


def requests(model: Path, max_new_tokens: int = 24, prompts: Sequence[str] = PROMPTS) -> list[Request]:
    tokens = load_tokenizer(str(model))
    return [
        Request(tuple(tokens(prompt)["input_ids"]), max_new_tokens, request_seed(42, prompt, 0)) for prompt in prompts
    ]


def naive(model: Path, request: Request) -> list[int]:
    """Token ids by one whole forward pass per token, without cache, padding or batch."""
    import torch
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(model).eval()
    ids = list(request.prompt)
    with torch.inference_mode():
        for _ in range(request.max_new_tokens):
            ids.append(int(network(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(request.prompt) :]
