"""Mixes of pools of records: exact counts, nested within a repeat, each file depending on its own seed only.

Records are copied as bytes: a line is made once, waits in a spool on the disk, and is written into every mix that draws it.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain, compress
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from seedkit.balance import balance, balance_report, measured
from seedkit.display import Progress, table
from seedkit.errors import InputError
from seedkit.files import Sink, batches
from seedkit.manifest import OutputFolder
from seedkit.records import Record, json_lines, record_line
from seedkit.spool import Spool
from seedkit.subsets import mixed, shuffled, unshuffled

_ID = b'{"id":"'  # how record_line begins


@dataclass
class Pool:
    """Records of one kind, to draw from; index i of every field belongs to record i."""

    kind: str
    spool: Spool  # holds the records as they are written, of all pools that are mixed
    ids: list[str] = field(default_factory=list)
    numbers: "array[int]" = field(default_factory=lambda: array("q"))  # the line that the record was read from
    keys: "array[int]" = field(default_factory=lambda: array("Q"))  # text_key of the record
    places: "array[int]" = field(default_factory=lambda: array("q"))  # the number of its line in the spool

    def add(self, record: Record) -> None:
        self.ids.append(record.id)
        self.numbers.append(record.line)
        self.keys.append(text_key(record))
        self.places.append(self.spool.append(record_line(record)))

    def record(self, index: int) -> Record:
        return Record(**orjson.loads(self.spool[self.places[index]]), line=self.numbers[index])

    def records(self) -> Iterator[Record]:
        """The records as they are written, without their lines in the input."""
        return (Record(**orjson.loads(line)) for line in self.lines())

    def lines(self) -> Iterator[bytes]:
        """The records as they are written."""
        return self.spool.lines(np.asarray(self.places))

    def without(self, indices: Collection[int]) -> "Pool":
        """The same records but those at the indices."""

        def kept(values: "array[int]") -> "array[int]":
            return array(values.typecode, np.delete(values, list(indices)).tobytes())

        ids = [id_ for index, id_ in enumerate(self.ids) if index not in indices]
        return Pool(self.kind, self.spool, ids, kept(self.numbers), kept(self.keys), kept(self.places))

    def prefixed(self) -> "Pool":
        """The same records with KIND: before every id, for a pool whose ids clash with another's."""
        start = _ID + self.kind.encode() + b":"
        places = array("q", (self.spool.append(start + line[len(_ID) :]) for line in self.lines()))
        return replace(self, ids=[f"{self.kind}:{id_}" for id_ in self.ids], places=places)

    def __len__(self) -> int:
        return len(self.numbers)


def text_key(record: Record) -> int:
    """64 bits of blake2b over the three texts; among 10^6 records two have the same by chance in 1 of 10^7 data sets."""
    texts = f"{record.instruction}\0{record.input}\0{record.output}"
    return int.from_bytes(blake2b(texts.encode(), digest_size=8).digest())


def duplicates_of(pools: Sequence[Pool]) -> list[dict[int, str]]:
    """For each pool the indices of its duplicates, with the reason to leave each out.

    A record is a duplicate if an earlier one, in its pool or in a pool before, has its instruction, input and output.
    """
    keys = np.concatenate([np.frombuffer(pool.keys, dtype=np.uint64) for pool in pools])
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    earlier = first[inverse]
    starts = np.cumsum([0, *map(len, pools)])
    found: list[dict[int, str]] = [{} for _ in pools]
    for index in np.flatnonzero(earlier != np.arange(len(keys))).tolist():  # over all pools
        own, other = (int(np.searchsorted(starts, at, side="right")) - 1 for at in (index, earlier[index]))
        line = pools[other].numbers[int(earlier[index] - starts[other])]
        found[own][int(index - starts[own])] = (
            f"the same instruction, input and output as line {line} of {pools[other].kind}"
        )
    return found


@dataclass(frozen=True, slots=True)
class Mix:
    """One file to write: how many records of each kind it has.

    The mixes of one series and repeat are nested. A mix without a repeat belongs to every series; it takes the first
    records of each kind and keeps the input's order.
    """

    name: str
    series: str | None
    repeat: int | None
    counts: dict[str, int]


def check_sizes(mixes: Iterable[Mix], pools: Sequence[Pool], where: str) -> None:
    """Raise InputError if a mix needs more records than a pool has."""
    for mix in mixes:
        for pool in pools:
            if (wanted := mix.counts.get(pool.kind, 0)) > len(pool):
                raise InputError(
                    f"{where}: {mix.name} needs {wanted:,} records of {pool.kind}, there are {len(pool):,}"
                )


def write_mixes(
    folder: OutputFolder, pools: Sequence[Pool], mixes: Sequence[Mix], seed: int, pool_file: str, column: str
) -> dict[str, Any]:
    """Write every mix, and the pool file with rows {id, line, `column`}; returns what the manifest says for verify.

    All pools have the same spool.
    """
    drawn: dict[str, bytes] = {}
    total = sum(sum(mix.counts.values()) for mix in mixes)
    with (
        Progress("writing mixes", total, total, steady=True) as bar,
        ThreadPoolExecutor(1) as finishing,  # waits for the disk while the next files are written
    ):
        finished = []
        for repeat in dict.fromkeys(mix.repeat for mix in mixes):
            alike = [mix for mix in mixes if mix.repeat == repeat]
            with ExitStack() as stack:
                files = [stack.enter_context(folder.written(mix.name)) for mix in alike]
                drawn |= _write_repeat(files, pools, alike, seed, bar)
                finished.append(finishing.submit(stack.pop_all().close))
        for future in finished:
            future.result()
    rows = (
        {"id": id_, "line": number, column: pool.kind}
        for pool in pools
        for id_, number in zip(pool.ids, pool.numbers, strict=True)
    )
    folder.write(pool_file, json_lines(rows))
    facts = [{"name": m.name, "series": m.series, "repeat": m.repeat, "counts": m.counts} for m in mixes]
    return {"pool": pool_file, "column": column, "files": facts, "same_records": same_records(facts, drawn)}


def _write_repeat(
    files: Sequence[Sink], pools: Sequence[Pool], mixes: Sequence[Mix], seed: int, bar: Progress
) -> dict[str, bytes]:
    """Write all mixes of one repeat side by side; of each a value that is equal where the records are.

    Records have one order in the whole repeat, and each mix takes some of them in that order. So a record is read once,
    however many mixes take it.
    """
    drawn, taken = _drawn(pools, mixes, seed)
    places = np.concatenate([np.asarray(pool.places) for pool in pools])[drawn]
    masks = [mask.tobytes() for mask in taken]
    begin = 0
    for lines in batches(pools[0].spool.lines(places), blocks=2):  # a mix takes about half of them
        for file, mask in zip(files, masks, strict=True):
            chosen = list(compress(lines, mask[begin : begin + len(lines)]))
            file.put(chosen)
            bar.advance(len(chosen), len(chosen))
        begin += len(lines)
    return {
        mix.name: blake2b(np.sort(places[mask]).tobytes(), digest_size=16).digest()
        for mix, mask in zip(mixes, taken, strict=True)
    }


def _drawn(pools: Sequence[Pool], mixes: Sequence[Mix], seed: int) -> tuple[NDArray[np.int64], list[NDArray[np.bool_]]]:
    """(the records that a mix of one repeat takes, in their order, counted over all pools; which of them each mix takes)"""
    repeat = mixes[0].repeat
    counts = np.array([[mix.counts.get(pool.kind, 0) for pool in pools] for mix in mixes])
    decks = [
        unshuffled(len(pool), which) if repeat is None else shuffled(len(pool), seed, repeat, which)
        for which, pool in enumerate(pools)
    ]
    which, number = mixed(decks, counts.max(axis=0).tolist()).T
    drawn = np.cumsum([0, *map(len, pools)])[which] + number
    turn = np.concatenate([np.argsort(deck.order) for deck in decks])[drawn]  # when it is drawn from its deck
    return drawn, [turn < count[which] for count in counts]


def mix_balance(pools: Sequence[Pool], mixes: Sequence[Mix], seed: int) -> dict[str, Any]:
    """The balance table of the mixes that `write_mixes` writes, as the manifest holds it."""

    def members() -> Iterator[tuple[str, NDArray[np.int64]]]:
        for repeat in dict.fromkeys(mix.repeat for mix in mixes):
            alike = [mix for mix in mixes if mix.repeat == repeat]
            drawn, taken = _drawn(pools, alike, seed)
            yield from ((mix.name, drawn[mask]) for mix, mask in zip(alike, taken, strict=True))

    records = chain.from_iterable(pool.records() for pool in pools)
    return balance(measured(records, sum(map(len, pools))), members())


def same_records(files: Iterable[Mapping[str, Any]], members: Mapping[str, object]) -> list[list[str]]:
    """The repeats that hold the same records: of each set of them the names, at least two.

    `files` are the mixes as the manifest holds them; `members` says of those that are to be compared what they hold, by
    name, as values that are equal where the records are. A kind of which a mix takes all is the same in every repeat.
    """
    groups: list[tuple[Mapping[str, Any], list[str]]] = []
    for mix in files:
        if mix["repeat"] is None or mix["name"] not in members:
            continue
        for first, names in groups:
            alike = first["series"] == mix["series"] and first["counts"] == mix["counts"]
            if alike and members[first["name"]] == members[mix["name"]]:
                names.append(mix["name"])
                break
        else:
            groups.append((mix, [mix["name"]]))
    return [names for _, names in groups if len(names) > 1]


def mix_table(
    mixes: Sequence[Mix], pools: Sequence[Pool], written: Mapping[str, Any], balance: Mapping[str, Any]
) -> str:
    """What was written, a line per file, which repeats hold the same records, and in what else the mixes differ.

    `written` is of write_mixes, `balance` of mix_balance.
    """
    rows = [[mix.name, *(f"{mix.counts.get(pool.kind, 0):,}" for pool in pools)] for mix in mixes]
    lines = [table(["file", *(pool.kind for pool in pools)], rows)]
    return "\n".join([*lines, *map(same_records_line, written["same_records"]), balance_report(balance["subsets"])])


def same_records_line(names: Sequence[str]) -> str:
    """How a set of repeats that hold the same records is told."""
    return f"the same records in another order, though their repeats differ: {', '.join(names)}"
