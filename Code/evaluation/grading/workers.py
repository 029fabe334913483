"""Worker processes that judge, each with a sandbox of its own and one sample at a time."""

import multiprocessing
import os
import resource
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from benchmarks import BENCHMARKS
from benchmarks.contract import Problem
from sandbox import make
from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import STARVED
from sandbox.judging.verdict import INFRA_ERROR, Verdict
from sandbox.processes import die_with
from seedkit.errors import RunError

Name = TypeVar("Name")
_PATIENCE = 60  # seconds beyond what a worker may take for one sample until it is taken for dead
_MEMORY = 4 << 30  # bytes of address space of a worker
_AHEAD = 2  # jobs a worker has, the one under way included


@dataclass(frozen=True, slots=True)
class Job(Generic[Name]):
    """One completion to judge; `name` is the caller's."""

    name: Name
    problem: int  # place in the list of problems
    completion: str
    limits: Limits


@dataclass
class _Worker(Generic[Name]):
    process: BaseProcess
    line: Connection
    jobs: "deque[Job[Name]]"
    since: float  # when it began with the first of them


class Workers:
    """`count` processes on the rung `rung`. They end when this process does, however it ends."""

    def __init__(self, benchmark: str, problems: Sequence[Problem], rung: str, count: int) -> None:
        self._benchmark, self._problems, self._rung, self._count = benchmark, list(problems), rung, count
        self._workers: dict[int, _Worker[object]] = {}

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for slot in [*self._workers]:
            self._stop(slot)

    def judge(self, jobs: Iterable[Job[Name]], *, count: int | None = None) -> Iterator[tuple[Job[Name], Verdict]]:
        """Each job with its outcome as they come, on `count` workers (all). A worker that dies is infra_error."""
        todo = iter(jobs)
        slots = range(min(count or self._count, self._count))
        while True:
            for slot in slots:
                self._supply(slot, todo)
            busy = {slot: self._workers[slot] for slot in slots if slot in self._workers and self._workers[slot].jobs}
            if not busy:
                return
            ready = wait([worker.line for worker in busy.values()], timeout=1)
            for slot, worker in busy.items():
                if worker.line in ready:
                    yield from self._answer(slot, worker)
                elif time.monotonic() - worker.since > self._most(worker.jobs[0]):
                    yield from self._lost(slot, "a worker did not come back")

    def _supply(self, slot: int, todo: Iterator[Job[Name]]) -> None:
        while (worker := self._workers.get(slot)) is None or len(worker.jobs) < _AHEAD:
            job = next(todo, None)
            if job is None:
                return
            worker = worker or self._start(slot)
            if not worker.jobs:
                worker.since = time.monotonic()
            worker.jobs.append(job)  # type: ignore[arg-type]
            try:
                worker.line.send((job.problem, job.completion, job.limits))
            except OSError:  # it is dead: what comes of the job is seen when its answer is waited for
                return

    def _answer(self, slot: int, worker: "_Worker[object]") -> Iterator[tuple[Job[Name], Verdict]]:
        try:
            outcome = worker.line.recv()
        except (EOFError, OSError):
            yield from self._lost(slot, "a worker died")
            return
        job = worker.jobs.popleft()
        worker.since = time.monotonic()
        yield job, outcome  # type: ignore[misc]

    def _most(self, job: "Job[object]") -> float:
        """Seconds until a worker is taken for dead; a program that the machine keeps waiting gets several times its own."""
        most = BENCHMARKS[self._benchmark]().most_seconds(self._problems[job.problem], job.limits)
        return 2 * STARVED * most + _PATIENCE

    def _lost(self, slot: int, why: str) -> Iterator[tuple[Job[Name], Verdict]]:
        jobs = self._workers[slot].jobs
        self._stop(slot)
        for job in jobs:
            yield job, Verdict(INFRA_ERROR, 0.0, why)  # type: ignore[misc]

    def _start(self, slot: int) -> "_Worker[object]":
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(theirs, self._benchmark, self._problems, self._rung, slot, os.getpid()), daemon=True
        )
        process.start()
        theirs.close()
        worker: _Worker[object] = _Worker(process, ours, deque(), time.monotonic())
        self._workers[slot] = worker
        return worker

    def _stop(self, slot: int) -> None:
        worker = self._workers.pop(slot)
        worker.line.close()
        worker.process.join(1 if not worker.jobs else 0)  # idle, it ends with the line
        worker.process.kill()
        worker.process.join(10)
        if worker.process.is_alive():
            raise RunError(f"worker {worker.process.pid} cannot be killed")


def _work(line: Connection, name: str, problems: Sequence[Problem], rung: str, slot: int, parent: int) -> None:
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent answers it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # what tests make of an answer is bounded too; a jail takes this limit back and sets its own
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard), hard))
    benchmark = BENCHMARKS[name]()
    sandbox: Sandbox | None = None
    while True:
        try:
            place, completion, limits = line.recv()
        except (EOFError, OSError):
            return
        try:
            sandbox = sandbox or make(rung, slot, toolchains=benchmark.toolchain is not None)
            outcome = benchmark.judge(problems[place], completion, sandbox, limits)
        except SandboxError as error:
            outcome = Verdict(INFRA_ERROR, 0.0, str(error))
        try:
            line.send(outcome)
        except OSError:
            return
