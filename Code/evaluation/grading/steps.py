"""From samples to verdicts and pass@k: the steps of grade.py."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from benchmarks import open_benchmark
from benchmarks.contract import ALL, Benchmark, Problem
from benchmarks.multipl_e.languages.registry import missing
from sandbox import UNSAFE
from sandbox.bubblewrap import Bubblewrap
from sandbox.contract import Limits
from sandbox.judging.self_check import choose
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
from evaluation.grading.settings import GradingSettings, least_seconds
from evaluation.grading.summary import Summary, summarise
from evaluation.grading.workers import JudgeJob, JudgePool

STAGE = "grade"
RESULTS, SUMMARY = "results.jsonl", "summary.json"


def grade(settings: GradingSettings, output_dir: Path) -> Summary:
    """Judge every sample, write results.jsonl, summary.json and manifest.json to `output_dir`; returns the summary.

    Verdicts are kept as they come, in `output_dir`/.grades: an interrupted run goes on from there. Raises InputError or
    UsageError where samples, benchmark and settings do not fit, and RunError where a reference does not pass or a wrong
    program does: then nothing is graded.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, no process can be waited for
    benchmark = open_benchmark(settings.benchmark, settings.selection)
    problems = benchmark.load(settings.benchmark_file)
    _check_toolchain(settings, benchmark)
    wanted = problems[: settings.limit]
    samples = _wanted_samples(settings, benchmark, problems)
    sandbox = _choose_sandbox(settings, benchmark)
    sampled = {sample.task_id for sample in samples}
    used, own = [problem for problem in wanted if problem.task_id in sampled], benchmark.own_problems()
    sources = [settings.samples, *([settings.benchmark_file] if settings.benchmark_file else [])]
    least = least_seconds(settings, benchmark)
    identity = _identity(settings, sandbox, problems, least)
    workers = settings.workers or os.cpu_count() or 1
    with (
        OutputFolder(
            output_dir,
            STAGE,
            (RESULTS, SUMMARY),
            sources=sources,
            identity={"benchmark": settings.benchmark},
            overwrite=settings.overwrite,
        ) as folder,
        Journal(output_dir / ".grades", STAGE, identity, VerdictCodec(), resume=settings.resume) as journal,
        JudgePool(settings.benchmark, used + own, sandbox, workers) as pool,
    ):
        judge_all(settings, least, used, own, samples, pool, journal)
        verdicts = [journal[sample.key] for sample in samples]
        summary = summarise(settings, benchmark, wanted, samples, verdicts, sandbox)
        folder.write(RESULTS, result_lines(samples, verdicts, sandbox))
        folder.write_bytes(
            SUMMARY, orjson.dumps(asdict(summary), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
        folder.finish(
            {
                "benchmark": settings.benchmark,
                "input": describe_file(settings.samples, file_facts(settings.samples)),
                "problems": identity["problems"],
                "limit": settings.limit,
                "isolation": sandbox,
                "judged": benchmark.judged,
                "counts": {"problems": len(used), "samples": len(samples)},
                "final": summary.final,
                "versions": versions("instructiondata", "numpy"),
            }
        )
    return summary


def _check_toolchain(settings: GradingSettings, benchmark: Benchmark) -> None:
    """Raises UsageError where the benchmark's language cannot be run here, or not in the sandbox that is asked for."""
    if benchmark.toolchain and (why := missing(benchmark.toolchain)):
        raise UsageError(f"--benchmark {settings.benchmark}: not run: {why}")
    if benchmark.toolchain and settings.sandbox not in (None, Bubblewrap.name):
        raise UsageError(
            f"--sandbox {settings.sandbox}: {settings.benchmark} needs a folder for files; expected {Bubblewrap.name}"
        )


def _wanted_samples(settings: GradingSettings, benchmark: Benchmark, problems: Sequence[Problem]) -> list[Sample]:
    """The samples of the first --limit problems.

    Raises InputError where there are none, or they are of another benchmark, and UsageError where no problem has as many
    samples as a --k.
    """
    answered = (made_by(settings.samples) or {}).get("benchmark", settings.benchmark)
    if answered not in (settings.benchmark, benchmark.answers_of):
        raise InputError(f"{settings.samples}: answers to {answered}, got --benchmark {settings.benchmark}")
    # of the base benchmark's problems, this one may have only some
    partial = replace(settings.selection, all_tests=False) != ALL or answered != settings.benchmark
    samples = read_samples(settings.samples, benchmark, problems, partial=partial)
    asked = {problem.task_id for problem in problems[: settings.limit]}
    samples = [sample for sample in samples if sample.task_id in asked]
    if not samples:
        raise InputError(f"{settings.samples}: none of its samples is of the first {settings.limit} problems")
    most = max(Counter(sample.task_id for sample in samples).values())
    if short := [k for k in settings.k if k > most]:
        raise UsageError(
            f"--k {short[0]}: expected at least {short[0]:,} samples of a problem in {settings.samples}, got at most {most:,}"
        )
    return samples


def _choose_sandbox(settings: GradingSettings, benchmark: Benchmark) -> str:
    """The name of the sandbox to judge in, which is said. Raises InputError where none works on this machine."""
    if settings.unsafe_no_isolation:
        say("NO ISOLATION: programs run as this user and can do what it can")
        return UNSAFE
    # compilers write files, and only bubblewrap gives a program a folder for them
    sandbox = choose(Bubblewrap.name if benchmark.toolchain else settings.sandbox)
    say(f"isolation: {sandbox}")
    return sandbox


def judge_all(
    settings: GradingSettings,
    least_s: float,
    problems: Sequence[Problem],
    own: Sequence[Problem],
    samples: Sequence[Sample],
    pool: JudgePool,
    journal: "Journal[Verdict]",
) -> None:
    """Fill the journal: controls first, then the samples without a verdict, then those with infra_error again, alone.

    The pool knows `problems` followed by `own`, the benchmark's own problems, which are for controls alone. No sample has a
    shorter time limit than `least_s`.
    """
    missing = [s for s in samples if s.key not in journal or journal[s.key].name == INFRA_ERROR]
    done = len(samples) - len(missing)
    if done:
        say(f"{done:,} verdicts taken from earlier runs")
    if not missing:
        return
    indices = {problem.task_id: index for index, problem in enumerate(problems)}
    needed = sorted({indices[sample.task_id] for sample in missing})
    needed += range(len(problems), len(problems) + len(own))
    seconds = controls(settings, least_s, [*problems, *own], needed, pool)

    def jobs(which: Iterable[Sample]) -> Iterator[JudgeJob[Sample]]:
        for sample in which:
            index = indices[sample.task_id]
            yield JudgeJob(sample, index, sample.completion, Limits(seconds[index], settings.memory))

    with Progress(settings.benchmark, len(samples), len(samples), done=done, seen=done, steady=True) as bar:
        keep(pool.judge(jobs(missing)), journal, bar)
    for _ in range(RETRIES):
        wrong = [sample for sample in missing if journal[sample.key].name == INFRA_ERROR]
        if wrong:
            say(f"{len(wrong):,} infra_error ({journal[wrong[0].key].stderr}): once more, one at a time")
            with Progress(settings.benchmark, len(wrong), len(wrong), steady=True) as bar:
                keep(pool.judge(jobs(wrong), count=1), journal, bar)


def keep(found: Iterable[tuple[JudgeJob[Sample], Verdict]], journal: "Journal[Verdict]", bar: Progress) -> None:
    """Put verdicts into the journal, several at a time: writing each to the disk would take longer than judging it."""
    fresh: list[tuple[str, Verdict]] = []
    since = time.monotonic()
    try:
        for job, verdict in found:
            fresh.append((job.name.key, verdict))
            bar.advance(1, 1)
            if time.monotonic() - since > 0.5:
                journal.append(fresh)
                fresh, since = [], time.monotonic()
    finally:
        if fresh:
            journal.append(fresh)


def result_lines(samples: Sequence[Sample], verdicts: Sequence[Verdict], sandbox: str) -> Iterator[bytes]:
    """The lines of results.jsonl, in the order of the samples."""
    for sample, verdict in zip(samples, verdicts, strict=True):
        row = {
            "task_id": sample.task_id,
            "sample": sample.number,
            "verdict": verdict.name,
            "seconds": round(verdict.seconds, 4),
            "sandbox": sandbox,
            "stderr": verdict.stderr,
        }
        if verdict.base is not None:
            row["base"] = verdict.base
        yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _identity(settings: GradingSettings, sandbox: str, problems: Sequence[Problem], least_s: float) -> dict[str, Any]:
    """What decides a verdict besides the sample. It is the header of a journal: another one starts another journal."""
    digest = blake2b(digest_size=16)
    for problem in problems:
        digest.update(repr((problem.task_id, problem.prompt, problem.tests)).encode())
    return {
        "benchmark": settings.benchmark,
        "problems": digest.hexdigest(),
        "rung": sandbox,  # what a sandbox was called once: with another key, journals made then would not be found
        "min_seconds": least_s,
        "time_factor": settings.time_factor,
        "memory": settings.memory,
        "selection": repr(settings.selection),
        "versions": versions("numpy"),
    }


class VerdictCodec:
    """How a verdict stands in a line of the journal: {key, verdict, seconds, stderr}, and base where there is one."""

    def encode(self, key: str, piece: Verdict) -> dict[str, Any]:
        row: dict[str, Any] = {"key": key, "verdict": piece.name, "seconds": piece.seconds, "stderr": piece.stderr}
        return row if piece.base is None else {**row, "base": piece.base}

    def decode(self, row: Any) -> tuple[str, Verdict]:
        verdict = Verdict(row["verdict"], row["seconds"], row["stderr"], row.get("base"))
        named = {verdict.name, *([] if verdict.base is None else [verdict.base])}
        if not named <= set(VERDICTS) or not isinstance(verdict.seconds, float):
            raise ValueError("expected a verdict")
        return row["key"], verdict
