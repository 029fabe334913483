"""Scanning the texts of several data sets in several processes, and the figures of leakage for each data set."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np
from seedkit.errors import RunError
from seedkit.records import Record

from seeds.problem_index import INDICATOR_N, Finding, Index, Scan
from seeds.problem_parts import KINDS

CHUNK = 1024  # texts handed to a process at a time
POOL = 3  # chunks from which on several processes are worth their start
Z = 1.96  # of a 95% interval
AHEAD = 2  # chunks that wait for a process, so that none waits for them

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
    interval_4: tuple[float, float]  # 95%, of indicator_4 over the problems
    interval_5: tuple[float, float]
    found: tuple[str, ...]  # the names of the problems that some record holds


@dataclass(frozen=True, slots=True)
class Text:
    """A record as it is searched."""

    text: str
    sets: Sequence[int]  # the numbers of the data sets that it is in
    record: Record


def scan_all(
    index: Index, texts: Iterable[Text], count: int, workers: int, advance: Callable[[int, int], None]
) -> tuple[Scan, dict[int, Text]]:
    """Scan all texts of `count` data sets in `workers` processes; the result does not depend on their number.

    The texts are taken one chunk after the other, a few more than are being searched, and then let go of.

    Args:
        advance: called after each chunk with its number of texts and of characters.

    Returns:
        The scan, and by their rows the texts in which something was found.

    Raises:
        RunError: a process ended early.
    """
    total = Scan([], {n: np.zeros((count, len(index.items)), np.uint16) for n in INDICATOR_N})
    held: dict[int, Text] = {}
    start = 0
    for chunk, scan in _scans(index, _chunks(texts), count, workers):
        total.findings += [replace(finding, row=start + finding.row) for finding in scan.findings]
        held |= {start + finding.row: chunk[finding.row] for finding in scan.findings}
        for n, best in scan.best.items():
            np.maximum(total.best[n], best, out=total.best[n])
        advance(len(chunk), sum(len(text.text) for text in chunk))
        start += len(chunk)
    return total, held


def _chunks(texts: Iterable[Text]) -> Iterator[list[Text]]:
    rest = iter(texts)
    return iter(lambda: list(islice(rest, CHUNK)), [])


def _scans(index: Index, chunks: Iterator[list[Text]], count: int, workers: int) -> Iterator[tuple[list[Text], Scan]]:
    """Each chunk and its scan, in order; a pool is started only if there is enough to do for it."""
    first = list(islice(chunks, POOL))
    if workers == 1 or len(first) < POOL:
        for chunk in chain(first, chunks):
            yield chunk, index.scan(*_arguments(chunk), count)
        return
    waiting: deque[tuple[list[Text], Future[Scan]]] = deque()
    with ProcessPoolExecutor(workers, initializer=_start, initargs=(index,)) as pool:
        try:
            for chunk in chain(first, chunks):
                waiting.append((chunk, pool.submit(_scan, *_arguments(chunk), count)))
                if len(waiting) > workers + AHEAD:
                    done, scan = waiting.popleft()
                    yield done, scan.result()
            for done, scan in waiting:
                yield done, scan.result()
        except BrokenProcessPool:
            raise RunError("a process ended early, for want of memory? nothing is written; try --workers 1") from None


def _arguments(chunk: list[Text]) -> tuple[list[str], list[Sequence[int]]]:
    return [text.text for text in chunk], [text.sets for text in chunk]


def _start(index: Index) -> None:
    global _index
    _index = index


def _scan(texts: Sequence[str], sets: Sequence[Sequence[int]], count: int) -> Scan:
    assert _index is not None
    return _index.scan(texts, sets, count)


def best_findings(index: Index, findings: Iterable[Finding]) -> list[Finding]:
    """The finding with the largest overlap for each text and benchmark, in the order of the texts."""
    best: dict[tuple[int, str], Finding] = {}
    for found in sorted(findings, key=lambda f: (f.row, -f.overlap, KINDS.index(f.kind), f.item)):
        best.setdefault((found.row, index.items[found.item].benchmark), found)
    return list(best.values())


def leakage_by_benchmark(index: Index, scan: Scan, number: int, rows: Sequence[int]) -> list[Leakage]:
    """Flagged records and the test leakage indicator (XCoder, arXiv 2409.03810), for all benchmarks and for each.

    The indicator is the mean over the problems t of the maximum over records r of |grams(t) & grams(r)| / |grams(t)|,
    the grams of t being those of its prompt. Its interval takes the problems as a sample of those that the benchmark could
    have had: the mean and Z standard errors to either side. `rows` are the texts of data set `number`, each as often as it is there.
    """
    benchmarks = np.array([item.benchmark for item in index.items])
    own_rows = rows if isinstance(rows, range) else set(rows)
    found = [(f.row, f.item) for f in scan.findings if f.row in own_rows]
    result = []
    for name in ("all", *dict.fromkeys(benchmarks.tolist())):
        own = np.ones(len(benchmarks), bool) if name == "all" else benchmarks == name
        means, intervals = [], []
        for n in INDICATOR_N:
            there = own & (index.totals[n] > 0)
            shares = scan.best[n][number][there] / index.totals[n][there]
            mean = float(shares.mean()) if there.any() else 0.0
            half = Z * float(shares.std(ddof=1)) / len(shares) ** 0.5 if len(shares) > 1 else 1.0
            means.append(round(mean, 4))
            intervals.append((round(max(0.0, mean - half), 4), round(min(1.0, mean + half), 4)))
        holding = {row for row, item in found if own[item]}
        flagged = sum(row in holding for row in rows)
        hits = {item for _, item in found if own[item]}
        names = tuple(index.items[item].name for item in sorted(hits))
        rate = round(flagged / len(rows), 6) if rows else 0.0
        result.append(
            Leakage(
                name,
                int(own.sum()),
                len(hits),
                len(rows),
                flagged,
                rate,
                means[0],
                means[1],
                intervals[0],
                intervals[1],
                names,
            )
        )
    return result
