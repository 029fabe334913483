"""pass@1 over some of a benchmark's problems: those of one difficulty, say, or those that are not known to be broken."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

Counts = Mapping[str, tuple[int, int]]  # (samples that pass, samples) by task id; only problems that have samples
SHOWN_TAGS = ("difficulty", "platform")  # the tags of a problem for which pass@1 is computed by value


def pass_at_1(counts: Counts, tasks: Iterable[str]) -> dict[str, Any]:
    """pass@1 over those of `tasks` that have samples: the mean over problems of c / n, where c of n samples pass.

    Returns {"problems": how many have samples, "pass_at_1": a fraction, or None where none has}.
    """
    rates = [counts[task][0] / counts[task][1] for task in tasks if task in counts]
    return {"problems": len(rates), "pass_at_1": math.fsum(rates) / len(rates) if rates else None}


def by_tag(counts: Counts, tags: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, dict[str, Any]]]:
    """pass@1 for every value of every tag of SHOWN_TAGS, both in alphabetical order.

    `tags` are those of all problems, by task id: {"a/1": {"difficulty": "easy"}} gives {"difficulty": {"easy": ...}}, each
    as `pass_at_1` returns it.
    """
    tasks: dict[str, dict[str, list[str]]] = {}
    for task, own in tags.items():
        for tag in own.keys() & set(SHOWN_TAGS):
            tasks.setdefault(tag, {}).setdefault(own[tag], []).append(task)
    return {
        tag: {value: pass_at_1(counts, values[value]) for value in sorted(values)}
        for tag, values in sorted(tasks.items())
    }
