"""Scanning the texts of several data sets in several processes, and the figures of leakage for each data set."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
from seedkit.errors import RunError

from seeds.problem_index import INDICATOR_N, Finding, Index, Scan
from seeds.problem_parts import KINDS

CHUNK = 2048  # texts handed to a process at a time

_index: Index | None = None  # of a process of the pool


@dataclass(frozen=True, slots=True)
class Leakage:
    """What a data set holds of one benchmark, or of all: a line of the tables."""

    benchmark: str  # its name, or "all"
    items: int  # problems of the benchmark
    items_found: int  # of these, problems that some record holds
    records: int
    flagged: int  # records that hold a problem
    leak_rate: float  # flagged / records
    indicator_4: float  # the test leakage indicator over 4-grams, 0 to 1
    indicator_5: float  # and over 5-grams


def scan_all(
    index: Index,
    texts: Sequence[str],
    sets: Sequence[Sequence[int]],
    count: int,
    workers: int,
    advance: Callable[[int, int], None],
) -> Scan:
    """Scan all texts, chunk by chunk, in `workers` processes; the result does not depend on their number.

    Args:
        sets: for each text the numbers, below `count`, of the data sets that it is in.
        advance: called after each chunk with its number of texts and of characters.

    Raises:
        RunError: a process ended early.
    """
    starts = range(0, len(texts), CHUNK)
    chunks = [(texts[start : start + CHUNK], sets[start : start + CHUNK], count) for start in starts]
    total = Scan([], {n: np.zeros((count, len(index.items)), np.uint16) for n in INDICATOR_N})
    with ExitStack() as stack:
        scans: Iterable[Scan] = (index.scan(*chunk) for chunk in chunks)
        if workers > 1 and len(chunks) > 2:
            pool = stack.enter_context(ProcessPoolExecutor(workers, initializer=_start, initargs=(index,)))
            scans = pool.map(_scan, chunks)
        try:
            for start, (chunk, _, _), scan in zip(starts, chunks, scans, strict=True):
                total.findings += [replace(finding, row=start + finding.row) for finding in scan.findings]
                for n, best in scan.best.items():
                    np.maximum(total.best[n], best, out=total.best[n])
                advance(len(chunk), sum(map(len, chunk)))
        except BrokenProcessPool:
            raise RunError("a process ended early, for want of memory? nothing is written; try --workers 1") from None
    return total


def _start(index: Index) -> None:
    global _index
    _index = index


def _scan(chunk: tuple[Sequence[str], Sequence[Sequence[int]], int]) -> Scan:
    assert _index is not None
    return _index.scan(*chunk)


def best_findings(index: Index, findings: Iterable[Finding]) -> list[Finding]:
    """The finding with the largest overlap for each text and benchmark, in the order of the texts."""
    best: dict[tuple[int, str], Finding] = {}
    for found in sorted(findings, key=lambda f: (f.row, -f.overlap, KINDS.index(f.kind), f.item)):
        best.setdefault((found.row, index.items[found.item].benchmark), found)
    return list(best.values())


def leakage_by_benchmark(index: Index, scan: Scan, number: int, rows: Sequence[int]) -> list[Leakage]:
    """Flagged records and the test leakage indicator (XCoder, arXiv 2409.03810), for all benchmarks and for each.

    The indicator is the mean over the problems t of the maximum over records r of |grams(t) & grams(r)| / |grams(t)|,
    the grams of t being those of its prompt. `rows` are the texts of data set `number`, each as often as it is there.
    """
    benchmarks = np.array([item.benchmark for item in index.items])
    own_rows = set(rows)
    found = [(f.row, f.item) for f in scan.findings if f.row in own_rows]
    result = []
    for name in ("all", *dict.fromkeys(benchmarks.tolist())):
        own = np.ones(len(benchmarks), bool) if name == "all" else benchmarks == name
        means = []
        for n in INDICATOR_N:
            there = own & (index.totals[n] > 0)
            shares = scan.best[n][number][there] / index.totals[n][there]
            means.append(round(float(shares.mean()), 4) if there.any() else 0.0)
        holding = {row for row, item in found if own[item]}
        flagged = sum(row in holding for row in rows)
        hit = len({item for _, item in found if own[item]})
        rate = round(flagged / len(rows), 6) if rows else 0.0
        result.append(Leakage(name, int(own.sum()), hit, len(rows), flagged, rate, *means))
    return result
