"""Tiny models of several architectures, whose heads differ: tied or not, with a bias, with scaled or softly capped logits."""

import shutil
from pathlib import Path
from typing import Any

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "qwen2": {"tie_word_embeddings": True},
    "gemma2": {"final_logit_softcapping": 3.0, "query_pre_attn_scalar": 16},
    "cohere": {"logit_scale": 4.0},
    "granite": {"logits_scaling": 4.0},
    "phi": {},  # its head has a bias
    "gpt_neox": {},  # its head is called embed_out
    "opt": {"ffn_dim": 64, "word_embed_proj_dim": 16},  # a projection before the head
}
PLAIN = ("qwen2", "phi", "gpt_neox", "opt")  # logits are the head's, and no more


def make(kind: str, folder: Path, tokenizer: Path) -> Path:
    """A folder with a model of this architecture, random weights, and the tokenizer of another folder."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(tokenizer)
    special = {"bos_token_id": None, "eos_token_id": tokens.eos_token_id, "pad_token_id": None}
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, vocab_size=len(tokens), **special, **SIZES, **ARCHITECTURES[kind])
    model = AutoModelForCausalLM.from_config(config)
    if (bias := getattr(model.get_output_embeddings(), "bias", None)) is not None:
        torch.nn.init.normal_(bias)
    model.save_pretrained(folder)
    for path in tokenizer.glob("tokenizer*"):
        shutil.copy(path, folder)
    return folder
