"""Which records each method takes: functions of plain arrays, a value for each record."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from seedkit.errors import UsageError
from seedkit.subsets import shuffled

from baselines.greedy import far_apart
from baselines.knowledge import Knowledge, Numbers
from baselines.scorers import IFD

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ChosenSubset:
    """One subset of a source: its records, in the order in which they are written."""

    name: str
    method: str
    rows: Rows
    column: str | None = None  # of the scores, by which it was chosen
    note: str | None = None  # what a reader has to know besides


def size_of(wanted: str, records: int) -> int:
    """How many records a subset has: a third (rounded down), a number, or a share of them. Raises UsageError."""
    if wanted == "tertile":
        return records // 3
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 and int(wanted) > 0:
        return int(wanted)
    try:
        share = float(wanted)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise UsageError(f"--size {wanted}: expected tertile, a number of records, or a share between 0 and 1")
    return max(1, int(share * records + 1e-9))


def diversity_method(args: argparse.Namespace) -> str:
    """What quality_diversity is called: without a quality model it is the complexity that is made diverse."""
    return "quality_diversity" if args.quality == "model" else "complexity_diversity"


def subset_name(method: str) -> str:
    return f"BASELINE_{method.upper()}.jsonl"


def random_name(sample: int) -> str:
    return f"BASELINE_RANDOM_random_sample_{sample}.jsonl"


def choose(
    records: int, columns: Mapping[str, Numbers], known: Knowledge, args: argparse.Namespace
) -> list[ChosenSubset]:
    """The subsets that the methods choose, of --size records each where there are so many.

    Equal scores keep the input's order. `columns` are scores by name, each of shape (records,).
    """
    size = size_of(args.size, records)
    found = []
    for method in args.method:
        if method == "random":
            for sample in range(1, args.num_samples + 1):
                rows = shuffled(records, args.seed, sample).order[:size]
                found.append(ChosenSubset(random_name(sample), method, rows))
        elif method in ("longest", "shortest"):
            sign = -1 if method == "longest" else 1
            rows = ranked(sign * columns["answer_tokens"])[:size]
            found.append(ChosenSubset(subset_name(method), method, np.sort(rows), "answer_tokens"))
        elif method == "ifd":
            useful = np.where(columns[IFD] < 1, columns[IFD], np.nan)
            rows = ranked(-useful)[:size]
            note = f"only {len(rows):,} records have an IFD below 1" if len(rows) < size else None
            found.append(ChosenSubset(subset_name(method), method, np.sort(rows), IFD, note))
        else:
            found.append(_diverse(columns["evol_score"], known, size, args))
    return found


def ranked(values: Numbers) -> Rows:
    """The rows with a value, in ascending order of it; equal values in the input's order."""
    order = np.argsort(values, kind="stable")
    return order[: int(np.isfinite(values).sum())].astype(np.int64)


def _diverse(evol: Numbers, known: Knowledge, size: int, args: argparse.Namespace) -> ChosenSubset:
    assert known.vectors is not None
    vectors = known.vectors
    order = ranked(-evol)
    order = order[np.isfinite(vectors[order, 0])]  # an empty instruction has no vector
    taken = far_apart(vectors, order, size, args.min_distance)
    note = f"{taken.looked_at:,} of {len(order):,} records were looked at, in descending order of the score"
    if len(taken.rows) < size:
        note += f"; only {len(taken.rows):,} are {args.min_distance:g} apart, not {size:,}: a lower --min_distance gives more"
    method = diversity_method(args)
    return ChosenSubset(subset_name(method), method, taken.rows, "evol_score", note)
