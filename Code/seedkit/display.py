"""What a script shows: a plain table, and how far it has come."""

import shlex
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from seedkit.cli import say


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain text table, first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            [cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]
        ).rstrip()
        for cells in (header, *rows)
    )


def written_to(folder: Path) -> str:
    """The closing line of a script: where its results are, and the command that shows them on a page."""
    return f"written to {folder}; to look at it: python Code/report/report.py {shlex.quote(str(folder))} --output report.html"


class Progress:
    """A tqdm bar with the time left on a terminal, a plain line every 30 s elsewhere.

    The time left is estimated from characters: the longest texts come first, so the number of records would mislead. With
    `steady` a line comes every 30 s also while nothing finishes, from a thread of its own.
    """

    EVERY_S = 30.0

    def __init__(
        self, label: str, texts: int | None, characters: int, *, done: int = 0, seen: int = 0, steady: bool = False
    ) -> None:
        """Of `texts` texts (None if not yet known), `done` were finished by an earlier run, `seen` of the `characters`."""
        self._label, self._texts, self._characters = label, texts, characters
        self._done, self._seen, self._before = done, seen, seen
        self._start = self._said = time.monotonic()
        self._steady, self._ended, self._saying = steady, threading.Event(), threading.Lock()
        self._bar = None
        if sys.stderr.isatty() and characters:
            from tqdm import tqdm

            self._bar = tqdm(total=characters, initial=seen, desc=label, unit="char", unit_scale=True, leave=False)

    def __enter__(self) -> "Progress":
        if self._steady and self._bar is None:
            threading.Thread(target=self._keep_saying, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._bar is not None:
            self._bar.close()

    def advance(self, texts: int, characters: int) -> None:
        self._done += texts
        self._seen += characters
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._done:,}{self._of('/')} records", refresh=False)
            self._bar.update(characters)
        elif self._seen > self._before:
            self._say_if_due()

    def _keep_saying(self) -> None:
        while not self._ended.wait(max(0.01, self._said + self.EVERY_S - time.monotonic())):
            self._say_if_due()

    def _say_if_due(self) -> None:
        with self._saying:
            now = time.monotonic()
            if now - self._said < self.EVERY_S:
                return
            self._said = now
            took = now - self._start
            if self._seen > self._before:
                left = took * (self._characters - self._seen) / (self._seen - self._before)
                say(f"{self._label}: {self._done:,}{self._of(' of ')} records, about {left / 60:.0f} min left")
            elif self._texts is None:
                say(f"{self._label}: at work for {took:.0f} s")
            else:
                say(f"{self._label}: {self._done:,} of {self._texts:,} records, at work on the next for {took:.0f} s")

    def _of(self, word: str) -> str:
        return "" if self._texts is None else f"{word}{self._texts:,}"
