"""The contract of the engines, and what all of them share: seeds, stops, and how token ids become text.

The answer to a request does not depend on the other requests of its chunk, except through rounding. In float32 rounding
changes no token. In bfloat16 it sometimes decides between two tokens that are about as likely (1 answer of 32 differed
between batches of 1 and of 32), so a run that must give the same bytes again has to cut the same chunks again.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol

from seedkit.cli import say
from seedkit.errors import UsageError

TRANSFORMERS, VLLM = ENGINES = ("transformers", "vllm")
NOT_FINITE = "the model's logits are not finite: it has learned nothing, or its weights are damaged"
AUTO = "auto"
STOP, LENGTH = FINISH_REASONS = ("stop", "length")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen, and what ends an answer."""

    temperature: float  # 0: always the likeliest token
    top_p: float  # sample from the likeliest tokens that make up this share of the probability
    stop: tuple[str, ...]  # the answer ends before the first of these strings
    stop_ids: tuple[int, ...]  # the answer ends before the first of these tokens


@dataclass(frozen=True, slots=True)
class Request:
    """One answer that is wanted."""

    prompt: tuple[int, ...]  # token ids
    max_new_tokens: int
    seed: int  # of this request alone: what is drawn for it does not depend on the rest of the batch


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model wrote, up to where it stopped."""

    text: str
    finish_reason: str  # STOP, or LENGTH where max_new_tokens were used up
    tokens: int | None = field(default=None, compare=False)  # that the model drew; None where they were not counted


class Engine(Protocol):
    """A loaded model that answers requests: a stage of seedkit.stage, built on one device of one process.

    An engine's class is called with (model, sampling, *, device, dtype, ...) and loads the model then: `model` is a folder
    or hub id, `device` "cpu" or one GPU such as "cuda:0", `dtype` a torch dtype's name. It raises InputError for a model
    that cannot be loaded and RunError where the engine does not start.
    """

    def __call__(self, requests: list[Request], /) -> list[Answer]:
        """Answer a chunk of requests.

        Args: `requests`, any number of them; each prompt with its max_new_tokens fits into the model's context.
        Returns: one answer per request, in their order.
        Raises: RunError where the model's logits are not numbers, or one request alone does not fit into memory.
        """


def choose_engine(wanted: str, device: str) -> str:
    """The engine for --engine `wanted`: AUTO is vLLM on a GPU where it is installed, else transformers, and says which.

    Raises UsageError where `wanted` is none of them, or vLLM is wanted and not installed.
    """
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
    """The seed of one request, from 0 to 2^63 - 1: a blake2b hash of the run's seed, the task and the sample's number."""
    digest = blake2b(f"{seed}\0{task_id}\0{sample}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def answer(tokenizer: Any, prompt: Sequence[int], tokens: Sequence[int], sampling: Sampling) -> Answer:
    """The answer in `tokens`, the ids that a model gave after `prompt`: cut before the first stop, without special tokens."""
    end = next((index for index, token in enumerate(tokens) if token in sampling.stop_ids), None)
    text = continuation(tokenizer, prompt, tokens[:end])
    cut = first_stop(text, sampling.stop)
    if cut is not None:
        return Answer(text[:cut], STOP, len(tokens))
    return Answer(text, LENGTH if end is None else STOP, len(tokens))


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """The index in `text` at which the first stop string begins; None if there is none."""
    return min((start for word in stop if (start := text.find(word)) >= 0), default=None)


def continuation(tokenizer: Any, prompt: Sequence[int], tokens: Sequence[int]) -> str:
    """The text of `tokens` as it follows the prompt.

    Decoded by themselves, the tokens could lose a leading space, which SentencePiece tokenizers drop at the beginning of a
    text. So the prompt is decoded with and without the tokens after it, and the difference is their text.
    """
    before = decode(tokenizer, prompt)
    whole = decode(tokenizer, [*prompt, *tokens])
    # a prompt made from text never ends within a character; one that did would be decoded differently with more behind it
    return whole[len(before) :] if whole.startswith(before) else decode(tokenizer, tokens)


def decode(tokenizer: Any, tokens: Sequence[int]) -> str:
    """The text of token ids, without special tokens; no space is tidied away."""
    text: str = tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text
