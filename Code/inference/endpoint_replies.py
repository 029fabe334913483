"""What a reply of an OpenAI-compatible chat endpoint means, and the key, which is to be seen in nothing that comes of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from seedkit.errors import InputError, RunError, UsageError

from inference.chat import ChatAnswer, Refusal
from inference.endpoint_pacing import retry_after_s
from inference.engines import LENGTH, STOP

KEY_VARIABLE = "OPENAI_API_KEY"
SHOWN = 300  # characters of what a server says that a message holds
_HIDDEN = "[key]"
_FINISHED = {"stop": STOP, "eos_token": STOP, "stop_sequence": STOP, "length": LENGTH}
_LIMITING = (425, 429, 503, 529)  # statuses of a server that has too many requests
_SLOW = (408, 504)  # of one that was too slow for this request
_SECRET = 16  # characters from which on a key is taken out of answers too; shorter ones, such as EMPTY, are words


class ApiKey:
    """The key, or none. It is shown by no repr; `hide` takes it out of what a server says."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        if not value.isascii() or not value.isprintable() or set(value) & set(" \"'\\"):
            raise UsageError(
                f"{KEY_VARIABLE}: expected printable ASCII characters without spaces, quotes and backslashes"
            )
        self._value = value

    @classmethod
    def from_environment(cls) -> "ApiKey":
        """The key in OPENAI_API_KEY; UsageError where it cannot be one."""
        return cls(os.environ.get(KEY_VARIABLE, "").strip())

    def __repr__(self) -> str:
        return f"ApiKey({_HIDDEN if self._value else ''})"

    def __bool__(self) -> bool:
        return bool(self._value)

    def headers(self) -> dict[str, str]:
        """The header that carries it."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def hide(self, text: str) -> str:
        """The text of a message without the key."""
        return text.replace(self._value, _HIDDEN) if self._value else text

    def hide_in_answer(self, text: str) -> str:
        """The text of an answer without the key; a key of less than 16 characters may be a word that belongs there."""
        return self.hide(text) if len(self._value) >= _SECRET else text


@dataclass(frozen=True, slots=True)
class Again:
    """The request is to be sent again."""

    kind: str  # a few letters for counts, such as "HTTP 429"
    reason: str  # one line
    after_s: float | None = None  # the pause that the server asks for
    busy: bool = False  # the server has too many requests, or is too slow for them
    limited: bool = False  # the server takes no more requests for now: it has not looked at this one


class Malformed(Exception):
    """A reply that is no chat completion; the text says what it lacks."""


def outcome(
    status: int, headers: Mapping[str, str], body: bytes, seconds: float, key: ApiKey, where: str
) -> ChatAnswer | Refusal | Again:
    """What a whole reply means for its request.

    Raises InputError where the server refuses the key, the model or the URL, RunError where it wants to be paid first: no
    other request would fare better.
    """
    if status == 200:
        try:
            return _answer(body, seconds, key)
        except Malformed as error:
            return Again("malformed reply", f"expected a chat completion: {error}")
    said = _said(body, key)
    reason = f"HTTP {status}{said and f': {said}'}"
    if status in (401, 403):
        hint = f"it refuses {KEY_VARIABLE}" if key else f"it wants a key, in {KEY_VARIABLE}"
        raise InputError(f"{where}: {hint} ({reason})")
    if status in (404, 405):
        raise InputError(f"{where}: no such model, or no such URL ({reason})")
    if 300 <= status < 400:
        to = key.hide(headers.get("Location", ""))[:SHOWN]
        raise InputError(
            f"{where}: expected an answer, got a redirection to {to!r}, which is not followed with the key"
        )
    if status == 402:
        raise RunError(f"{where}: it wants to be paid first ({reason}); what is finished is kept, run again to resume")
    limited = status in _LIMITING
    if status >= 500 or limited or status in (408, 409):
        return Again(f"HTTP {status}", reason, retry_after_s(headers), limited or status in _SLOW, limited)
    return Refusal(reason)


def _answer(body: bytes, seconds: float, key: ApiKey) -> ChatAnswer | Refusal:
    """The first choice of a chat completion. Raises Malformed."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"it is not JSON: {error}") from None
    choices = _of(data, "choices", list)
    choice = choices[0] if choices else None
    message = _of(choice, "message", dict)
    reason = choice.get("finish_reason") if isinstance(choice, dict) else None
    text = message.get("content")
    if not isinstance(reason, str) or not isinstance(text, str | None):
        raise Malformed('it has no "finish_reason", or no text')
    if text is None or reason not in _FINISHED:
        said = message.get("refusal")
        more = f": {key.hide(said)}" if isinstance(said, str) else ""
        return Refusal(f"no text, finish_reason {key.hide(reason)}{more}"[:SHOWN])
    usage = data.get("usage")
    return ChatAnswer(
        key.hide_in_answer(text),
        _FINISHED[reason],
        _count(usage, "prompt_tokens"),
        _count(usage, "completion_tokens"),
        seconds,
    )


def _of(data: Any, name: str, kind: type) -> Any:
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, kind):
        raise Malformed(f'it has no "{name}"')
    return value


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if type(value) is int and value >= 0 else None


def _said(body: bytes, key: ApiKey) -> str:
    """What the body of an error says, in one line; the key is taken out before anything is cut off."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        data = body.decode(errors="replace")
    for name in ("error", "message", "detail"):
        data = data.get(name, data) if isinstance(data, dict) else data
    text = data if isinstance(data, str) else orjson.dumps(data).decode()
    line = " ".join(key.hide(text).split())[:SHOWN]
    return "".join(letter if letter.isprintable() else "?" for letter in line)
