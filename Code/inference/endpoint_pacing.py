"""When a request to a server may be sent: concurrency, limits by the minute, and pauses that the server asks for."""

import asyncio
import math
import random
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

FIRST_LIMIT = 16  # requests under way when a run begins
LONGEST_PAUSE_S = 60.0  # that this side makes before it tries a request again
_MINUTE_S = 60.0


class Pace:
    """Who may send, and when. All methods run in one event loop.

    `limit` is how many requests may be under way. As a connection of TCP (RFC 5681) it begins with a slow start, one more
    for each answer, and goes on with additive increase, one more for each round of answers, up to `most`. Each sign of
    overload halves it (Chiu and Jain 1989), but only once for all requests that were sent before it was halved.
    """

    def __init__(self, most: int, requests_per_minute: float = math.inf, tokens_per_minute: float = math.inf) -> None:
        self.limit = float(min(FIRST_LIMIT, most))
        self.under_way = 0
        self._most, self._slow_start, self._halved_at = most, True, -math.inf
        self._request_s, self._token_s = _MINUTE_S / requests_per_minute, _MINUTE_S / tokens_per_minute
        self._next_request = self._next_token = self._not_before = -math.inf
        self._door, self._left = asyncio.Lock(), asyncio.Event()

    async def enter(self, tokens: int, not_before: float = -math.inf) -> float:
        """Wait for the turn of a request of about so many tokens, not sent before that time; returns the time.

        Times are those of time.monotonic(). Requests are spaced evenly, so that no minute holds more than the limits.
        """
        while (wait := not_before - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        async with self._door:  # opens in the order in which requests came to it
            while True:
                now = time.monotonic()
                wait = max(self._not_before, self._next_request, self._next_token) - now
                if wait > 0:
                    await asyncio.sleep(wait)
                elif self.under_way < int(self.limit):
                    break
                else:
                    self._left.clear()
                    await self._left.wait()
            self._next_request = max(now, self._next_request) + self._request_s
            self._next_token = max(now, self._next_token) + self._token_s * tokens
        self.under_way += 1
        return now

    def leave(self) -> None:
        """A request is no longer under way."""
        self.under_way -= 1
        self._left.set()

    def succeeded(self) -> None:
        """A request was answered."""
        self.limit = min(self._most, self.limit + (1 if self._slow_start else 1 / self.limit))
        self._left.set()

    def overloaded(self, sent: float) -> None:
        """A request that was sent at that time showed that the server has too many of them."""
        if sent > self._halved_at:
            self.limit, self._slow_start, self._halved_at = max(1.0, self.limit / 2), False, time.monotonic()

    def pause(self, until: float) -> None:
        """The server wants nothing before that time."""
        self._not_before = max(self._not_before, until)

    def give_back(self, tokens: int) -> None:
        """A request took so many tokens fewer than was thought when it entered; more, if negative."""
        self._next_token -= self._token_s * tokens


def pause_s(failures: int, first_s: float) -> float:
    """Seconds before a request is tried again that has failed so often: doubled each time, and half of it random."""
    return min(LONGEST_PAUSE_S, first_s * 2.0 ** (failures - 1)) * random.uniform(0.5, 1)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After asks to wait, which may be a number or an HTTP date (RFC 9110, 10.2.3); None without it."""
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
