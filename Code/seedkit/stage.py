"""Running a scoring stage over many texts: in this process, or in one worker process per device.

A stage is a class that loads its model in `__init__(..., device=...)` and maps a chunk of texts to a chunk of scores
in `__call__`; it does not know how many of it there are. The same class fits Ray Data's map_batches.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.util import Finalize
from typing import Any, Generic, Protocol, TypeVar

from seedkit.display import Progress
from seedkit.errors import RunError
from seedkit.score_store import Score, ScoreStore, text_key

CHUNK = 1024  # texts scored between two writes to the store: what a kill can cost at most, per device


Result = TypeVar("Result", covariant=True)


class Stage(Protocol[Result]):
    """Maps a chunk of texts to its scores or vectors, in order."""

    def __call__(self, texts: list[str]) -> Result: ...


class StageFactory(Protocol[Result]):
    def __call__(self, *, device: str) -> Stage[Result]: ...


@dataclass
class ModelSpec:
    """A model to run over texts: how to start it, where, and what identifies what it computes."""

    factory: StageFactory[Any]
    devices: list[str]
    identity: dict[str, str]
    isolate: bool = False


class Workers(Generic[Result]):
    """One stage per device. With one device the stage lives in this process, unless `isolate` gives it one of its own."""

    def __init__(self, factory: StageFactory[Result], devices: Sequence[str], *, isolate: bool = False) -> None:
        self._factory, self._devices = factory, devices
        self._pooled = isolate or len(devices) > 1
        self._stage: Stage[Result] | None = None
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Workers[Result]":
        return self

    def __exit__(self, *_: object) -> None:
        self._stage = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def map(self, chunks: Sequence[list[str]]) -> Iterator[tuple[int, Result]]:
        """Yield (chunk number, result) as chunks finish, in any order. Models load with the first chunk."""
        if not self._pooled:
            for number, chunk in enumerate(chunks):
                self._stage = self._stage or self._factory(device=self._devices[0])
                yield number, self._stage(chunk)
            return
        waiting: dict[Future[Result], int] = {}
        todo = iter(enumerate(chunks))
        try:
            while True:
                # a few chunks ahead keep every worker busy; not all at once, since each is a copy of its texts
                while len(waiting) < 2 * len(self._devices) and (job := next(todo, None)):
                    waiting[self._start().submit(_work, job[1])] = job[0]
                if not waiting:
                    return
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield waiting.pop(future), future.result()
        except BrokenProcessPool:
            raise RunError(
                "a worker process died (out of memory?); finished chunks are kept, run again to resume"
            ) from None

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            devices = context.SimpleQueue()
            for device in self._devices:
                devices.put(device)
            self._pool = ProcessPoolExecutor(
                len(self._devices), context, _start_worker, (self._factory, devices, len(self._devices))
            )
        return self._pool


_worker: Callable[[], Stage[Any]] | None = None


def _start_worker(factory: StageFactory[Any], devices: "SimpleQueue[str]", count: int) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent answers it
    device = devices.get()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if device == "cpu":
        import torch

        torch.set_num_threads(max(1, (os.cpu_count() or 1) // count))
    stage: Stage[Any] | None = None

    def get() -> Stage[Any]:
        # loaded with the first chunk, where a failure reaches the parent as itself and not as a broken pool
        nonlocal stage
        stage = stage or factory(device=device)
        return stage

    _worker = get
    # leaving would wait for an engine's own processes, and those wait for us
    Finalize(None, _end_children, exitpriority=100)


def _end_children() -> None:
    for child in multiprocessing.active_children():
        child.terminate()
        child.join(20)
        child.kill()


def _end_with_parent() -> None:
    """A killed parent cannot stop its workers; without this they would wait for ever and hold their GPU."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _end_children()
        os._exit(1)


def _work(chunk: list[str]) -> Any:
    if _worker is None:
        raise RunError("a worker was given work before it was started")
    return _worker()(chunk)


def chunked(texts: Sequence[str]) -> tuple[list[str], dict[str, str], list[list[str]]]:
    """(key of every text, text by key, chunks of keys): equal texts once, sorted by length, cut in chunks.

    Chunks are cut from all texts, whether they were done before or not, and one with anything missing is redone whole:
    so every batch is the same in a resumed run as in an uninterrupted one, down to the last bit.
    """
    keys = [text_key(text) for text in texts]
    unique = dict(zip(keys, texts, strict=True))
    order = sorted(unique, key=lambda key: (-len(unique[key]), key))
    return keys, unique, [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]


def run_chunks(
    workers: Workers[Result], unique: dict[str, str], chunks: Sequence[list[str]], missing: Sequence[int], label: str
) -> Iterator[tuple[int, Result]]:
    """Yield (chunk number, result) of the `missing` chunks as they finish, with a progress bar over all of them."""

    def characters(number: int) -> int:
        return sum(len(unique[key]) for key in chunks[number])

    size = {number: characters(number) for number in range(len(chunks))}
    left = sum(size[number] for number in missing)
    computed = sum(len(chunks[number]) for number in missing)
    total = sum(size.values())
    with Progress(label, len(unique), total, done=len(unique) - computed, seen=total - left) as bar:
        for place, result in workers.map([[unique[key] for key in chunks[number]] for number in missing]):
            number = missing[place]
            yield number, result
            bar.advance(len(chunks[number]), size[number])


def score_texts(
    workers: Workers[list[Score]], texts: Sequence[str], store: ScoreStore, label: str
) -> tuple[list[Score], int]:
    """Scores of the texts in their order, and how many had to be computed; the rest came from the store."""
    keys, unique, chunks = chunked(texts)
    missing = [number for number, chunk in enumerate(chunks) if any(key not in store for key in chunk)]
    for number, scores in run_chunks(workers, unique, chunks, missing, label):
        if len(scores) != len(chunks[number]):
            raise RunError(f"{label}: {len(scores)} scores came back for {len(chunks[number])} texts")
        store.add(chunks[number], scores)
    return [store[key] for key in keys], sum(len(chunks[number]) for number in missing)
