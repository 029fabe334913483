"""What every engine takes and gives, and what none of them may decide on its own: seeds, stops, text out of token ids.

An engine is a class that loads a model in `__init__(model, sampling, *, device, dtype, ...)` and maps a chunk of requests
to their answers in `__call__`, in order, as the stages of seedkit.stage do. What a request gets depends on nothing else in
the chunk, but for rounding: in float32 that changes no token, in bfloat16 now and then one of two that are about as likely
(1 answer of 32 between batches of 1 and of 32), which is why generation.py cuts the same chunks in every run.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from seedkit.cli import say
from seedkit.errors import UsageError

TRANSFORMERS, VLLM = ENGINES = ("transformers", "vllm")
NOT_FINITE = "the model's logits are not finite: it has learned nothing, or its weights are damaged"
AUTO = "auto"
STOP, LENGTH = FINISH_REASONS = ("stop", "length")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen, and what ends an answer. Temperature 0 is the likeliest token, always."""

    temperature: float
    top_p: float
    stop: tuple[str, ...]  # the answer ends before the first of these
    stop_ids: tuple[int, ...]  # the answer ends before any of these


@dataclass(frozen=True, slots=True)
class Request:
    """One answer wanted. `seed` is its own: what is drawn for it depends on nothing else in the batch."""

    prompt: tuple[int, ...]  # token ids
    max_new_tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model wrote, up to where it stopped. `finish_reason`: stop, or length where its tokens ran out."""

    text: str
    finish_reason: str


def choose_engine(wanted: str, device: str) -> str:
    """'auto' is vLLM on a GPU where it is installed, else transformers; it is said."""
    if wanted not in (AUTO, *ENGINES):
        raise UsageError(f"--engine {wanted}: expected {AUTO} or one of {', '.join(ENGINES)}")
    installed = importlib.util.find_spec("vllm") is not None
    if wanted == VLLM and not installed:
        raise UsageError("--engine vllm: vLLM is not installed here; install it: pip install vllm==0.32.0")
    if wanted != AUTO:
        return wanted
    gpu = device.startswith("cuda")
    why = "no CUDA device" if not gpu else "CUDA and vLLM are there" if installed else "vLLM is not installed"
    engine = VLLM if gpu and installed else TRANSFORMERS
    say(f"engine: {engine} ({why})")
    return engine


def request_seed(seed: int, task_id: str, sample: int) -> int:
    """63 bits of blake2b over the run's seed, the task and the sample's number."""
    digest = blake2b(f"{seed}\0{task_id}\0{sample}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def answer(tokenizer: Any, prompt: Sequence[int], tokens: Sequence[int], sampling: Sampling) -> Answer:
    """The answer in the token ids that a model gave after `prompt`: cut before the first stop, special tokens left out."""
    end = next((place for place, token in enumerate(tokens) if token in sampling.stop_ids), None)
    text = continuation(tokenizer, prompt, tokens[:end])
    cut = first_stop(text, sampling.stop)
    if cut is not None:
        return Answer(text[:cut], STOP)
    return Answer(text, LENGTH if end is None else STOP)


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """Where the first stop string begins."""
    return min((place for word in stop if (place := text.find(word)) >= 0), default=None)


def continuation(tokenizer: Any, prompt: Sequence[int], tokens: Sequence[int]) -> str:
    """The text of `tokens` where they stand: behind the prompt.

    Decoded by themselves they could lose a space: SentencePiece tokenizers drop it at the beginning of a text. So the
    prompt is decoded with and without them, and what is new is the answer.
    """
    before = decode(tokenizer, prompt)
    whole = decode(tokenizer, [*prompt, *tokens])
    # a prompt that ends in the middle of a character, as none does that was made from text, would change with what follows
    return whole[len(before) :] if whole.startswith(before) else decode(tokenizer, tokens)


def decode(tokenizer: Any, tokens: Sequence[int]) -> str:
    """The text of token ids as it is: special tokens left out, no space tidied away."""
    text: str = tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text
