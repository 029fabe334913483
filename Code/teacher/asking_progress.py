"""What a teacher's script shows while it asks: how many answers, tokens a second, failed tries by kind, the time left."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from inference.chat import ChatAnswer, Refusal
from seedkit.cli import say

EVERY_S = 30.0


class AskingProgress:
    """A line every EVERY_S seconds, also while nothing comes, and one at the end."""

    def __init__(self, label: str, count: int, failures: "Counter[str]") -> None:
        """`failures` are the engine's failed tries by kind, which it counts itself."""
        self._label, self._count, self._failures = label, count, failures
        self._answers = self._refused = self._skipped = self._tokens = 0
        self._start = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "AskingProgress":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._answers or self._refused or self._failures:
            say(self.line())

    def skipped(self) -> None:
        """A request needed no answer: an earlier run has it, or an equal request."""
        self._skipped += 1

    def came(self, found: Sequence[ChatAnswer | Refusal]) -> None:
        """These came of as many requests."""
        answers = [what for what in found if isinstance(what, ChatAnswer)]
        self._answers += len(answers)
        self._refused += len(found) - len(answers)
        self._tokens += sum(what.completion_tokens or 0 for what in answers)

    def line(self) -> str:
        """How far it has come."""
        took = max(1e-9, time.monotonic() - self._start)
        settled = self._answers + self._refused
        left = self._count - self._skipped - settled
        parts = [
            f"{self._skipped + settled:,} of {self._count:,} answers",
            f"{self._tokens / took:,.0f} tokens a second",
        ]
        if self._refused:
            parts.append(f"{self._refused:,} refused")
        if self._failures:
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self._failures.items()))
            parts.append(f"failed tries: {kinds}")
        if settled and left > 0:
            parts.append(f"about {took * left / settled / 60:.0f} min left")
        return f"{self._label}: {', '.join(parts)}"

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            say(self.line())
