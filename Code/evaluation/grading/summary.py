"""What the verdicts on a benchmark amount to: counts, pass@k with intervals, and whether the figures are final."""

import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.contract import INSIDE, Benchmark, Problem
from benchmarks.multipl_e.languages.registry import version as toolchain_version
from sandbox import UNSAFE, version
from sandbox.judging.verdict import INFRA_ERROR, PASS, VERDICTS, Verdict
from seedkit.display import table
from seedkit.manifest import versions

from evaluation.grading.samples import Sample
from evaluation.grading.settings import GradingSettings, least_seconds
from evaluation.metrics.by_tag import by_tag, pass_at_1
from evaluation.metrics.intervals import mean_interval
from evaluation.metrics.pass_at_k import pass_at_k


@dataclass(frozen=True, slots=True)
class Summary:
    """summary.json. Values and the ends of intervals are fractions, or null with a reason."""

    benchmark: str
    final: bool  # every sample has a verdict
    isolated: bool
    judged: str  # where verdicts were made
    pass_at_k: dict[str, dict[str, Any]]  # by k: value, interval_95 (over problems), or reason
    base_pass_at_k: (
        dict[str, dict[str, Any]] | None
    )  # the same on the base tests alone, of a benchmark with others besides
    by_tag: dict[str, dict[str, dict[str, Any]]]  # pass@1 by difficulty and platform, where problems have these
    without_errata: dict[str, Any] | None  # pass@1 without the problems known to be broken, where there are any
    verdicts: dict[str, int]  # samples by verdict
    problems: int  # in the benchmark, or in the part of it that --limit asks for
    graded_problems: int  # those with a sample that has a verdict
    missing: list[str]  # the other problems
    samples: int
    samples_per_problem: dict[str, int]  # least and most
    limits: dict[str, float]  # min_seconds, time_factor, memory
    environment: dict[str, str]  # versions, sandbox, sandbox_version, system, machine


def summarise(
    settings: GradingSettings,
    benchmark: Benchmark,
    problems: Sequence[Problem],
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict],
    sandbox: str,
) -> Summary:
    """The summary of the samples' verdicts. A sample with infra_error counts as not there: that says nothing about it."""
    total: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    base: Counter[str] = Counter()
    for sample, verdict in zip(samples, verdicts, strict=True):
        if verdict.name != INFRA_ERROR:
            total[sample.task_id] += 1
            passed[sample.task_id] += verdict.name == PASS
            base[sample.task_id] += verdict.base == PASS
    names = [problem.task_id for problem in problems if total[problem.task_id]]
    by_task = {name: (passed[name], total[name]) for name in names}
    sound = [problem.task_id for problem in problems if "errata" not in problem.tags]
    counts = Counter(verdict.name for verdict in verdicts)
    return Summary(
        benchmark=settings.benchmark,
        final=not counts[INFRA_ERROR],
        isolated=sandbox != UNSAFE,
        judged=benchmark.judged,
        pass_at_k={str(k): _pass_at(k, [total[n] for n in names], [passed[n] for n in names]) for k in settings.k},
        base_pass_at_k={str(k): _pass_at(k, [total[n] for n in names], [base[n] for n in names]) for k in settings.k}
        if any(verdict.base is not None for verdict in verdicts)
        else None,
        by_tag=by_tag(by_task, {problem.task_id: problem.tags for problem in problems}),
        without_errata=pass_at_1(by_task, sound) if len(sound) < len(problems) else None,
        verdicts={name: counts[name] for name in VERDICTS},
        problems=len(problems),
        graded_problems=len(names),
        missing=[problem.task_id for problem in problems if not total[problem.task_id]],
        samples=len(samples),
        samples_per_problem={"least": min(total.values(), default=0), "most": max(total.values(), default=0)},
        limits={
            "min_seconds": least_seconds(settings, benchmark),
            "time_factor": settings.time_factor,
            "memory": settings.memory,
        },
        environment={
            **versions("numpy"),
            **({benchmark.toolchain: toolchain_version(benchmark.toolchain)} if benchmark.toolchain else {}),
            "sandbox": sandbox,
            "sandbox_version": version(sandbox),
            "system": platform.system(),
            "machine": platform.machine(),
        },
    )


def _pass_at(k: int, total: list[int], passed: list[int]) -> dict[str, Any]:
    """pass@k with its interval, from each problem's number of samples and of those that pass; or why there is none."""
    short = sum(count < k for count in total)
    if short or not total:
        reason = f"{short} problems have fewer than {k} samples" if total else "no sample has a verdict"
        return {"value": None, "interval_95": None, "reason": reason}
    values = pass_at_k(total, passed, k)
    interval = mean_interval(values)
    return {"value": float(values.mean()), "interval_95": [interval.low, interval.high]}


def shown(summary: Summary) -> str:
    """The summary as grade.py prints it."""
    rows = [[verdict, f"{count:,}"] for verdict, count in summary.verdicts.items() if count]
    lines = [table(["verdict", "samples"], rows), ""]
    for tests, figures in (("", summary.pass_at_k), (" on the base tests alone", summary.base_pass_at_k or {})):
        for k, found in figures.items():
            if found["value"] is None:
                lines.append(f"pass@{k}{tests}: not computed, {found['reason']}")
            else:
                low, high = found["interval_95"]
                lines.append(f"pass@{k}{tests}: {found['value']:.1%} (95% interval {low:.1%} to {high:.1%})")
    for tag, values in summary.by_tag.items():
        shares = [
            f"{value} {found['pass_at_1']:.1%} of {found['problems']}"
            for value, found in values.items()
            if found["problems"]
        ]
        lines.append(f"pass@1 by {tag}: {', '.join(shares)}")
    if summary.without_errata and summary.without_errata["problems"]:
        found = summary.without_errata
        lines.append(f"pass@1 without the problems on the errata list: {found['pass_at_1']:.1%} of {found['problems']}")
    if summary.missing:
        some = ", ".join(summary.missing[:5]) + (" ..." if len(summary.missing) > 5 else "")
        lines.append(f"over {summary.graded_problems} of {summary.problems} problems; without a sample: {some}")
    if summary.judged == INSIDE:
        lines.append("tests ran in the candidate's process: that stops accidents, not a program that means to cheat")
    if not summary.isolated:
        lines.append("graded WITHOUT ISOLATION: a program may have forged its verdict")
    if not summary.final:
        lines.append(f"NOT FINAL: {summary.verdicts[INFRA_ERROR]:,} samples have no verdict; run again to judge them")
    return "\n".join(lines)
