"""Running a model over many items (texts, requests): in this process, in one worker process per device, or in one actor
per device of a Ray cluster.

A stage is a class that loads its model in `__init__(..., device=...)` and maps a chunk of items to a chunk of results
in `__call__`, in order. It does not know how many stages run beside it.

Which items are computed together depends on the chunk alone, neither on time nor on what is done already: a stage that
computes a chunk in batches says in `batches` which. Batches are then run one by one, so that results are kept as they come.
"""

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.util import Finalize
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from seedkit.cli import rarer_collections
from seedkit.display import Progress
from seedkit.errors import RunError
from seedkit.ray_cluster import split
from seedkit.ray_workers import Actors
from seedkit.score_store import Score, ScoreStore, text_key

CHUNK = 1024  # texts from which batches are cut
WRITE_S = (
    20  # seconds after which finished batches are written, before their chunk is finished: what a killed run loses
)

Item = TypeVar("Item")
Result = TypeVar("Result")
Mapped = TypeVar("Mapped", covariant=True)


class Stage(Protocol[Item, Mapped]):
    """Maps a chunk of items to its result, one entry per item and in their order: a list of scores, or vectors."""

    def __call__(self, chunk: list[Item], /) -> Mapped: ...


@runtime_checkable
class Batched(Protocol):
    """A stage that computes a chunk batch by batch."""

    def batches(self, chunk: list[Any], /) -> list[list[int]]:
        """The indices of the items of each batch, in the order in which they are computed; every item is in one.

        A call with the items of one batch, in its order, gives each the same bits as a call with the whole chunk.
        """
        ...


class StageFactory(Protocol[Item, Mapped]):
    """Makes a stage, its model loaded on a device such as cpu or cuda:0. The stage's class is one, or a partial of it."""

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
    """One stage per device. With one device the stage lives in this process, unless `isolate` gives it one of its own.

    Devices of a cluster (their names hold an @) have actors there, see seedkit.ray_workers.

    Leaving the `with` block gives back the memory of the models.
    """

    def __init__(self, factory: StageFactory[Item, Result], devices: Sequence[str], *, isolate: bool = False) -> None:
        self._factory, self._devices = factory, devices
        self._cluster = split(devices[0])[1]
        self._pooled = isolate or len(devices) > 1
        self._stage: Stage[Item, Result] | None = None
        self._pool: ProcessPoolExecutor | None = None
        self._actors: Actors | None = None

    def __enter__(self) -> "Workers[Item, Result]":
        return self

    def __exit__(self, *_: object) -> None:
        if self._stage is not None:
            self._stage = None
            _give_back_memory()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        if self._actors is not None:
            self._actors.close()
            self._actors = None

    def map(self, chunks: Sequence[list[Item]]) -> Iterator[tuple[int, Result]]:
        """Yield (chunk number, result) as chunks finish, in any order. Models load with the first chunk.

        Raises RunError if a worker process dies; what it was working on is lost, what was yielded is not. On a cluster it is
        computed again elsewhere, and RunError comes where that fails.
        """
        yield from self._each(_call, chunks)

    def batches(self, chunks: Sequence[list[Item]]) -> list[list[list[int]]]:
        """For every chunk the indices of each of its batches, as the stage cuts it; one batch if it does not say."""
        found = dict(self._each(_cut, chunks))
        return [found[number] for number in range(len(chunks))]

    def _each(self, work: Callable[..., Any], chunks: Sequence[list[Item]]) -> Iterator[tuple[int, Any]]:
        if self._cluster:
            self._actors = self._actors or Actors(self._factory, self._devices, self._cluster)
            yield from self._actors.each(work, chunks)
            return
        if not self._pooled:
            for number, chunk in enumerate(chunks):
                self._stage = self._stage or self._factory(device=self._devices[0])
                yield number, work(self._stage, chunk)
            return
        waiting: dict[Future[Any], int] = {}
        todo = iter(enumerate(chunks))
        try:
            while True:
                # a few chunks ahead keep every worker busy; not all at once, since each is a copy of its items
                while len(waiting) < 2 * len(self._devices) and (job := next(todo, None)):
                    waiting[self._start().submit(_work, work, job[1])] = job[0]
                if not waiting:
                    return
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield waiting.pop(future), future.result()
        except BrokenProcessPool:
            raise RunError(
                "a worker process died (out of memory?); what is finished is kept, run again to resume"
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


def _give_back_memory() -> None:
    """Free a model that nothing refers to any more, so that the next one finds the GPU's memory free."""
    gc.collect()  # modules with hooks refer to each other
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


_worker: Callable[[], Stage[Any, Any]] | None = None  # in a worker process: the stage, loaded at the first call


def _start_worker(factory: StageFactory[Any, Any], devices: "SimpleQueue[str]", count: int) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of the group; the parent handles it
    rarer_collections()
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


def _work(work: Callable[..., Any], chunk: list[Any]) -> Any:
    if _worker is None:
        raise RunError("a worker was given work before it was started")
    return work(_worker(), chunk)


def _call(stage: Stage[Any, Any], chunk: list[Any]) -> Any:
    return stage(chunk)


def _cut(stage: Stage[Any, Any], chunk: list[Any]) -> list[list[int]]:
    return stage.batches(chunk) if isinstance(stage, Batched) else [list(range(len(chunk)))]


def chunked(texts: Sequence[str]) -> tuple[list[str], dict[str, str], list[list[str]]]:
    """(key of every text, text by key, chunks of keys): equal texts once, longest first, cut in chunks of CHUNK.

    Chunks are cut from all texts, whether they were done before or not, batches from whole chunks, and a batch with
    anything missing is redone as a whole. So every batch is the same in a resumed run as in an uninterrupted one, and so
    is every bit of its result.
    """
    keys = [text_key(text) for text in texts]
    unique = dict(zip(keys, texts, strict=True))
    order = sorted(unique, key=lambda key: (-len(unique[key]), key))
    return keys, unique, [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]


class FinishedBatch(NamedTuple, Generic[Result]):
    """What a stage found for one batch: `indices` are those of its texts in the chunk.

    `due` says that what was found so far is to be written now: a chunk is finished, or WRITE_S have passed.
    """

    number: int  # of the chunk
    indices: list[int]
    result: Result
    due: bool


def run_chunks(
    workers: Workers[str, Result],
    unique: dict[str, str],
    chunks: Sequence[list[str]],
    missing: Mapping[int, Collection[int]],
    label: str,
) -> "Iterator[FinishedBatch[Result]]":
    """Yield what is found for each batch that has anything `missing`, as batches finish, with a progress bar.

    `missing` are the indices of the texts without a result, by number of the chunk; a chunk without any need not be there.
    """
    texts = {number: [unique[key] for key in chunks[number]] for number in missing if missing[number]}
    total = sum(map(len, unique.values()))
    left = sum(len(text) for chunk in texts.values() for text in chunk)
    done = len(unique) - sum(map(len, texts.values()))
    with Progress(label, len(unique), total, done=done, seen=total - left, steady=True) as bar:

        def advance(number: int, indices: list[int]) -> None:
            bar.advance(len(indices), sum(len(texts[number][index]) for index in indices))

        jobs: list[tuple[int, list[int]]] = []
        for number, batches in zip(texts, workers.batches(list(texts.values())), strict=True):
            for indices in batches:
                if missing[number] and not set(indices).isdisjoint(missing[number]):
                    jobs.append((number, indices))
                else:
                    advance(number, indices)
        unfinished = Counter(number for number, _ in jobs)
        written = time.monotonic()
        for job, result in workers.map([[texts[number][index] for index in indices] for number, indices in jobs]):
            number, indices = jobs[job]
            unfinished[number] -= 1
            due = not unfinished[number] or time.monotonic() - written >= WRITE_S
            yield FinishedBatch(number, indices, result, due)
            if due:
                written = time.monotonic()
            advance(number, indices)


def score_texts(
    workers: Workers[str, list[Score]], texts: Sequence[str], store: ScoreStore, label: str
) -> tuple[list[Score], int]:
    """Scores of the texts in their order, and how many had to be computed; the rest came from the store.

    Raises RunError if a stage returns another number of scores than it was given texts.
    """
    keys, unique, chunks = chunked(texts)
    missing = {
        number: [index for index, key in enumerate(chunk) if key not in store] for number, chunk in enumerate(chunks)
    }
    computed = 0
    fresh: dict[str, Score] = {}
    try:
        for number, indices, scores, due in run_chunks(workers, unique, chunks, missing, label):
            if len(scores) != len(indices):
                raise RunError(f"{label}: {len(scores)} scores came back for {len(indices)} texts")
            fresh |= zip((chunks[number][index] for index in indices), scores, strict=True)
            computed += len(indices)
            if due:
                store.add(list(fresh), list(fresh.values()))
                fresh = {}
    finally:
        if fresh:
            store.add(list(fresh), list(fresh.values()))
    return [store[key] for key in keys], computed
