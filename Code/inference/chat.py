"""The contract for conversations: messages go in, and what a chat model or a chat server makes of them comes back.

The engines of engines.py take token ids, a server takes messages. Here is what the two have in common for a caller that has
messages: `ChatEngine`. EndpointEngine is one; a model that is loaded here is one once its chat template has made token ids
of the messages (`chat_ids`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from seedkit.causal_lm import LATEST
from seedkit.errors import InputError
from seedkit.models import loading


class Message(NamedTuple):
    """One turn of a conversation."""

    role: str  # "system", "user" or "assistant"
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One answer that is wanted to a conversation. A chat template renders it: the model's here, or the server's."""

    key: str  # whatever the caller knows the request by; no two of a run have the same
    messages: tuple[Message, ...]
    max_new_tokens: int
    seed: int  # of this request alone


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """What the model wrote, and what it took."""

    text: str
    finish_reason: str  # one of FINISH_REASONS
    prompt_tokens: int | None  # None where a server does not say
    completion_tokens: int | None
    seconds: float  # from sending the request to its whole answer


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that gets no answer in this run, and why, in one line."""

    reason: str


# takes (key, what came of it) of some requests, and returns when that is on the disk
Keep = Callable[[list[tuple[str, ChatAnswer | Refusal]]], None]


class ChatEngine(Protocol):
    """A model that answers conversations, here or on a server."""

    failures: Counter[str]  # tries that came to nothing and were made again, by kind

    def ask(self, requests: Iterable[ChatRequest], keep: Keep, /) -> None:
        """Have each request answered, once, and hand what comes of it to `keep`, as it comes and in any order.

        Raises: InputError where model, key or URL are refused, RunError where asking fails; what was kept stays kept.
        """


def chat_ids(model: str, tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """The token ids of a conversation in the tokenizer's chat template, up to where the answer begins.

    Raises InputError where the tokenizer has no chat template, or one that refuses such messages.
    """
    from jinja2 import TemplateError

    if not tokenizer.chat_template:
        raise InputError(f"{model}: expected a chat model, its tokenizer has no chat template")
    turns = [message._asdict() for message in messages]
    try:
        ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=True, return_dict=False)
    except TemplateError as error:
        roles = ", ".join(message.role for message in messages)
        raise InputError(f"{model}: its chat template does not take messages of {roles}: {error}") from None
    return list(ids)


def end_ids(model: str, tokenizer: Any, commit: str = LATEST) -> set[int]:
    """The ids that end a text: of the tokenizer, of the model, and of its generation settings; chat models often have two."""
    from transformers import AutoConfig, GenerationConfig

    with loading(model):
        found = [tokenizer.eos_token_id, AutoConfig.from_pretrained(model, revision=commit).eos_token_id]
    try:
        found.append(GenerationConfig.from_pretrained(model, revision=commit).eos_token_id)
    except OSError:
        pass  # a model need not have generation settings
    return {token for ids in found for token in (ids if isinstance(ids, list) else [ids]) if isinstance(token, int)}
