"""Running a model over many items (texts, requests): in this process, or in one worker process per device.

A stage is a class that loads its model in `__init__(..., device=...)` and maps a chunk of items to a chunk of results
in `__call__`, in order. It does not know how many stages run beside it. The same class fits Ray Data's map_batches.
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

CHUNK = 1024  # texts scored between two writes to the store: the most that a killed run loses, per device

Item = TypeVar("Item")
Result = TypeVar("Result")
Mapped = TypeVar("Mapped", covariant=True)


class Stage(Protocol[Item, Mapped]):
    """Maps a chunk of items to its result, one entry per item and in their order: a list of scores, or vectors."""

    def __call__(self, chunk: list[Item], /) -> Mapped: ...


class StageFactory(Protocol[Item, Mapped]):
    """Makes a stage, its model loaded on a device such as cpu or cuda:0. A partial of the stage's class is one."""

    def __call__(self, *, device: str) -> Stage[Item, Mapped]: ...


@dataclass
class ModelSpec(Generic[Result]):
    """A model to run over texts: how to start it, on which devices, and what identifies the results it computes.

    Results are stored under `identity` (model, revision, prompt, dtype and so on). `isolate` gives the model a process
    of its own even on one device.
    """

    factory: StageFactory[str, Result]
    devices: list[str]
    identity: dict[str, str]
    isolate: bool = False

    def workers(self) -> "Workers[str, Result]":
        return Workers(self.factory, self.devices, isolate=self.isolate)


class Workers(Generic[Item, Result]):
    """One stage per device. With one device the stage lives in this process, unless `isolate` gives it one of its own."""

    def __init__(self, factory: StageFactory[Item, Result], devices: Sequence[str], *, isolate: bool = False) -> None:
        self._factory, self._devices = factory, devices
        self._pooled = isolate or len(devices) > 1
        self._stage: Stage[Item, Result] | None = None
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Workers[Item, Result]":
        return self

    def __exit__(self, *_: object) -> None:
        self._stage = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def map(self, chunks: Sequence[list[Item]]) -> Iterator[tuple[int, Result]]:
        """Yield (chunk number, result) as chunks finish, in any order. Models load with the first chunk.

        Raises RunError if a worker process dies; what it was working on is lost, what was yielded is not.
        """
        if not self._pooled:
            for number, chunk in enumerate(chunks):
                self._stage = self._stage or self._factory(device=self._devices[0])
                yield number, self._stage(chunk)
            return
        waiting: dict[Future[Result], int] = {}
        todo = iter(enumerate(chunks))
        try:
            while True:
                # a few chunks ahead keep every worker busy; not all at once, since each is a copy of its items
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


_worker: Callable[[], Stage[Any, Any]] | None = None  # in a worker process: the stage, loaded at the first call


def _start_worker(factory: StageFactory[Any, Any], devices: "SimpleQueue[str]", count: int) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of the group; the parent handles it
    device = devices.get()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if device == "cpu":
        import torch

        torch.set_num_threads(max(1, (os.cpu_count() or 1) // count))
    stage: Stage[Any, Any] | None = None

    def get() -> Stage[Any, Any]:
        # Loaded with the first chunk: an error then reaches the parent as it is. Raised while the worker starts, it would
        # only be known that the pool is broken.
        nonlocal stage
        stage = stage or factory(device=device)
        return stage

    _worker = get
    # without this, the end of this process would wait for an engine's own processes, and those wait for it
    Finalize(None, _end_children, exitpriority=100)


def _end_children() -> None:
    for child in multiprocessing.active_children():
        child.terminate()
        child.join(20)
        child.kill()


def _end_with_parent() -> None:
    """End this worker when its parent ends: a killed parent cannot stop it, and it would hold its GPU for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _end_children()
        os._exit(1)


def _work(chunk: list[Any]) -> Any:
    if _worker is None:
        raise RunError("a worker was given work before it was started")
    return _worker()(chunk)


def chunked(texts: Sequence[str]) -> tuple[list[str], dict[str, str], list[list[str]]]:
    """(key of every text, text by key, chunks of keys): equal texts once, longest first, cut in chunks of CHUNK.

    Chunks are cut from all texts, whether they were done before or not, and a chunk with anything missing is redone as
    a whole. So every batch is the same in a resumed run as in an uninterrupted one, and so is every bit of its result.
    """
    keys = [text_key(text) for text in texts]
    unique = dict(zip(keys, texts, strict=True))
    order = sorted(unique, key=lambda key: (-len(unique[key]), key))
    return keys, unique, [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]


def run_chunks(
    workers: Workers[str, Result],
    unique: dict[str, str],
    chunks: Sequence[list[str]],
    missing: Sequence[int],
    label: str,
) -> Iterator[tuple[int, Result]]:
    """Yield (chunk number, result) of the `missing` chunks as they finish, with a progress bar over all of them."""

    def characters(number: int) -> int:
        return sum(len(unique[key]) for key in chunks[number])

    size = {number: characters(number) for number in range(len(chunks))}
    left = sum(size[number] for number in missing)
    computed = sum(len(chunks[number]) for number in missing)
    total = sum(size.values())
    with Progress(label, len(unique), total, done=len(unique) - computed, seen=total - left) as bar:
        for index, result in workers.map([[unique[key] for key in chunks[number]] for number in missing]):
            number = missing[index]
            yield number, result
            bar.advance(len(chunks[number]), size[number])


def score_texts(
    workers: Workers[str, list[Score]], texts: Sequence[str], store: ScoreStore, label: str
) -> tuple[list[Score], int]:
    """Scores of the texts in their order, and how many had to be computed; the rest came from the store.

    Raises RunError if a stage returns another number of scores than it was given texts.
    """
    keys, unique, chunks = chunked(texts)
    missing = [number for number, chunk in enumerate(chunks) if any(key not in store for key in chunk)]
    for number, scores in run_chunks(workers, unique, chunks, missing, label):
        if len(scores) != len(chunks[number]):
            raise RunError(f"{label}: {len(scores)} scores came back for {len(chunks[number])} texts")
        store.add(chunks[number], scores)
    return [store[key] for key in keys], sum(len(chunks[number]) for number in missing)
