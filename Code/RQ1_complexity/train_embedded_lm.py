"""Train the embedded language model: the perplexity model of machines that cannot fetch GPT-2.

A GPT-2 architecture (Radford et al., 2019) of 3.9 million parameters with its own byte-level BPE tokenizer, written as
a model folder that `--perplexity_model` loads by the same code path as `gpt2`. Texts: instructions and answers of
Evol-Instruct code data (Apache-2.0) and of the MIT-licensed parts of a MathInstruct-style file.

    python Code/RQ1_complexity/train_embedded_lm.py --evol evol_instruct_code.jsonl --math math_standin.json
    python Code/RQ1_complexity/train_embedded_lm.py --evol Datas/sample/EVOL.jsonl --math Datas/sample/MATH.jsonl \\
        --max_steps 20 --output_dir /tmp/lm        # seconds: shows that it runs
"""

import argparse
import math
import time
from pathlib import Path
from typing import Any

import orjson
from seedkit.cli import run
from seedkit.errors import InputError
from seedkit.flags import parser
from seedkit.likelihood import EMBEDDED_LM
from seedkit.records import read_records

VOCAB_SIZE, CONTEXT, WIDTH, LAYERS, HEADS = 4096, 512, 240, 4, 4
END = "<|endoftext|>"
HELD_OUT = 50  # every 50th document is kept for the held-out perplexity and never trained on
NOT_MIT = ("AQuA",)  # sources of the math file under another licence (ODC-By), left out


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument("--evol", type=Path, required=True, help="Evol-Instruct code data, JSONL")
    flags.add_argument("--math", type=Path, required=True, help="MathInstruct-style data, JSON or JSONL")
    flags.add_argument("--output_dir", type=Path, default=EMBEDDED_LM, help="model folder to write")
    flags.add_argument("--epochs", type=int, default=3)
    flags.add_argument("--max_steps", type=int, help="stop after so many optimisation steps")
    flags.add_argument("--batch_tokens", type=int, default=2048, help="tokens per optimisation step")
    flags.add_argument("--learning_rate", type=float, default=3e-3)
    flags.add_argument("--seed", type=int, default=0)
    return flags.parse_args()


def documents(evol: Path, math_file: Path) -> list[str]:
    """The training texts: each instruction and each answer is a document of its own."""
    other_licence = {line for line, source in enumerate(_sources(math_file), 1) if source.startswith(NOT_MIT)}
    texts = []
    for record in read_records(evol):
        texts += [record.query, record.output]
    for number, record in enumerate(read_records(math_file), 1):
        if number not in other_licence:
            texts += [record.query, record.output]
    return [text for text in dict.fromkeys(texts) if text.strip()]


def _sources(math_file: Path) -> list[str]:
    """The `source` field of every record, which the record schema does not keep."""
    data = math_file.read_bytes()
    rows = orjson.loads(data) if data.lstrip().startswith(b"[") else [orjson.loads(line) for line in data.splitlines()]
    return [row.get("source", "") for row in rows]


def batches(lengths: list[int], tokens: int, shuffled: list[int]) -> list[list[int]]:
    """Document numbers in batches of about `tokens` tokens, in random order.

    The documents of a batch are alike in length, so that little of it is padding. Every document has a row of its own:
    so the model learns how texts begin, which is where scoring begins too. `shuffled` has every number once, in random
    order.
    """
    pool: list[list[int]] = []
    for start in range(0, len(shuffled), 4096):
        batch: list[int] = []
        for index in sorted(shuffled[start : start + 4096], key=lambda i: lengths[i]):
            if batch and lengths[index] * (len(batch) + 1) > tokens:
                pool.append(batch)
                batch = []
            batch.append(index)
        pool.append(batch)
    return [pool[i] for i in sorted(range(len(pool)), key=lambda i: shuffled[i])]


def train_tokenizer(texts: list[str]) -> Any:
    """A byte-level BPE tokenizer with VOCAB_SIZE entries, learnt on the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCAB_SIZE, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
        ),
    )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=END, model_max_length=CONTEXT)


def new_model(end_id: int) -> Any:
    """A GPT-2 model of the sizes above with random weights; `end_id` is the token that ends a text."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCAB_SIZE,
            n_positions=CONTEXT,
            n_embd=WIDTH,
            n_layer=LAYERS,
            n_head=HEADS,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=end_id,
            eos_token_id=end_id,
        )
    )


def train(model: Any, encoded: list[list[int]], end_id: int, args: argparse.Namespace) -> None:
    """Train the model on documents of token ids: AdamW, a linear warm-up, then a cosine down to 1% of the rate."""
    import torch

    decay = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.learning_rate, betas=(0.9, 0.95))
    generator = torch.Generator().manual_seed(args.seed)
    lengths = list(map(len, encoded))

    def epoch() -> list[list[int]]:
        return batches(lengths, args.batch_tokens, torch.randperm(len(encoded), generator=generator).tolist())

    plan = [batch for _ in range(args.epochs) for batch in epoch()][: args.max_steps]
    warmup, started = min(200, len(plan) // 10 + 1), time.monotonic()
    model.train()
    for step, batch in enumerate(plan, 1):
        rate = min(step / warmup, 0.5 * (1 + math.cos(math.pi * step / len(plan))) + 0.01)
        for group in optimizer.param_groups:
            group["lr"] = args.learning_rate * rate
        loss = batch_loss(model, [encoded[index] for index in batch], end_id)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0 or step == len(plan):
            print(f"step {step}/{len(plan)} loss {loss.item():.3f} {time.monotonic() - started:.0f} s", flush=True)


def batch_loss(model: Any, rows: list[list[int]], end_id: int) -> Any:
    """The mean cross-entropy of the next token over all rows of token ids, a tensor without dimensions.

    The end token follows every row and is a target once; where it pads a row it is none.
    """
    import torch

    width = max(map(len, rows))
    tokens = torch.full((len(rows), width + 1), end_id)
    targets = torch.full((len(rows), width), -100)
    for number, ids in enumerate(rows):
        tokens[number, : len(ids)] = torch.tensor(ids)
        targets[number, : len(ids)] = tokens[number, 1 : len(ids) + 1]
    logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def main() -> None:
    args = parse()
    import torch

    from RQ1_complexity.perplexity import Perplexity

    torch.manual_seed(args.seed)
    texts = documents(args.evol, args.math)
    training = [text for number, text in enumerate(texts) if number % HELD_OUT]
    if not training:
        raise InputError(f"{args.evol}: no text to train on")
    tokenizer = train_tokenizer(training)
    encoded = [ids for ids in tokenizer(training, truncation=True)["input_ids"] if len(ids) > 1]
    print(f"{len(encoded)} documents, {sum(map(len, encoded)):,} tokens to train on", flush=True)
    model = new_model(tokenizer.eos_token_id)
    print(f"{model.num_parameters():,} parameters", flush=True)
    train(model, encoded, tokenizer.eos_token_id, args)
    model.half().save_pretrained(args.output_dir)
    tokenizer.save_pretrained(args.output_dir)
    scores = Perplexity(str(args.output_dir), device="cpu")(texts[::HELD_OUT])
    values = sorted(score.value for score in scores if score.value is not None)
    print(f"held out: {len(values)} documents, median perplexity {values[len(values) // 2]:.1f}")


if __name__ == "__main__":
    run(main)
