"""Tiny models with random weights and small tokenizers, saved like real ones, so that tests run the real loading code."""

import json
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedkit.cli import reproducible_arithmetic

reproducible_arithmetic()  # as scripts do, before any test loads torch

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
        vocab_size=len(tokens),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=context,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=tokens.eos_token_id,
    )
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
        vocab_size=len(tokens),
        n_positions=CONTEXT,
        n_embd=32,
        n_layer=2,
        n_head=2,
        initializer_range=0.3,
        bos_token_id=end,
        eos_token_id=end,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


def t5_tokenizer(texts: Sequence[str] = TEXTS, vocab_size: int = 200) -> Any:
    """A Unigram tokenizer of T5's kind over printable ASCII; anything else is an unknown token."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import T5Tokenizer

    unigram = Tokenizer(models.Unigram())
    unigram.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    trainer = trainers.UnigramTrainer(
        vocab_size=vocab_size,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        initial_alphabet=[character for character in string.printable if not character.isspace()],
        show_progress=False,
    )
    unigram.train_from_iterator(texts, trainer)
    pieces = json.loads(unigram.to_str())["model"]["vocab"]
    return T5Tokenizer(vocab=[tuple(piece) for piece in pieces], extra_ids=0)


def mean_pooling(columns: int) -> dict[str, object]:
    return {"word_embedding_dimension": columns, "pooling_mode_mean_tokens": True}


def sentence_modules(folder: Path, modules: dict[str, dict[str, object] | None], max_seq_length: int) -> None:
    """What sentence-transformers reads beside a transformer: the modules behind it, by name, with their settings."""
    names = ["Transformer", *modules]
    paths = ["", *(f"{index}_{name}" for index, name in enumerate(modules, 1))]
    listed = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{name}"}
        for index, (name, path) in enumerate(zip(names, paths, strict=True))
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    limits = {"max_seq_length": max_seq_length, "do_lower_case": False}
    (folder / "sentence_bert_config.json").write_text(json.dumps(limits))
    for path, settings in zip(paths[1:], modules.values(), strict=True):
        (folder / path).mkdir()
        if settings is not None:
            (folder / path / "config.json").write_text(json.dumps(settings))


INSTRUCTOR = {"d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4}


def instructor(folder: Path, tokens: Any = None, sizes: dict[str, int] = INSTRUCTOR) -> Path:
    """Laid out as hkunlp/instructor-base: T5's encoder, mean pooling, a linear map without bias, unit length."""
    import torch
    from safetensors.torch import save_file
    from transformers import T5Config, T5EncoderModel

    tokens, columns = tokens or t5_tokenizer(), sizes["d_model"]
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(tokens), pad_token_id=tokens.pad_token_id, eos_token_id=tokens.eos_token_id, **sizes
    )
    T5EncoderModel(config).save_pretrained(folder)
    tokens.save_pretrained(folder)
    path = folder / "tokenizer.json"
    saved = json.loads(path.read_text())
    # the words of T5's own file, which both tokenizers 0.15 and current ones read
    saved["decoder"] = {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}
    saved["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, saved["decoder"]]}
    path.write_text(json.dumps(saved))
    dense = {
        "in_features": columns,
        "out_features": 48,
        "bias": False,
        "activation_function": "torch.nn.modules.linear.Identity",
    }
    sentence_modules(folder, {"Pooling": mean_pooling(columns), "Dense": dense, "Normalize": None}, CONTEXT)
    weights = {"linear.weight": torch.randn(48, columns) / columns**0.5}
    save_file(weights, folder / "2_Dense" / "model.safetensors")
    torch.save(weights, folder / "2_Dense" / "pytorch_model.bin")  # all that sentence-transformers 2.2.2 reads
    return folder
