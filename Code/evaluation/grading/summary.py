"""What a benchmark's verdicts come to: counts, pass@k with intervals, and whether that is all of it."""

import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.contract import INSIDE, Benchmark, Problem
from benchmarks.multipl_e.languages.toolchain import version as toolchain_version
from sandbox import UNSAFE, version
from sandbox.judging.verdict import INFRA_ERROR, PASS, VERDICTS, Verdict
from seedkit.display import table
from seedkit.manifest import versions

from evaluation.grading.samples import Sample
from evaluation.grading.settings import GradingSettings

TOLD = {"difficulty", "platform"}  # tags by which pass@1 is told


@dataclass(frozen=True, slots=True)
class Summary:
    """summary.json. `pass_at_k` by k: value and 95% interval over problems, fractions, or null with a reason."""

    benchmark: str
    final: bool  # every sample has a verdict
    isolated: bool
    judged: str  # where verdicts were made
    pass_at_k: dict[str, dict[str, Any]]
    by_tag: dict[str, dict[str, dict[str, Any]]]  # pass@1 and problems, for each difficulty, say
    without_errata: dict[str, Any] | None  # pass@1 and problems, where some problems are known to be broken
    verdicts: dict[str, int]
    problems: int  # in the benchmark, or the first of it that --limit asks for
    graded_problems: int
    missing: list[str]  # problems without a sample that has a verdict
    samples: int
    samples_per_problem: dict[str, int]
    limits: dict[str, float]
    environment: dict[str, str]


def summarise(
    settings: GradingSettings,
    benchmark: Benchmark,
    problems: Sequence[Problem],
    samples: Sequence[Sample],
    outcomes: Sequence[Verdict],
    rung: str,
) -> Summary:
    """An infra_error says nothing about its sample, which counts as not there."""
    total: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for sample, outcome in zip(samples, outcomes, strict=True):
        if outcome.name != INFRA_ERROR:
            total[sample.task_id] += 1
            passed[sample.task_id] += outcome.name == PASS
    names = [problem.task_id for problem in problems if total[problem.task_id]]
    counts = Counter(outcome.name for outcome in outcomes)
    return Summary(
        benchmark=settings.benchmark,
        final=not counts[INFRA_ERROR],
        isolated=rung != UNSAFE,
        judged=benchmark.judged,
        pass_at_k={str(k): _pass_at(k, [total[n] for n in names], [passed[n] for n in names]) for k in settings.k},
        by_tag=_by_tag(problems, total, passed),
        without_errata=_over([p for p in problems if "errata" not in p.tags], total, passed)
        if any("errata" in problem.tags for problem in problems)
        else None,
        verdicts={verdict: counts[verdict] for verdict in VERDICTS},
        problems=len(problems),
        graded_problems=len(names),
        missing=[problem.task_id for problem in problems if not total[problem.task_id]],
        samples=len(samples),
        samples_per_problem={"least": min(total.values(), default=0), "most": max(total.values(), default=0)},
        limits={"min_seconds": settings.min_seconds, "time_factor": settings.time_factor, "memory": settings.memory},
        environment={
            **versions("numpy"),
            **({benchmark.toolchain: toolchain_version(benchmark.toolchain)} if benchmark.toolchain else {}),
            "rung": rung,
            "sandbox": version(rung),
            "system": platform.system(),
            "machine": platform.machine(),
        },
    )


def _over(problems: Sequence[Problem], total: Counter[str], passed: Counter[str]) -> dict[str, Any]:
    """pass@1 over those of the problems that have samples: the mean over problems of the share that passes."""
    rates = [passed[one.task_id] / total[one.task_id] for one in problems if total[one.task_id]]
    return {"problems": len(rates), "pass_at_1": sum(rates) / len(rates) if rates else None}


def _by_tag(
    problems: Sequence[Problem], total: Counter[str], passed: Counter[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, list[Problem]]] = {}
    for problem in problems:
        for tag in TOLD & problem.tags.keys():
            found.setdefault(tag, {}).setdefault(problem.tags[tag], []).append(problem)
    return {
        tag: {value: _over(values[value], total, passed) for value in sorted(values)}
        for tag, values in sorted(found.items())
    }


def _pass_at(k: int, total: list[int], passed: list[int]) -> dict[str, Any]:
    from evaluation.metrics.pass_at_k import bootstrap_interval, pass_at_k

    short = sum(count < k for count in total)
    if short or not total:
        reason = f"{short} problems have fewer than {k} samples" if total else "no sample has a verdict"
        return {"value": None, "interval_95": None, "reason": reason}
    values = pass_at_k(total, passed, k)
    interval = bootstrap_interval(values)
    return {"value": float(values.mean()), "interval_95": [interval.low, interval.high]}


def shown(summary: Summary) -> str:
    """The summary as grade.py prints it."""
    rows = [[verdict, f"{count:,}"] for verdict, count in summary.verdicts.items() if count]
    lines = [table(["verdict", "samples"], rows), ""]
    for k, found in summary.pass_at_k.items():
        if found["value"] is None:
            lines.append(f"pass@{k}: not computed, {found['reason']}")
        else:
            low, high = found["interval_95"]
            lines.append(f"pass@{k}: {found['value']:.1%} (95% interval {low:.1%} to {high:.1%})")
    for tag, values in summary.by_tag.items():
        told = [
            f"{value} {found['pass_at_1']:.1%} of {found['problems']}"
            for value, found in values.items()
            if found["problems"]
        ]
        lines.append(f"pass@1 by {tag}: {', '.join(told)}")
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
