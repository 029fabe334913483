"""Tiny models with random weights and a byte-level BPE tokenizer, saved like real ones: the real loading code, offline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

CONTEXT = 512
TEXTS = (
    "Write a function that returns the sum of two numbers. ",
    "##Query: Design a cache.\n##Complexity: ",
    "for i in range(10):",
)


def tokenizer(texts: Sequence[str] = TEXTS, vocab_size: int = 300, **special: str) -> Any:
    """GPT-2's alphabet in GPT-2's order, so the digits 1 to 6 have the ids 16 to 21, as in LLaMA-3."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, **special)


def llama(folder: Path, tokens: Any = None, context: int = CONTEXT) -> Path:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokens = tokens or tokenizer(eos_token="<|end|>")
    torch.manual_seed(0)
    # heads of 32 dimensions: vLLM's attention on the CPU takes no smaller ones
    config = LlamaConfig(
        vocab_size=len(tokens), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=context, initializer_range=0.3,
        bos_token_id=None, eos_token_id=tokens.eos_token_id,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


def gpt2(folder: Path) -> Path:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    tokens = tokenizer(eos_token="<|endoftext|>")
    torch.manual_seed(0)
    end = tokens.eos_token_id
    config = GPT2Config(
        vocab_size=len(tokens), n_positions=CONTEXT, n_embd=32, n_layer=2, n_head=2, initializer_range=0.3,
        bos_token_id=end, eos_token_id=end,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder
