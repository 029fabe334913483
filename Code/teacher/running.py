"""Running the answers in sandboxes, in several worker processes, and the journal of verdicts."""

import functools
import time
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

import orjson
from seedkit.cli import say
from seedkit.display import Progress
from seedkit.journal import Journal
from seedkit.manifest import versions
from seedkit.stage import Workers

from teacher.answer_verdicts import (
    INFRA_ERROR,
    UNCHECKED,
    VERDICTS,
    AnswerRunner,
    AnswerToRun,
    AnswerVerdict,
    RunSettings,
)

RETRIES = 2  # of an answer with infra_error, with nothing else running
_WRITE_S = 0.5  # seconds between two writes to the journal


class AnswerStage:
    """A stage of seedkit.stage: `device` is the number of the worker."""

    def __init__(self, settings: RunSettings, *, device: str) -> None:
        self._runner = AnswerRunner(settings, int(device))

    def __call__(self, chunk: list[AnswerToRun]) -> list[AnswerVerdict]:
        return [self._runner(answer) for answer in chunk]


class AnswerVerdictCodec:
    """How a verdict stands in a line of the journal: its key, and the fields of AnswerVerdict."""

    def encode(self, key: str, piece: AnswerVerdict) -> dict[str, Any]:
        return {"key": key, **asdict(piece)}

    def decode(self, row: Any) -> tuple[str, AnswerVerdict]:
        passed = row["passed"]
        piece = AnswerVerdict(row["verdict"], row["language"], row["error"], None if passed is None else tuple(passed))
        if piece.verdict not in VERDICTS or not isinstance(row["key"], str):
            raise ValueError("expected a verdict")
        return row["key"], piece


def run_key(answer: AnswerToRun) -> str:
    """What a verdict is known by: a hash of the answer and of the tests that are run against it."""
    return blake2b(orjson.dumps(asdict(answer)), digest_size=16).hexdigest()


def run_answers(
    answers: Sequence[AnswerToRun], settings: RunSettings, workers: int, journal: "Journal[AnswerVerdict]", label: str
) -> None:
    """Fill the journal with a verdict on each answer. Equal ones are run once; infra_error is tried again, alone."""
    todo = {run_key(answer): answer for answer in answers}
    # what no toolchain parsed may be parsed by one that was installed since
    again = (INFRA_ERROR, UNCHECKED)
    missing = {key: one for key, one in todo.items() if key not in journal or journal[key].verdict in again}
    if len(missing) < len(todo):
        say(f"{len(todo) - len(missing):,} verdicts taken from earlier runs")
    for attempt in range(1 + RETRIES):
        if attempt:
            missing = {key: one for key, one in missing.items() if journal[key].verdict == INFRA_ERROR}
        if not missing:
            return
        if attempt:
            say(f"{len(missing):,} infra_error ({journal[next(iter(missing))].error}): once more, one at a time")
        count = 1 if attempt else min(workers, len(missing))
        _run_all(missing, settings, count, journal, label, len(todo) - len(missing))


def _run_all(
    missing: dict[str, AnswerToRun],
    settings: RunSettings,
    count: int,
    journal: "Journal[AnswerVerdict]",
    label: str,
    done: int,
) -> None:
    keys, total = list(missing), done + len(missing)
    factory = functools.partial(AnswerStage, settings)
    fresh: list[tuple[str, AnswerVerdict]] = []
    written = time.monotonic()
    try:
        with (
            Workers(factory, [str(slot) for slot in range(count)], isolate=True) as pool,
            Progress(label, total, total, done=done, seen=done, steady=True) as bar,
        ):
            for number, (verdict,) in pool.map([[answer] for answer in missing.values()]):
                fresh.append((keys[number], verdict))
                bar.advance(1, 1)
                if time.monotonic() - written > _WRITE_S:
                    journal.append(fresh)
                    fresh, written = [], time.monotonic()
    finally:
        if fresh:
            journal.append(fresh)


def run_identity(settings: RunSettings) -> dict[str, Any]:
    """What decides a verdict besides the answer; the header of a journal of verdicts."""
    return {**asdict(settings), "versions": versions("numpy")}  # which a program may import
