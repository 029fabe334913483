"""Is the training path sound on this machine? A student of 2.5 million parameters answers in seconds, without a GPU or a hub.

Builds a LLaMA with random weights and a byte-level BPE tokenizer trained on the given seeds, saved like any model folder
(safetensors, config.json, tokenizer.json). Trained, it learns the seeds' commonest words and nothing about programming: it
is for tests of the path from a partition to a loss, never for a result; smollm2.py makes a real model. The same seeds and
flags give the same bytes.

    python Code/training/tiny_student.py --output_dir /tmp/tiny_student
    python Code/training/train.py --partitions Datas/quickstart/RQ1/EVOL --student /tmp/tiny_student \\
        --output_dir /tmp/runs --device cpu --batch_size 4 --epochs 1 --learning_rate 3e-3
"""

import argparse
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedkit.cli import run
from seedkit.errors import InputError, RunError, UsageError
from seedkit.files import require_writable, sync
from seedkit.flags import natural, parser, positive
from seedkit.records import read_records
from seedkit.sources import DATAS

BEGIN, END, PAD = "<s>", "</s>", "<pad>"
HEADS = 4
PARTIAL = ".partial"  # in the output folder, while a student is made
CONFIG = "config.json"  # without it a folder is no model
ROOM = 1 << 16  # bytes for the small files
# LLaMA-Factory's template "default", so that other programs ask the model in the form it was trained on
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ 'System: ' + message['content'] + eos_token + '\\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'Human: ' + message['content'] + eos_token + '\\nAssistant:' }}"
    "{% else %}{{ message['content'] + eos_token + '\\n' }}{% endif %}"
    "{% endfor %}"
)


def build_tokenizer(texts: Sequence[str], vocab_size: int) -> Any:
    """A byte-level BPE tokenizer: it can write any text, so there is no unknown token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[BEGIN, END, PAD],
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    bpe.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token=BEGIN, eos_token=END, pad_token=PAD)
    made.chat_template = CHAT_TEMPLATE
    return made


def build_student(
    folder: Path, texts: Sequence[str], *, vocab_size: int, hidden_size: int, layers: int, seed: int
) -> int:
    """Write the model folder, whose config.json comes last; returns the model's number of parameters.

    Raises:
        RunError: the disk is full. Nothing of the new student is left, and an earlier one is as it was.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokens = build_tokenizer(texts, vocab_size)
    config = LlamaConfig(
        vocab_size=len(tokens),
        hidden_size=hidden_size,
        intermediate_size=hidden_size * 3,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS // 2,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config)
    parameters: int = sum(parameter.numel() for parameter in model.parameters())
    partial, is_new = folder / PARTIAL, not folder.exists()
    try:
        partial.mkdir(parents=True, exist_ok=True)
        _reserve(partial, 4 * parameters + 2 * len(tokens.backend_tokenizer.to_str()) + ROOM)
        model.save_pretrained(partial)
        tokens.save_pretrained(partial)
        (folder / CONFIG).unlink(missing_ok=True)  # so that no kill leaves a mixture of two students that looks whole
        for path in sorted(partial.iterdir(), key=lambda path: path.name == CONFIG):
            sync(path)
            path.replace(folder / path.name)
    except (OSError, SafetensorError) as error:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise RunError(f"{folder}: the student cannot be written: {error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return parameters


def _reserve(folder: Path, size: int) -> None:
    """OSError if the disk has no room for `size` bytes: the libraries fail in their own ways once it is full."""
    path = folder / "reserved"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    path.unlink()


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument("--output_dir", type=Path, required=True, help="folder of the model to write")
    flags.add_argument(
        "--input_file", type=Path, nargs="+", help="seeds for the tokenizer (default: the bundled sample)"
    )
    flags.add_argument("--vocab_size", type=positive, default=4096, metavar="N", help="tokens (default: 4096)")
    flags.add_argument("--hidden_size", type=positive, default=192, metavar="N", help="width (default: 192)")
    flags.add_argument("--layers", type=positive, default=4, metavar="N", help="depth (default: 4)")
    flags.add_argument("--seed", type=natural, default=42, metavar="N", help="of the weights (default: 42)")
    return flags.parse_args()


def main() -> None:
    args = parse()
    if args.hidden_size % (2 * HEADS):
        raise UsageError(f"--hidden_size {args.hidden_size}: expected a multiple of {2 * HEADS}")
    if args.vocab_size < 300:
        raise UsageError(f"--vocab_size {args.vocab_size}: expected at least 300; the 256 bytes come first")
    require_writable(args.output_dir)
    if args.output_dir.is_dir() and not _ours(args.output_dir):
        raise InputError(f"{args.output_dir}: expected a new or empty folder, or one with an earlier tiny student")
    files = args.input_file or sorted((DATAS / "sample").glob("*.jsonl"))
    texts = [text for file in files for record in read_records(file) for text in (record.query, record.output)]
    count = build_student(
        args.output_dir,
        texts,
        vocab_size=args.vocab_size,
        hidden_size=args.hidden_size,
        layers=args.layers,
        seed=args.seed,
    )
    print(f"{args.output_dir}: a student of {count / 1e6:.1f} million parameters, random weights")


def _ours(folder: Path) -> bool:
    """Whether the folder is empty or holds a student as small as those made here."""
    weights = folder / "model.safetensors"
    return not any(path.name != PARTIAL for path in folder.iterdir()) or (
        weights.is_file() and weights.stat().st_size < 1 << 28
    )


if __name__ == "__main__":
    run(main)
