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
from multiprocessing.queues import SimpleQueue
from multiprocessing.util import Finalize
from typing import Protocol

from seedkit.cli import Progress
from seedkit.errors import RunError
from seedkit.score_store import Score, ScoreStore, text_key

CHUNK = 1024  # texts scored between two writes to the store: what a kill can cost at most, per device


class Stage(Protocol):
    def __call__(self, texts: list[str]) -> list[Score]: ...


class StageFactory(Protocol):
    def __call__(self, *, device: str) -> Stage: ...


class Workers:
    """One stage per device. With one device the stage lives in this process, unless `isolate` gives it one of its own."""

    def __init__(self, factory: StageFactory, devices: Sequence[str], *, isolate: bool = False) -> None:
        self._factory, self._devices = factory, devices
        self._pooled = isolate or len(devices) > 1
        self._stage: Stage | None = None
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self._stage = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def map(self, chunks: Sequence[list[str]]) -> Iterator[tuple[int, list[Score]]]:
        """Yield (chunk number, scores) as chunks finish, in any order. Models load with the first chunk."""
        if not self._pooled:
            for number, chunk in enumerate(chunks):
                self._stage = self._stage or self._factory(device=self._devices[0])
                yield number, self._stage(chunk)
            return
        waiting: dict[Future[list[Score]], int] = {}
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


_worker: Callable[[], Stage] | None = None


def _start_worker(factory: StageFactory, devices: "SimpleQueue[str]", count: int) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent answers it
    device = devices.get()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if device == "cpu":
        import torch

        torch.set_num_threads(max(1, (os.cpu_count() or 1) // count))
    stage: Stage | None = None

    def get() -> Stage:
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


def _work(chunk: list[str]) -> list[Score]:
    if _worker is None:
        raise RunError("a worker was given work before it was started")
    return _worker()(chunk)


def score_texts(workers: Workers, texts: Sequence[str], store: ScoreStore, label: str) -> tuple[list[Score], int]:
    """Scores of the texts in their order, and how many had to be computed; the rest came from the store.

    Equal texts are scored once. Chunks are cut from all texts sorted by length, whether scored before or not, and a
    chunk with a score missing is redone whole: so every batch is the same in a resumed run as in an uninterrupted one,
    down to the last bit.
    """
    keys = [text_key(text) for text in texts]
    unique = dict(zip(keys, texts, strict=True))
    order = sorted(unique, key=lambda key: (-len(unique[key]), key))
    chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]
    missing = [chunk for chunk in chunks if any(key not in store for key in chunk)]

    def characters(keys: Sequence[str]) -> int:
        return sum(len(unique[key]) for key in keys)

    computed = sum(map(len, missing))
    left = sum(map(characters, missing))
    with Progress(
        label, len(unique), characters(order), done=len(unique) - computed, seen=characters(order) - left
    ) as bar:
        for number, scores in workers.map([[unique[key] for key in chunk] for chunk in missing]):
            if len(scores) != len(missing[number]):
                raise RunError(f"{label}: {len(scores)} scores came back for {len(missing[number])} texts")
            store.add(missing[number], scores)
            bar.advance(len(scores), characters(missing[number]))
    return [store[key] for key in keys], computed
