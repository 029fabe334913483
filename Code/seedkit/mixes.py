"""Mixes of pools of records: exact counts, nested within a repeat, each file from its own seed alone.

Records are copied as bytes: a line is made once and written into every mix that draws it.
"""

from array import array
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seedkit.cli import table
from seedkit.errors import InputError
from seedkit.files import Lines
from seedkit.manifest import OutputFolder
from seedkit.records import Record, json_lines, record_id, record_line
from seedkit.subsets import mixed, shuffled

_ID = b'{"id":"'  # how record_line begins


@dataclass
class Pool:
    """Records of one kind, to draw from: their ids, the lines they were read from, and what is written of each."""

    kind: str
    ids: list[str] = field(default_factory=list)
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    lines: Lines = field(default_factory=Lines)

    def add(self, record: Record) -> None:
        self.ids.append(record.id)
        self.numbers.append(record.line)
        self.lines.append(record_line(record))

    def prefixed(self) -> "Pool":
        """The same records with KIND: before every id, for a pool whose ids clash with another's."""
        mark = f"{self.kind}:"
        lines = Lines()
        for line in self.lines.all():
            lines.append(_ID + mark.encode() + line[len(_ID) :])
        return Pool(self.kind, [mark + id_ for id_ in self.ids], self.numbers, lines)

    def __len__(self) -> int:
        return len(self.ids)


class Copies:
    """Notices records whose instruction, input and output an earlier one has, whatever their ids."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def first(self, record: Record, *, note: bool = True) -> int | None:
        """The line of the earlier record with the same texts; None if there is none, and then `note` this one."""
        key = record_id(record.instruction, record.input, record.output)
        if key in self._seen:
            return self._seen[key]
        if note:
            self._seen[key] = record.line
        return None


@dataclass(frozen=True, slots=True)
class Mix:
    """One file to write. The mixes of a series and repeat are nested; one without a repeat is in the input's order."""

    name: str
    series: str | None
    repeat: int | None
    counts: dict[str, int]


def check_sizes(mixes: Iterable[Mix], pools: Sequence[Pool], where: str) -> None:
    """Refuse a mix that asks a pool for more than it has."""
    for mix in mixes:
        for pool in pools:
            if (wanted := mix.counts.get(pool.kind, 0)) > len(pool):
                raise InputError(
                    f"{where}: {mix.name} needs {wanted:,} records of {pool.kind}, there are {len(pool):,}"
                )


def write_mixes(
    folder: OutputFolder, pools: Sequence[Pool], mixes: Sequence[Mix], seed: int, pool_file: str, column: str
) -> dict[str, Any]:
    """Write every mix and the pool file {id, line, `column`}; returns what verify needs to know of them."""
    everything = [line for pool in pools for line in pool.lines.all()]
    starts = np.cumsum([0, *map(len, pools)])

    def write(mix: Mix) -> None:
        counts = [mix.counts.get(pool.kind, 0) for pool in pools]
        if mix.repeat is None:
            drawn = np.concatenate([np.arange(count) + start for count, start in zip(counts, starts, strict=False)])
        else:
            decks = [shuffled(len(pool), seed, mix.repeat, which) for which, pool in enumerate(pools)]
            which, number = mixed(decks, counts).T
            drawn = starts[which] + number
        folder.write(mix.name, map(everything.__getitem__, drawn.tolist()))

    with ThreadPoolExecutor(3) as writers:  # some wait for the disk while another gathers lines
        for done in [writers.submit(write, mix) for mix in mixes]:
            done.result()
    rows = (
        {"id": id_, "line": line, column: pool.kind}
        for pool in pools
        for id_, line in zip(pool.ids, pool.numbers, strict=True)
    )
    folder.write(pool_file, json_lines(rows))
    files = [{"name": m.name, "series": m.series, "repeat": m.repeat, "counts": m.counts} for m in mixes]
    return {"pool": pool_file, "column": column, "files": files}


def mix_table(mixes: Sequence[Mix], pools: Sequence[Pool]) -> str:
    """What was written, a line per file."""
    rows = [[mix.name, *(f"{mix.counts.get(pool.kind, 0):,}" for pool in pools)] for mix in mixes]
    return table(["file", *(pool.kind for pool in pools)], rows)
