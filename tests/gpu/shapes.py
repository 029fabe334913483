"""Models of real shapes with random weights, written as folders that the real loading code reads; tiny ones for a toy bench.

Tokenizers are learnt on the texts themselves, so that these have about as many tokens as under the real models' own.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiny_models
from bench import Bench

VOCABULARY = 8000
LLAMA_8B = {
    "vocab_size": 128256,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
    "rope_theta": 500000.0,
}
LLAMA_135M = {
    "vocab_size": 49152,
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
}
LLAMA_TOY = {
    "vocab_size": 1024,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 4096,
}


def once(bench: Bench, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name`, made by the first who asks; whole or not there."""
    folder = bench.work / name
    if not folder.exists():
        partial = bench.work / f".{name}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        make(partial)
        partial.rename(folder)
    return folder


def tokenizer(bench: Bench) -> Any:
    """GPT-2's alphabet and `VOCABULARY` pieces learnt on the texts; the digits are one token each."""
    from transformers import PreTrainedTokenizerFast

    def make(folder: Path) -> None:
        size = 600 if bench.toy else VOCABULARY
        tiny_models.tokenizer(bench.texts, size, eos_token="<|end|>", pad_token="<|pad|>").save_pretrained(folder)

    return PreTrainedTokenizerFast.from_pretrained(once(bench, "tokenizer", make))


def tiny_llama(bench: Bench) -> Path:
    """A few thousand weights, but large ones, so that the scores differ; a context that takes very long texts."""
    return once(bench, "tiny_llama", lambda folder: tiny_models.llama(folder, tokenizer(bench), context=1 << 17))


def tiny_gpt2(bench: Bench) -> Path:
    return once(bench, "tiny_gpt2", tiny_models.gpt2)


def tiny_instructor(bench: Bench) -> Path:
    return once(bench, "tiny_instructor", tiny_models.instructor)


def llama_8b(bench: Bench) -> Path:
    """LLaMA-3-8B's configuration and a tokenizer, without weights."""
    from transformers import LlamaConfig

    def make(folder: Path) -> None:
        tokens = tokenizer(bench)
        LlamaConfig(**(LLAMA_TOY if bench.toy else LLAMA_8B), eos_token_id=tokens.eos_token_id).save_pretrained(folder)
        tokens.save_pretrained(folder)

    return once(bench, "llama_8b", make)


def random_model(
    bench: Bench, name: str, make: Callable[[Any], Any], beside: Callable[[Path], None] | None = None
) -> Path:
    """The folder `name` with the tokenizer and the model that `make` returns for it, its weights drawn with seed 0.

    `beside` writes what else belongs into the folder.
    """
    import torch

    def write(folder: Path) -> None:
        tokens = tokenizer(bench)
        torch.manual_seed(0)
        make(tokens).save_pretrained(folder)
        tokens.save_pretrained(folder)
        if beside:
            beside(folder)

    return once(bench, name, write)


def llama_135m(bench: Bench) -> Path:
    """SmolLM2-135M's shape, in bfloat16."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    def make(tokens: Any) -> Any:
        config = LlamaConfig(**(LLAMA_TOY if bench.toy else LLAMA_135M), eos_token_id=tokens.eos_token_id)
        return LlamaForCausalLM(config).to(torch.bfloat16)

    return random_model(bench, "llama_135m", make)


def gpt2(bench: Bench) -> Path:
    """GPT-2's shape, 124M."""
    from transformers import GPT2Config, GPT2LMHeadModel

    toy = {"vocab_size": 1024, "n_embd": 32, "n_layer": 2, "n_head": 2} if bench.toy else {}

    def make(tokens: Any) -> Any:
        end = tokens.eos_token_id
        return GPT2LMHeadModel(GPT2Config(**toy, bos_token_id=end, eos_token_id=end))

    return random_model(bench, "gpt2", make)


def minilm(bench: Bench) -> Path:
    """all-MiniLM-L6-v2's shape: BERT with 6 layers of 384 columns, mean pooling over at most 256 tokens."""
    from transformers import BertConfig, BertModel

    sizes = (
        {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
        if bench.toy
        else {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    )

    def make(tokens: Any) -> Any:
        return BertModel(BertConfig(**sizes, initializer_range=0.1, pad_token_id=tokens.pad_token_id))

    def modules(folder: Path) -> None:
        pooling = tiny_models.mean_pooling(sizes["hidden_size"])
        tiny_models.sentence_modules(folder, {"Pooling": pooling, "Normalize": None}, 256)

    return random_model(bench, "minilm", make, modules)


def instructor(bench: Bench) -> Path:
    """INSTRUCTOR-base's shape: T5's encoder with 12 layers of 768 columns."""
    if bench.toy:
        return tiny_instructor(bench)
    sizes = {"d_model": 768, "d_kv": 64, "d_ff": 3072, "num_layers": 12, "num_heads": 12}
    return once(
        bench,
        "instructor",
        lambda folder: tiny_models.instructor(folder, tiny_models.t5_tokenizer(bench.texts, VOCABULARY), sizes),
    )
