"""A chat endpoint on loopback that answers as a test's script says: well, late, cut off, half, in no JSON, or without an end.

It speaks HTTP/1.1 by itself, so that it can break off in the middle of whatever it sends, and counts what it sees.
"""

import asyncio
import contextlib
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came in."""

    at: float  # time.monotonic()
    path: str
    headers: dict[str, str]  # names in lower case
    body: dict[str, Any]
    times: int  # how often the same body has come, this time included
    number: int  # of all requests, from 1

    @property
    def text(self) -> str:
        """What the last message says."""
        return str(self.body["messages"][-1]["content"])


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    fault: str = (
        ""  # cut: no byte at all; half: half of the body; silence: nothing more after it; endless: blanks for ever
    )


Script = Callable[[Seen], Reply]


def completion(
    text: str | None, finish_reason: str | None = "stop", prompt_tokens: int = 7, completion_tokens: int = 5
) -> bytes:
    """The body of a chat completion."""
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
    return orjson.dumps({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage})


def refusal(status: int, message: str, **headers: str) -> Reply:
    """An error as OpenAI's interface words it; names of headers with _ for -."""
    body = orjson.dumps({"error": {"message": message, "type": "scripted", "code": status}})
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def plain(seen: Seen) -> Reply:
    """An answer that depends on what decides an answer, and on nothing else."""
    deciding = orjson.dumps(seen.body, option=orjson.OPT_SORT_KEYS)
    return Reply(completion(f"answer {hashlib.sha256(deciding).hexdigest()[:12]} to {seen.text}"))


class ScriptedServer:
    """The server, in a thread of its own; `url` is the base URL to give to a client."""

    def __init__(self, script: Script = plain, *, keep_seen: bool = True) -> None:
        self.script, self._keep_seen = script, keep_seen
        self.seen: list[Seen] = []
        self.count, self.most_under_way, self.url = 0, 0, ""
        self._times: Counter[bytes] = Counter()
        self._under_way = 0

    @property
    def times(self) -> list[int]:
        """How often each body came, in the order of the first ones."""
        return list(self._times.values())

    async def run(self, started: threading.Event, ending: asyncio.Event) -> None:
        """Serve until `ending` is set."""
        tasks: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        listener = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 24)
        self.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
        started.set()
        await ending.wait()
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            if writer.transport.get_write_buffer_size() > 1 << 20:  # of an endless reply
                writer.transport.abort()
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its reply; whether the connection lives on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        self._times[hashlib.sha256(data).digest()] += 1
        self.count += 1
        times = self._times[hashlib.sha256(data).digest()]
        seen = Seen(time.monotonic(), head[0].split()[1], headers, orjson.loads(data or b"{}"), times, self.count)
        if self._keep_seen:
            self.seen.append(seen)
        self._under_way += 1
        self.most_under_way = max(self.most_under_way, self._under_way)
        try:
            return await self._send(self.script(seen), writer)
        finally:
            self._under_way -= 1

    async def _send(self, reply: Reply, writer: asyncio.StreamWriter) -> bool:
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.fault == "cut":
            return False
        length = {} if reply.fault == "endless" else {"Content-Length": str(len(reply.body))}
        lines = {"Content-Type": "application/json", **length, **reply.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"HTTP/1.1 {reply.status} Scripted\r\n{head}\r\n".encode())
        writer.write(reply.body[: len(reply.body) // 2] if reply.fault in ("half", "silence") else reply.body)
        await writer.drain()
        if reply.fault == "silence":
            await asyncio.sleep(3600)
        while reply.fault == "endless":
            writer.write(b" " * 65536)
            await writer.drain()
        return not reply.fault


@contextlib.contextmanager
def serving(script: Script = plain, *, keep_seen: bool = True) -> Iterator[ScriptedServer]:
    """A server that runs until the context ends."""
    server = ScriptedServer(script, keep_seen=keep_seen)
    started, ending, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    def live() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(server.run(started, ending))
            loop.run_until_complete(asyncio.sleep(0.01))  # connections are closed by the loop's next turns

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(10)
