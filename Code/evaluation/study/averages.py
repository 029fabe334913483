"""The average of a subset's pass@1 over benchmarks, with an interval that knows which problems belong together."""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.metrics.intervals import Interval, score_interval
from evaluation.metrics.random_effects import Floats

Counts = Mapping[str, tuple[int, int]]  # (samples that pass, samples) by task id
# the problems of HumanEval and of MBPP, in whatever benchmark: HumanEval/0, HumanEval_0_has_close_elements, Mbpp/2, mbpp_2_...
_SHARED = re.compile(r"(humaneval|mbpp)[/_](\d+)(?:_.*)?", re.IGNORECASE)


def families(benchmarks: Sequence[str]) -> dict[str, list[str]]:
    """The benchmarks grouped by what counts once in an average: all languages of MultiPL-E together are one."""
    found: dict[str, list[str]] = {}
    for benchmark in benchmarks:
        found.setdefault("multipl-e" if benchmark.startswith("multipl-e-") else benchmark, []).append(benchmark)
    return found


def weights(benchmarks: Sequence[str]) -> dict[str, float]:
    """What each benchmark counts in the average: families alike, and the members of each alike."""
    grouped = families(benchmarks).values()
    return {name: 1 / len(grouped) / len(members) for members in grouped for name in members}


def average(means: Mapping[str, float | None]) -> float | None:
    """The mean of pass@1 over the families of benchmarks, each the mean of its members; None where a member has no value.

    `means` is pass@1 by benchmark.
    """
    counted = weights(list(means))
    known = {name: value for name, value in means.items() if value is not None}
    if not means or len(known) < len(means):
        return None
    return math.fsum(counted[name] * value for name, value in known.items())


def average_interval(rates: Mapping[str, tuple[Sequence[str], Floats]]) -> Interval:
    """The 95% interval of the average over benchmarks, of the same runs on each.

    Versions of one problem (in HumanEval and HumanEval+, MBPP and MBPP+, and MultiPL-E's translations of both) are solved
    together more often than other problems. So they are one cluster, whose value is what they bring to the average. Clusters
    take the place of problems in `score_interval`, with a table for each set of benchmarks that share problems.

    Args:
        rates: by benchmark its task ids and pass@1 by run and problem, shape (runs, problems).
    """
    counted = weights(list(rates))
    tables: dict[str, dict[str, Floats]] = {}  # by source, by problem: its part of each run's average, shape (runs,)
    shares: dict[str, float] = {}
    for name, (tasks, table) in rates.items():
        sources = {problem_of(name, task)[0] for task in tasks}
        source = sources.pop() if len(sources) == 1 else name
        shares[source] = shares.get(source, 0.0) + counted[name]
        clusters = tables.setdefault(source, {})
        for task, column in zip(tasks, table.T, strict=True):
            problem = problem_of(name, task)[1]
            clusters[problem] = clusters.get(problem, np.zeros(len(column))) + counted[name] * column / len(tasks)
    parts = {source: np.array(list(clusters.values())).T for source, clusters in tables.items()}
    return score_interval(
        [part * part.shape[1] / shares[source] for source, part in parts.items()],
        [shares[source] for source in parts],
    )


def problem_of(benchmark: str, task: str) -> tuple[str, str]:
    """The source of a problem and its name there, the same for all versions of it."""
    found = _SHARED.fullmatch(task)
    return (found[1].lower(), found[2]) if found else (benchmark, task)
