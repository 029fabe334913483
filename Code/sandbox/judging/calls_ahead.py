"""Calls of one function that do not wait for each other: a message to a jail and back takes longer than most of them run."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.judging.remote_objects import Remote, session_of


class CallsAhead:
    """Calls of one function that are sent while earlier ones are not answered yet, as many as a pipe holds.

    Of each call: its arguments, and whether what it returns stays in the jail; then the answer is its codec.digest.
    """

    def __init__(self, function: Remote, calls: Iterable[tuple[list[Any], bool]]) -> None:
        self._function = function
        self._session = session_of(function)
        self._room = self._session.room
        self._messages = ((self._message(*call), *call) for call in calls)
        self._next = next(self._messages, None)  # the first that is not sent
        self._sent: deque[tuple[bytes, list[Any], bool]] = deque()  # those without an answer
        self._bytes = 0  # of these together

    def answer(self) -> Any:
        """The answer to the next call. Its arguments become what the candidate has made of them."""
        if self._bytes <= self._room // 2:
            self._session.send(*self._following())
        message, arguments, stays = self._sent.popleft()
        self._bytes -= len(message)
        return self._session.answer(() if stays else arguments)

    def held(self) -> Any:
        """What the last call returned, where that stays in the jail."""
        return self._session.act("held", self._function)

    def _message(self, arguments: list[Any], stays: bool) -> bytes:
        return self._session.message("hold" if stays else "call", self._function, arguments, {})

    def _following(self) -> Iterator[bytes]:
        """The messages that can be sent now: none while `held` may be asked for an earlier call."""
        while self._next is not None and not (self._sent and self._sent[-1][2]):
            message = self._next[0]
            if self._sent and self._bytes + len(message) > self._room:
                return
            self._sent.append(self._next)
            self._bytes += len(message)
            self._next = next(self._messages, None)
            yield message
