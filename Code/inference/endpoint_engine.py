"""Answers from an OpenAI-compatible chat endpoint: vLLM's server, another one here, or a hosted service.

The client is aiohttp. httpx2, which is installed already, and openai's client, which stands on it, are slower the more
connections are open: with 256 requests under way at 50 ms each httpx2 sends about 700 a second, aiohttp about 2,900.
Retries are made here, where it is known what may be sent again and when.

A request is sent until it is answered or refused. It counts as refused, too, after TRIES tries that failed while others
succeeded, or while no other is waiting; a server that takes no more requests for now (429, 503) is not the request's
failure. Where nothing succeeds for `give_up_after_s` seconds, asking ends with RunError.
"""

import asyncio
import math
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from seedkit.cli import say
from seedkit.errors import InputError, RunError, UsageError

from inference.chat import ChatAnswer, ChatRequest, Keep, Refusal
from inference.endpoint_pacing import Pace, pause_s
from inference.endpoint_replies import KEY_VARIABLE, Again, ApiKey, outcome
from inference.group_commit import GroupCommit

if TYPE_CHECKING:
    import aiohttp

TRIES = 6
MOST_BYTES = 8 << 20  # of a reply; what is longer is cut off and counts as malformed
CONNECT_S = 10.0  # to connect
CHARACTERS_A_TOKEN = 4  # an estimate, for limits of tokens a minute, which is put right when the answer has come
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Where and how a server is asked."""

    url: str  # the base URL, such as http://127.0.0.1:8000/v1
    model: str  # as the server calls it
    max_concurrency: int = 64
    requests_per_minute: float = math.inf
    tokens_per_minute: float = math.inf
    give_up_after_s: float = 300.0
    silence_s: float = 300.0  # without a byte, before or in a reply
    answer_s: float = 900.0  # for a whole reply
    first_pause_s: float = 1.0  # before a second try

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise UsageError(
                f"--endpoint: expected a URL without user, query or fragment; a key goes into {KEY_VARIABLE}"
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"--endpoint {self.url}: expected a base URL such as http://127.0.0.1:8000/v1")

    @property
    def completions(self) -> str:
        """The URL that requests go to."""
        return f"{self.url.rstrip('/')}/chat/completions"

    @property
    def proxy(self) -> str | None:
        """The proxy that the environment names for this URL; none for this machine itself."""
        parts = urllib.parse.urlsplit(self.url)
        host = parts.hostname or ""
        direct = host in _LOCAL or urllib.request.proxy_bypass(host)
        return None if direct else urllib.request.getproxies().get(parts.scheme)


class EndpointEngine:
    """A ChatEngine. `failures` counts the tries that came to nothing, by kind."""

    def __init__(self, settings: EndpointSettings, key: ApiKey, *, temperature: float, top_p: float) -> None:
        self.settings, self._key = settings, key
        self._sampling = {"temperature": temperature, "top_p": top_p if temperature else 1.0}
        self.failures: Counter[str] = Counter()
        parts = urllib.parse.urlsplit(settings.url)
        if key and parts.scheme == "http" and parts.hostname not in _LOCAL:
            say(f"{settings.url}: the key goes over the network unencrypted; expected https")

    def ask(self, requests: Iterable[ChatRequest], keep: Keep) -> None:
        """See ChatEngine. At most `max_concurrency` requests are sent and not yet kept; no reply is asked for twice."""
        asyncio.run(_Run(self, iter(requests), keep).run())

    def payload(self, request: ChatRequest) -> bytes:
        """The body of a request."""
        return orjson.dumps(
            {
                "model": self.settings.model,
                "messages": [message._asdict() for message in request.messages],
                **self._sampling,
                "max_tokens": request.max_new_tokens,
                "seed": request.seed,
            }
        )

    async def attempt(self, session: "aiohttp.ClientSession", request: ChatRequest) -> ChatAnswer | Refusal | Again:
        """Send a request once. Raises what `outcome` raises, and InputError for a certificate that does not hold."""
        import aiohttp

        settings, began = self.settings, time.monotonic()
        try:
            async with session.post(
                settings.completions, data=self.payload(request), allow_redirects=False, proxy=settings.proxy
            ) as response:
                body = bytearray()
                async for piece in response.content.iter_any():
                    body += piece
                    if len(body) > MOST_BYTES:
                        return Again("endless reply", f"a reply of more than {MOST_BYTES:,} bytes")
            seconds = time.monotonic() - began
            return outcome(response.status, response.headers, bytes(body), seconds, self._key, settings.url)
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            raise InputError(f"{settings.url}: no trusted connection: {self._one_line(error)}") from None
        except aiohttp.ClientConnectorError as error:
            return Again("no connection", self._one_line(error))
        except TimeoutError:  # aiohttp's are of this class too
            return Again("timeout", f"no whole reply within {time.monotonic() - began:.0f} s", busy=True)
        except aiohttp.ClientError as error:
            return Again("cut off", self._one_line(error))

    def _one_line(self, error: Exception) -> str:
        text = " ".join(self._key.hide(str(error)).split())
        return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


class _Run:
    """One call of `ask`."""

    def __init__(self, engine: EndpointEngine, requests: Iterator[ChatRequest], keep: Keep) -> None:
        settings = engine.settings
        self._engine, self._settings, self._requests, self._keep = engine, settings, requests, keep
        self._pace = Pace(settings.max_concurrency, settings.requests_per_minute, settings.tokens_per_minute)
        self._waiting = True  # whether there may be requests that nobody has taken
        self._succeeded = time.monotonic()  # when something last did, or the run began
        self._failed = ""  # why the last try since then did not

    async def run(self) -> None:
        import aiohttp

        settings = self._settings
        timeout = aiohttp.ClientTimeout(settings.answer_s, sock_connect=CONNECT_S, sock_read=settings.silence_s)
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **self._engine._key.headers()}
        connector = aiohttp.TCPConnector(limit=0)  # Pace limits them
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session,
            GroupCommit(self._keep) as commit,
        ):
            try:
                async with asyncio.TaskGroup() as tasks:
                    watch = tasks.create_task(self._watch())
                    workers = [tasks.create_task(self._work(session, commit)) for _ in range(settings.max_concurrency)]
                    await asyncio.wait(workers)
                    watch.cancel()
            except BaseExceptionGroup as group:
                raise _first(group) from None

    async def _work(
        self, session: "aiohttp.ClientSession", commit: "GroupCommit[tuple[str, ChatAnswer | Refusal]]"
    ) -> None:
        """Take requests, one after the other, and bring each to its end."""
        while (request := next(self._requests, None)) is not None:
            await commit((request.key, await self._settle(session, request)))
        self._waiting = False

    async def _settle(self, session: "aiohttp.ClientSession", request: ChatRequest) -> ChatAnswer | Refusal:
        """Send a request until it is answered or refused."""
        engine, pace = self._engine, self._pace
        prompt = sum(len(message.content) for message in request.messages) // CHARACTERS_A_TOKEN
        expected = prompt + request.max_new_tokens
        failures, blamed, not_before, first_failure = 0, 0, -math.inf, math.inf
        while True:
            sent = await pace.enter(expected, not_before)
            try:
                found = await engine.attempt(session, request)
            finally:
                pace.leave()
            now = time.monotonic()
            if not isinstance(found, Again):
                self._succeeded, self._failed = now, ""
                pace.succeeded()
                if isinstance(found, ChatAnswer) and found.completion_tokens is not None:
                    pace.give_back(expected - (found.prompt_tokens or prompt) - found.completion_tokens)
                return found
            engine.failures[found.kind] += 1
            self._failed = found.reason
            failures, first_failure = failures + 1, min(first_failure, now)
            blamed += not found.limited
            if blamed >= TRIES and (self._succeeded > first_failure or not self._waiting):
                return Refusal(f"{found.reason}, {blamed} times")
            if found.busy:
                pace.overloaded(sent)
            if found.after_s is None:
                not_before = now + pause_s(failures, self._settings.first_pause_s)
            else:
                not_before = now + found.after_s
                pace.pause(not_before)

    async def _watch(self) -> None:
        """Raise RunError when nothing has succeeded for too long."""
        limit = self._settings.give_up_after_s
        while True:
            await asyncio.sleep(min(1.0, limit / 10))
            if self._failed and time.monotonic() - self._succeeded > limit:
                raise RunError(
                    f"{self._settings.url}: nothing succeeded for {limit:g} s, at last: {self._failed}; what is finished "
                    "is kept, run again to resume"
                )


def _first(group: "BaseExceptionGroup[BaseException]") -> BaseException:
    """The first of the errors that ended a group of tasks."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
