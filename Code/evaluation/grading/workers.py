"""Worker processes that judge samples, each in a sandbox of its own and one sample at a time."""

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
from typing import Any, Generic, TypeVar

from benchmarks import open_benchmark
from benchmarks.contract import Problem
from sandbox import make
from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import STARVED
from sandbox.judging.verdict import INFRA_ERROR, Verdict
from sandbox.processes import die_with
from seedkit.errors import RunError

Name = TypeVar("Name")
_PATIENCE = 60  # seconds that a worker gets on top of the most that one sample may take, before it counts as dead
_MEMORY = 4 << 30  # bytes of address space of a worker
_AHEAD = 2  # jobs that a worker holds, the one under way included


@dataclass(frozen=True, slots=True)
class JudgeJob(Generic[Name]):
    """One completion to judge."""

    name: Name  # whatever the caller knows the job by
    problem: int  # index in the pool's list of problems
    completion: str
    limits: Limits


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    jobs: "deque[JudgeJob[Any]]"  # handed to it and not answered; all of the same call of `judge`
    since: float  # when it began with the first of them


class JudgePool:
    """`count` processes that judge completions of `problems` in the sandbox of that name.

    They end when this process does, however it ends.
    """

    def __init__(self, benchmark: str, problems: Sequence[Problem], sandbox: str, count: int) -> None:
        self._name, self._problems, self._sandbox, self._count = benchmark, list(problems), sandbox, count
        self._benchmark = open_benchmark(benchmark)
        self._workers: dict[int, _Worker] = {}  # by slot, from 0 to count - 1

    def __enter__(self) -> "JudgePool":
        return self

    def __exit__(self, *_: object) -> None:
        for slot in [*self._workers]:
            self._stop(slot)

    def judge(
        self, jobs: Iterable[JudgeJob[Name]], *, count: int | None = None
    ) -> Iterator[tuple[JudgeJob[Name], Verdict]]:
        """Yield each job with its verdict as they come, in any order, from `count` workers (None: all).

        The jobs of a worker that dies or does not answer in time get infra_error.
        """
        todo = iter(jobs)
        slots = range(min(count or self._count, self._count))
        while True:
            for slot in slots:
                self._supply(slot, todo)
            busy = {slot: self._workers[slot] for slot in slots if slot in self._workers and self._workers[slot].jobs}
            if not busy:
                return
            ready = wait([worker.connection for worker in busy.values()], timeout=1)
            for slot, worker in busy.items():
                if worker.connection in ready:
                    yield from self._answer(slot, worker)
                elif time.monotonic() - worker.since > self._most_seconds(worker.jobs[0]):
                    yield from self._lost(slot, "a worker did not come back")

    def _supply(self, slot: int, todo: Iterator[JudgeJob[Name]]) -> None:
        while (worker := self._workers.get(slot)) is None or len(worker.jobs) < _AHEAD:
            job = next(todo, None)
            if job is None:
                return
            worker = worker or self._start(slot)
            if not worker.jobs:
                worker.since = time.monotonic()
            worker.jobs.append(job)
            try:
                worker.connection.send((job.problem, job.completion, job.limits))
            except OSError:  # it is dead, which is found when its answer is waited for
                return

    def _answer(self, slot: int, worker: _Worker) -> Iterator[tuple[JudgeJob[Name], Verdict]]:
        try:
            verdict = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._lost(slot, "a worker died")
            return
        job = worker.jobs.popleft()
        worker.since = time.monotonic()
        yield job, verdict

    def _most_seconds(self, job: JudgeJob[Any]) -> float:
        """Seconds until a worker counts as dead: more than its program may take, as a busy machine can keep it waiting."""
        most = self._benchmark.most_seconds(self._problems[job.problem], job.limits)
        return 2 * STARVED * most + _PATIENCE

    def _lost(self, slot: int, why: str) -> Iterator[tuple[JudgeJob[Name], Verdict]]:
        jobs = self._workers[slot].jobs
        self._stop(slot)
        for job in jobs:
            yield job, Verdict(INFRA_ERROR, 0.0, why)

    def _start(self, slot: int) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(theirs, self._name, self._problems, self._sandbox, slot, os.getpid()), daemon=True
        )
        process.start()
        theirs.close()
        worker = _Worker(process, ours, deque(), time.monotonic())
        self._workers[slot] = worker
        return worker

    def _stop(self, slot: int) -> None:
        worker = self._workers.pop(slot)
        worker.connection.close()
        worker.process.join(1 if not worker.jobs else 0)  # an idle one ends when the connection closes
        worker.process.kill()
        worker.process.join(10)
        if worker.process.is_alive():
            raise RunError(f"worker {worker.process.pid} cannot be killed")


def _work(
    connection: Connection, name: str, problems: Sequence[Problem], sandbox_name: str, slot: int, parent: int
) -> None:
    """A worker's whole life: judge what comes through the connection until it is closed."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent answers it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # what the tests do with an answer needs a limit too; a jail replaces it by its own
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard), hard))
    benchmark = open_benchmark(name)
    sandbox: Sandbox | None = None
    while True:
        try:
            index, completion, limits = connection.recv()
        except (EOFError, OSError):
            return
        try:
            sandbox = sandbox or make(sandbox_name, slot, toolchains=benchmark.toolchain is not None)
            verdict = benchmark.judge(problems[index], completion, sandbox, limits)
        except SandboxError as error:
            verdict = Verdict(INFRA_ERROR, 0.0, str(error))
        try:
            connection.send(verdict)
        except OSError:
            return
