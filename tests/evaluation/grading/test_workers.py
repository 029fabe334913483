"""The processes that judge: one that dies is replaced."""

import os
import signal
from pathlib import Path

import pytest
from benchmarks import humaneval
from evaluation.grading import workers
from grading_cases import right
from sandbox.contract import Limits
from sandbox.judging.self_check import choose
from sandbox.judging.verdict import INFRA_ERROR


def test_a_worker_that_dies_is_replaced(problems: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = humaneval.HumanEval().load(problems)
    with workers.JudgePool("humaneval", loaded, choose(), 1) as pool:
        jobs = [workers.JudgeJob(n, n, right(n), Limits(5)) for n in range(4)]
        found = {}
        for job, verdict in pool.judge(jobs):
            found[job.name] = verdict.name
            if job.name == 0:
                [worker] = pool._workers.values()
                assert worker.process.pid is not None
                os.kill(worker.process.pid, signal.SIGKILL)
        assert found[0] == "pass" and found[3] == "pass" and INFRA_ERROR in found.values()
