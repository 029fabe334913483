"""Worker processes that judge samples, each in a sandbox of its own and one sample at a time."""

import multiprocessing
import os
import resource
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from benchmarks import open_benchmark
from benchmarks.contract import Problem
from sandbox import make
from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import STARVED
from sandbox.judging.verdict import INFRA_ERROR, TIMEOUT, Verdict
from sandbox.processes import die_with
from seedkit.errors import RunError

from evaluation.grading.judge_watch import JudgeWatch

Name = TypeVar("Name")
# seconds that a worker which computes nothing gets on top of the most that one sample may take on a busy machine
_PATIENCE = 60
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
    watch: JudgeWatch  # on the first of them


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

        A worker that computes beyond its job's limits is ended, and that is the job's TIMEOUT. The job of one that dies, or
        that does not answer in time although it computes nothing, gets INFRA_ERROR.
        """
        todo, again = iter(jobs), deque[JudgeJob[Name]]()

        def next_job() -> JudgeJob[Name] | None:
            return again.popleft() if again else next(todo, None)

        slots = range(min(count or self._count, self._count))
        while True:
            for slot in slots:
                self._supply(slot, next_job)
            busy = {slot: self._workers[slot] for slot in slots if slot in self._workers and self._workers[slot].jobs}
            if not busy:
                return
            ready = wait([worker.connection for worker in busy.values()], timeout=1)
            for slot, worker in busy.items():
                found = self._verdict(worker, worker.connection in ready)
                if found is None:
                    continue
                verdict, lost = found
                job = worker.jobs.popleft()
                worker.watch.begin()
                if lost:
                    again.extend(worker.jobs)  # it has not begun with these
                    self._stop(slot, at_once=True)
                yield job, verdict

    def _verdict(self, worker: _Worker, answered: bool) -> tuple[Verdict, bool] | None:
        """(the verdict on its first job, whether the worker is lost); None while it is at it."""
        if answered:
            try:
                return worker.connection.recv(), False
            except (EOFError, OSError):
                return Verdict(INFRA_ERROR, 0.0, "a worker died"), True
        job, watch = worker.jobs[0], worker.watch
        most = self._benchmark.most_seconds(self._problems[job.problem], job.limits)
        if watch.overdue(job.limits.seconds, STARVED * most):
            return Verdict(TIMEOUT, watch.seconds, "the tests did not come to an end with what it answered"), True
        if watch.seconds > 2 * STARVED * most + _PATIENCE:
            return Verdict(INFRA_ERROR, 0.0, "a worker did not come back"), True
        return None

    def _supply(self, slot: int, next_job: Callable[[], JudgeJob[Any] | None]) -> None:
        """Hand a worker as many jobs as it may hold."""
        while (worker := self._workers.get(slot)) is None or len(worker.jobs) < _AHEAD:
            job = next_job()
            if job is None:
                return
            worker = worker or self._start(slot)
            if not worker.jobs:
                worker.watch.begin()
            worker.jobs.append(job)
            try:
                worker.connection.send((job.problem, job.completion, job.limits))
            except OSError:  # it is dead, which is found when its answer is waited for
                return

    def _start(self, slot: int) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(theirs, self._name, self._problems, self._sandbox, slot, os.getpid()), daemon=True
        )
        process.start()
        theirs.close()
        assert process.pid is not None  # it is started
        worker = _Worker(process, ours, deque(), JudgeWatch(process.pid))
        self._workers[slot] = worker
        return worker

    def _stop(self, slot: int, *, at_once: bool = False) -> None:
        worker = self._workers.pop(slot)
        worker.connection.close()
        worker.process.join(0 if at_once or worker.jobs else 1)  # an idle one ends when the connection closes
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
