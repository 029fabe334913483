"""From code and other domains to mixes: the steps of domain_mixer.py."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from seedkit import figures
from seedkit.cli import say
from seedkit.display import Progress, written_to
from seedkit.errors import InputError
from seedkit.manifest import OutputFolder, versions
from seedkit.mixes import Pool, check_sizes, duplicates_of, mix_balance, mix_table, write_mixes
from seedkit.records import Keys, Reject
from seedkit.sources import (
    Job,
    arguments,
    default_seed,
    describe_file,
    describe_source,
    input_facts,
    read,
    readable,
    rejected,
)
from seedkit.spool import Spool

from RQ4_breadth.code_detector import record_evidence
from RQ4_breadth.shares import CODE, DOMAINS, chart, plan

STAGE = "RQ4_breadth"
POOL = "breadth_pool.jsonl"
CHART = "breadth_shares"


@dataclass
class Output:
    """What is to be written for one source: its folder, locked for this run, and what the manifest says it is made of."""

    source: str
    path: Path  # of the code data
    folder: OutputFolder
    made_of: dict[str, Any]


@dataclass
class Domain:
    """The records of one domain that can be drawn, code among them, and which lines of their spool are of rejects.jsonl."""

    pool: Pool
    path: Path
    rejects: list[int] = field(default_factory=list)
    with_code: int = 0

    def reject(self, reject: Reject) -> None:
        reason = f"{self.pool.kind} ({readable(self.path.name)}): {reject.reason}"
        row = {"line": reject.line, "id": reject.id, "reason": reason, "record": reject.record}
        self.rejects.append(self.pool.spool.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)))


def domain_files(args: argparse.Namespace) -> dict[str, Path]:
    """The file of each other domain, by its kind."""
    files = (args.general_file or default_seed("ALPACA"), args.math_file or default_seed("MATH"))
    return dict(zip(DOMAINS, files, strict=True))


@contextmanager
def outputs(todo: Sequence[Job], files: Mapping[str, Path], args: argparse.Namespace) -> Iterator[list[Output]]:
    """Open the output folder of every source, before anything is read for minutes.

    Raises InputError if one cannot be used, or holds mixes of another run and there is no --overwrite.
    """
    names = [mix.name for mix in plan(100, args.num_draws)]  # whatever their size
    domains = {kind: describe_file(path, input_facts(path)) for kind, path in files.items()}
    with ExitStack() as stack:
        found = []
        for source, path, folder in todo:
            made_of = {
                **describe_source(source, path, input_facts(path)),
                "domains": domains,
                "arguments": arguments(args, "seed", "num_draws"),
            }
            output = OutputFolder(
                folder,
                STAGE,
                (*names, POOL, *figures.names(CHART)),
                sources=[path, *files.values()],
                identity=made_of,
                former={"num_draws": "num_samples"},
                overwrite=args.overwrite,
            )
            found.append(Output(source, path, stack.enter_context(output), made_of))
        yield found


def read_code(output: Output, spool: Spool, args: argparse.Namespace) -> Domain:
    """Read the code data of one source."""
    code = Domain(Pool(CODE, spool), output.path)
    unreadable: list[Reject] = []
    for record in read(code.path, args, unreadable):
        code.pool.add(record)
    for reject in unreadable:
        code.reject(reject)
    left_out = f", {len(unreadable):,} rejected" if unreadable else ""
    say(f"{output.source}: {len(code.pool):,} records from {code.path}{left_out}")
    return code


def read_domains(files: Mapping[str, Path], spool: Spool, args: argparse.Namespace) -> list[Domain]:
    """Read both other domains and leave out what holds code."""
    return [_read_domain(Domain(Pool(kind, spool), path), args) for kind, path in files.items()]


def _read_domain(domain: Domain, args: argparse.Namespace) -> Domain:
    kind, path = domain.pool.kind, domain.path
    unreadable: list[Reject] = []
    with Progress(f"{kind}: looking for code", None, path.stat().st_size if path.exists() else 0) as bar:
        for record in read(path, args, unreadable, keys=Keys()):  # the flags name the fields of the code data
            if evidence := record_evidence(record):
                domain.with_code += 1
                domain.reject(rejected(record, f"it holds code: {evidence}"))
            else:
                domain.pool.add(record)
            bar.advance(1, len(record.instruction) + len(record.input) + len(record.output))
    for reject in unreadable:
        domain.reject(reject)
    say(
        f"{kind}: {len(domain.pool):,} records from {path}; {domain.with_code:,} with code and "
        f"{len(unreadable):,} others left out"
    )
    return domain


def mix(output: Output, code: Domain, domains: Sequence[Domain], args: argparse.Namespace) -> str:
    """Check and write all mixes of one source, the manifest last; returns the closing table."""
    source, folder = output.source, output.folder
    drawn = [code, *_without_duplicates(code, domains)]
    pools, renamed = _without_clashes([domain.pool for domain in drawn])
    rejects = [place for domain in drawn for place in domain.rejects]
    mixes = plan(len(code.pool), args.num_draws)
    check_sizes(mixes, pools, str(code.path))
    written = write_mixes(folder, pools, mixes, args.seed, POOL, "domain")
    balance = mix_balance(pools, mixes, args.seed)
    figures.write(folder, CHART, chart(source, mixes))
    if rejects:
        folder.write(folder.rejects, code.pool.spool.lines(np.array(rejects)))
    folder.finish(
        {
            **output.made_of,
            "versions": versions("instructiondata", "numpy", "pygments", "matplotlib"),
            "counts": {
                **{pool.kind: len(pool) for pool in pools},
                "with_code": {domain.pool.kind: domain.with_code for domain in domains},
                "left_out": len(rejects),
            },
            "ids_prefixed": renamed,
            "mixes": written,
            "balance": balance,
        }
    )
    return "\n".join(
        [
            f"\n{source}: {len(mixes)} mixes of {len(code.pool):,} records; {len(rejects):,} left out, in {folder.rejects}",
            mix_table(mixes, pools, written, balance),
            written_to(folder.path),
        ]
    )


def _without_duplicates(code: Domain, domains: Sequence[Domain]) -> list[Domain]:
    """The domains without the records that are duplicates of code or of an earlier one; those are rejects, the last."""
    result = []
    for domain, found in zip(
        domains, duplicates_of([code.pool, *(domain.pool for domain in domains)])[1:], strict=True
    ):
        rest = replace(domain, pool=domain.pool.without(found), rejects=list(domain.rejects))
        for index, reason in found.items():
            rest.reject(rejected(domain.pool.record(index), reason))
        result.append(rest)
    return result


def _without_clashes(pools: list[Pool]) -> tuple[list[Pool], list[str]]:
    """The pools with ids that are unique over all of them, and the kinds whose ids got a prefix for that.

    Raises InputError if ids clash even with a prefix.
    """
    taken = set(pools[0].ids)
    result, renamed = [pools[0]], []
    for pool in pools[1:]:
        if not taken.isdisjoint(pool.ids):
            pool = pool.prefixed()
            renamed.append(pool.kind)
            say(f'{pool.kind}: ids are used in other data too; "{pool.kind}:" goes before them')
            if not taken.isdisjoint(pool.ids):
                raise InputError(
                    f'{pool.kind}: ids clash with those of other data even with "{pool.kind}:" before them'
                )
        taken.update(pool.ids)
        result.append(pool)
    return result, renamed
