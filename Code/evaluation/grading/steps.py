"""From samples to verdicts and pass@k: the steps of grade.py, each a function of plain data."""

import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from benchmarks import open_benchmark
from benchmarks.contract import ALL, Problem
from benchmarks.multipl_e.languages.toolchain import missing
from sandbox import UNSAFE
from sandbox.bubblewrap import Bubblewrap
from sandbox.contract import Limits
from sandbox.judging.verdict import INFRA_ERROR, VERDICTS, Verdict
from seedkit.cli import say
from seedkit.display import Progress
from seedkit.errors import InputError, UsageError
from seedkit.files import file_facts
from seedkit.journal import Journal
from seedkit.manifest import OutputFolder, made_by, versions
from seedkit.sources import describe_file

from evaluation.grading.controls import RETRIES, controls
from evaluation.grading.samples import Sample, read_samples
from evaluation.grading.settings import GradingSettings
from evaluation.grading.summary import Summary, summarise
from evaluation.grading.workers import Job, Workers

STAGE = "grade"
RESULTS, SUMMARY = "results.jsonl", "summary.json"


def grade(settings: GradingSettings, output_dir: Path) -> Summary:
    """Judge every sample, write results.jsonl, summary.json and manifest.json to `output_dir`.

    Verdicts are kept as they come, in `output_dir`/.grades: interrupted, it goes on from there. RunError where a reference
    does not pass or a wrong program does: then nothing is graded.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, nobody can be waited for
    from sandbox.judging.self_check import choose  # it judges, and what it judges with imports the rungs

    benchmark = open_benchmark(settings.benchmark, settings.selection)
    problems = benchmark.load(settings.benchmark_file)
    if benchmark.toolchain and (why := missing(benchmark.toolchain)):
        raise UsageError(f"--benchmark {settings.benchmark}: not run: {why}")
    if benchmark.toolchain and settings.sandbox not in (None, Bubblewrap.name):
        raise UsageError(
            f"--sandbox {settings.sandbox}: {settings.benchmark} needs a place for files; expected {Bubblewrap.name}"
        )
    made = made_by(settings.samples) or {}
    if made.get("benchmark", settings.benchmark) != settings.benchmark:
        raise InputError(f"{settings.samples}: answers to {made['benchmark']}, got --benchmark {settings.benchmark}")
    wanted = problems[: settings.limit]
    samples = read_samples(
        settings.samples, benchmark, problems, part=replace(settings.selection, all_tests=False) != ALL
    )
    asked = {problem.task_id for problem in wanted}
    samples = [sample for sample in samples if sample.task_id in asked]
    if not samples:
        raise InputError(f"{settings.samples}: none of its samples is of the first {settings.limit} problems")
    # compilers write files, for which the others have no place
    rung = (
        UNSAFE if settings.unsafe_no_isolation else choose(Bubblewrap.name if benchmark.toolchain else settings.sandbox)
    )
    say("NO ISOLATION: programs run as this user and can do what it can" if rung == UNSAFE else f"isolation: {rung}")
    used = [problem for problem in wanted if problem.task_id in {sample.task_id for sample in samples}]
    sources = [settings.samples, *([settings.benchmark_file] if settings.benchmark_file else [])]
    identity = _identity(settings, rung, problems)
    with (
        OutputFolder(output_dir, STAGE, (RESULTS, SUMMARY), sources=sources) as folder,
        Journal(output_dir / ".grades", STAGE, identity, _Lines(), resume=settings.resume) as verdicts,
        Workers(
            settings.benchmark, used + benchmark.own_problems(), rung, settings.workers or os.cpu_count() or 1
        ) as workers,
    ):
        judge_all(settings, used, benchmark.own_problems(), samples, workers, verdicts)
        outcomes = [verdicts[sample.key] for sample in samples]
        summary = summarise(settings, benchmark, wanted, samples, outcomes, rung)
        folder.write(RESULTS, result_lines(samples, outcomes, rung))
        folder.write_bytes(
            SUMMARY, orjson.dumps(asdict(summary), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
        folder.finish(
            {
                "benchmark": settings.benchmark,
                "input": describe_file(settings.samples, file_facts(settings.samples)),
                "problems": identity["problems"],
                "limit": settings.limit,
                "isolation": rung,
                "judged": benchmark.judged,
                "counts": {"problems": len(used), "samples": len(samples)},
                "final": summary.final,
                "versions": versions("instructiondata", "numpy"),
            }
        )
    return summary


def judge_all(
    settings: GradingSettings,
    problems: Sequence[Problem],
    own: Sequence[Problem],
    samples: Sequence[Sample],
    workers: Workers,
    verdicts: "Journal[Verdict]",
) -> None:
    """Fill the journal: controls first, then what is missing, then once more and alone what the machine got wrong.

    The workers know `problems` and behind them `own`, which are for controls alone.
    """
    missing = [s for s in samples if s.key not in verdicts or verdicts[s.key].name == INFRA_ERROR]
    if len(missing) < len(samples):
        say(f"{len(samples) - len(missing):,} verdicts taken from earlier runs")
    if not missing:
        return
    places = {problem.task_id: place for place, problem in enumerate(problems)}
    needed = sorted({places[sample.task_id] for sample in missing})
    needed += range(len(problems), len(problems) + len(own))
    seconds = controls(settings, [*problems, *own], needed, workers)

    def jobs(which: Iterable[Sample]) -> Iterator[Job[Sample]]:
        for sample in which:
            place = places[sample.task_id]
            yield Job(sample, place, sample.completion, Limits(seconds[place], settings.memory))

    with Progress(
        settings.benchmark,
        len(samples),
        len(samples),
        done=len(samples) - len(missing),
        seen=len(samples) - len(missing),
    ) as bar:
        keep(workers.judge(jobs(missing)), verdicts, bar)
    for _ in range(RETRIES):
        wrong = [sample for sample in missing if verdicts[sample.key].name == INFRA_ERROR]
        if wrong:
            say(f"{len(wrong):,} infra_error ({verdicts[wrong[0].key].stderr}): once more, one at a time")
            keep(workers.judge(jobs(wrong), count=1), verdicts)


def keep(
    found: Iterable[tuple[Job[Sample], Verdict]], verdicts: "Journal[Verdict]", bar: Progress | None = None
) -> None:
    """Put outcomes into the journal, some at a time: bringing each to the disk would take longer than judging it."""
    fresh: list[tuple[str, Verdict]] = []
    since = time.monotonic()
    try:
        for job, outcome in found:
            fresh.append((job.name.key, outcome))
            if bar:
                bar.advance(1, 1)
            if time.monotonic() - since > 0.5:
                verdicts.append(fresh)
                fresh, since = [], time.monotonic()
    finally:
        if fresh:
            verdicts.append(fresh)


def result_lines(samples: Sequence[Sample], outcomes: Sequence[Verdict], rung: str) -> Iterator[bytes]:
    for sample, outcome in zip(samples, outcomes, strict=True):
        row = {
            "task_id": sample.task_id,
            "sample": sample.number,
            "verdict": outcome.name,
            "seconds": round(outcome.seconds, 4),
            "rung": rung,
            "stderr": outcome.stderr,
        }
        yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _identity(settings: GradingSettings, rung: str, problems: Sequence[Problem]) -> dict[str, Any]:
    """What decides a verdict besides the sample."""
    digest = blake2b(digest_size=16)
    for problem in problems:
        digest.update(repr((problem.task_id, problem.prompt, problem.tests)).encode())
    return {
        "benchmark": settings.benchmark,
        "problems": digest.hexdigest(),
        "rung": rung,
        "min_seconds": settings.min_seconds,
        "time_factor": settings.time_factor,
        "memory": settings.memory,
        "selection": repr(settings.selection),
        "versions": versions("numpy"),
    }


class _Lines:
    """An outcome in a line of the journal."""

    def encode(self, key: str, piece: Verdict) -> dict[str, Any]:
        return {"key": key, "verdict": piece.name, "seconds": piece.seconds, "stderr": piece.stderr}

    def decode(self, row: Any) -> tuple[str, Verdict]:
        outcome = Verdict(row["verdict"], row["seconds"], row["stderr"])
        if outcome.name not in VERDICTS or not isinstance(outcome.seconds, float):
            raise ValueError("no outcome")
        return row["key"], outcome
