"""From classified records to mixes: the steps of composition_mixer.py."""

import argparse
from math import gcd
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.display import written_to
from seedkit.errors import InputError, UsageError
from seedkit.files import FileFacts, file_facts
from seedkit.manifest import OutputFolder, made_by, versions
from seedkit.mixes import Mix, Pool, duplicates_of, mix_balance, mix_table, write_mixes
from seedkit.records import Reject
from seedkit.sources import (
    DATAS,
    Job,
    arguments,
    describe_source,
    identify,
    input_facts,
    jobs,
    read,
    rejected,
    write_rejects,
)
from seedkit.spool import Spool, spooled

STAGE = "RQ2_composition"
CLASSIFIED, POOL = "classified.jsonl", "composition_pool.jsonl"
KINDS = ("algorithmic", "practical")
RATIOS = (0, 20, 50, 80, 100)  # percent of algorithmic tasks; the rest is practical
SUBSET_SIZE = 20_000
STEP = 100 // gcd(100, *RATIOS)  # a multiple of this has whole numbers at every ratio
ROOM = 80  # most percent of the smaller kind that a size of auto takes: what is left is how repeats can differ


def mixing_jobs(args: argparse.Namespace) -> list[Job]:
    """What the flags ask for. A source's input is its classified file, whose manifest says what the source is called."""
    return jobs(
        args, "RQ2", default_input=_classified, recorded_source=lambda path: (made_by(path) or {}).get("source")
    )


def _classified(source: str) -> Path:
    path = DATAS / "RQ2" / source / CLASSIFIED
    if not path.exists():
        raise InputError(f"{path}: no such file; first run python Code/RQ2_composition/task_classifier.py")
    return path


def mix(job: Job, args: argparse.Namespace) -> str:
    """Read, check and write all mixes of one source, the manifest last; returns the closing table."""
    source, path, folder = job
    facts = input_facts(path)
    names = [mix.name for mix in plan(STEP, args.num_draws)]  # whatever their size
    with (
        OutputFolder(
            folder,
            STAGE,
            (*names, POOL),
            sources=[path],
            identity=identify(source, path),
            overwrite=args.overwrite,
        ) as output,
        spooled(folder) as spool,
    ):
        rejects: list[Reject] = []
        pools = read_pools(path, spool, args, rejects)
        origin = made_by(path)
        subset = subset_size(args.subset_size, pools, path, _is_sample(source, origin))
        mixes = plan(subset, args.num_draws)
        written = write_mixes(output, pools, mixes, args.seed, POOL, "task_type")
        balance = mix_balance(pools, mixes, args.seed)
        write_rejects(output, rejects)
        here = path.parent.samefile(folder)
        output.finish(_manifest(source, path, facts, origin, pools, rejects, subset, written, balance, here, args))
    return "\n".join(
        [
            f"\n{source}: {len(mixes)} mixes of {subset:,} records"
            + (f", {len(rejects):,} left out, in {output.rejects}" if rejects else ""),
            mix_table(mixes, pools, written, balance),
            written_to(folder),
        ]
    )


def read_pools(path: Path, spool: Spool, args: argparse.Namespace, rejects: list[Reject]) -> list[Pool]:
    """The algorithmic and the practical records, without duplicates of an earlier one: no mix has a text twice.

    What is left out is added to `rejects`. Raises InputError for a record of another type.
    """
    pools = {kind: Pool(kind, spool) for kind in KINDS}
    types: list[Any] = []
    for record in read(path, args, rejects, column=("task_type", types)):
        kind = types.pop()
        if kind not in KINDS:
            expected = f'{path}:{record.line}: "task_type" is {kind!r}, expected one of {", ".join(KINDS)}'
            raise InputError(f"{expected}; classified by Code/RQ2_composition/task_classifier.py?")
        pools[kind].add(record)
    result = []
    for pool, found in zip(pools.values(), duplicates_of(list(pools.values())), strict=True):
        rejects += [rejected(pool.record(index), reason) for index, reason in found.items()]
        result.append(pool.without(found) if found else pool)
    counts = ", ".join(f"{len(pool):,} {pool.kind}" for pool in result)
    say(f"{path}: {counts} records" + (f", {len(rejects):,} left out" if rejects else ""))
    return result


def subset_size(wanted: int | str | None, pools: list[Pool], path: Path, sample: bool) -> int:
    """How many records a mix gets: `wanted`, or for auto and the `sample` as many as let repeats differ at every ratio.

    That is at most ROOM percent of the smaller kind; where so few records are no whole step, all that every ratio allows.

    Raises InputError if there are too few records, and names the largest size that works; UsageError for a size that has
    no whole numbers at every ratio.
    """
    largest = min(map(len, pools)) // STEP * STEP
    have = " and ".join(f"{len(pool):,} {pool.kind}" for pool in pools)
    if not largest:
        raise InputError(f"{path}: {have} records; expected at least {STEP} of each for the smallest mixes")
    if wanted == "auto" or (wanted is None and sample):
        auto = min(map(len, pools)) * ROOM // 100 // STEP * STEP
        why = (
            f"at most {ROOM}% of the smaller kind, so that repeats differ"
            if auto
            else "too few for repeats that differ"
        )
        say(f"subset size: {auto or largest:,} of {have} records, {why}")
        return auto or largest
    wanted = SUBSET_SIZE if wanted is None else int(wanted)
    if wanted > largest:
        raise InputError(
            f"{path}: {have} records are too few for --subset_size {wanted}; the largest that works at every ratio is "
            f"{largest}, with --subset_size auto it is one that lets repeats differ"
        )
    if wanted % STEP:
        raise UsageError(f"--subset_size {wanted}: expected a multiple of {STEP}, so that every ratio is exact")
    return wanted


def plan(subset: int, repeats: int) -> list[Mix]:
    """Every mix of every repeat."""
    return [
        Mix(
            f"RQ2_COMPOSITION_ALG_{percent}_PRAC_{100 - percent}_repeat{repeat}.jsonl",
            None,
            repeat,
            dict(zip(KINDS, (subset * percent // 100, subset * (100 - percent) // 100), strict=True)),
        )
        for repeat in range(1, repeats + 1)
        for percent in RATIOS
    ]


def _is_sample(source: str, origin: dict[str, Any] | None) -> bool:
    sample = DATAS / "sample" / f"{source}.jsonl"
    read = (origin or {}).get("input")
    return isinstance(read, dict) and sample.exists() and read.get("sha256") == file_facts(sample).sha256


def _manifest(
    source: str,
    path: Path,
    facts: FileFacts,
    origin: dict[str, Any] | None,
    pools: list[Pool],
    rejects: list[Reject],
    subset: int,
    written: dict[str, Any],
    balance: dict[str, Any],
    here: bool,
    args: argparse.Namespace,
) -> dict[str, Any]:
    return {
        **describe_source(source, path, facts),
        "input_is_here": here,
        "made_by": origin,
        "arguments": {"subset_size": subset, **arguments(args, "seed", "num_draws")},
        "versions": versions("instructiondata", "numpy"),
        "counts": {**{pool.kind: len(pool) for pool in pools}, "left_out": len(rejects)},
        "mixes": written,
        "balance": balance,
    }
