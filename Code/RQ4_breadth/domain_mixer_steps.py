"""From code and other domains to mixes: the steps of domain_mixer.py."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import orjson
from seedkit.cli import say
from seedkit.display import Progress
from seedkit.errors import InputError
from seedkit.files import FileFacts, Lines, file_facts
from seedkit.manifest import OutputFolder, versions
from seedkit.mixes import Mix, Pool, check_sizes, duplicates_of, mix_table, write_mixes
from seedkit.records import Keys, Reject
from seedkit.sources import Job, arguments, default_seed, describe_file, describe_source, read, readable, rejected

from RQ4_breadth.code_detector import record_evidence

STAGE = "RQ4_breadth"
POOL = "breadth_pool.jsonl"
CODE = "CODE"
DOMAINS = ("GENERAL", "MATH")
SHARES = (3, 10, 30)  # percent of the other domain; the rest is code


@dataclass
class Code:
    """The code data of one source, and the lines of rejects.jsonl for what could not be read."""

    source: str
    pool: Pool
    path: Path
    facts: FileFacts
    folder: Path
    rejects: Lines


@dataclass
class Domain:
    """The records of another domain that hold no code, and the lines of rejects.jsonl for the others."""

    pool: Pool
    path: Path
    facts: FileFacts
    with_code: int
    rejects: Lines


def read_code(job: Job, args: argparse.Namespace) -> Code:
    """Read the code data of one source."""
    source, path, folder = job
    unreadable: list[Reject] = []
    pool = Pool(CODE)
    for record in read(path, args, unreadable):
        pool.add(record)
    say(f"{source}: {len(pool):,} records from {path}" + (f", {len(unreadable):,} rejected" if unreadable else ""))
    rejects = Lines()
    for reject in unreadable:
        rejects.append(_reject_line(CODE, path, reject))
    return Code(source, pool, path, file_facts(path), folder, rejects)


def read_domains(args: argparse.Namespace) -> list[Domain]:
    """Read both other domains and leave out what holds code."""
    files = (args.general_file or default_seed("ALPACA"), args.math_file or default_seed("MATH"))
    return [_read_domain(kind, path, args) for kind, path in zip(DOMAINS, files, strict=True)]


def _read_domain(kind: str, path: Path, args: argparse.Namespace) -> Domain:
    unreadable: list[Reject] = []
    pool, rejects, with_code = Pool(kind), Lines(), 0
    with Progress(f"{kind}: looking for code", None, path.stat().st_size if path.exists() else 0) as bar:
        for record in read(path, args, unreadable, keys=Keys()):  # the flags name the fields of the code data
            if evidence := record_evidence(record):
                with_code += 1
                rejects.append(_reject_line(kind, path, rejected(record, f"it holds code: {evidence}")))
            else:
                pool.add(record)
            bar.advance(1, len(record.instruction) + len(record.input) + len(record.output))
    for reject in unreadable:
        rejects.append(_reject_line(kind, path, reject))
    say(
        f"{kind}: {len(pool):,} records from {path}; {with_code:,} with code and "
        f"{len(rejects) - with_code:,} others left out"
    )
    return Domain(pool, path, file_facts(path), with_code, rejects)


def _reject_line(kind: str, path: Path, reject: Reject) -> bytes:
    reason = f"{kind} ({readable(path.name)}): {reject.reason}"
    row = {"line": reject.line, "id": reject.id, "reason": reason, "record": reject.record}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def mix(code: Code, domains: list[Domain], args: argparse.Namespace) -> str:
    """Check and write all mixes of one source, the manifest last; returns the closing table."""
    rejects = list(code.rejects.all())
    pools, renamed = _without_clashes([code.pool, *_without_duplicates(code.pool, domains, rejects)])
    mixes = plan(len(code.pool), args.num_draws)
    check_sizes(mixes, pools, str(code.path))
    inputs = [code.path, *(domain.path for domain in domains)]
    made_of = {
        **describe_source(code.source, code.path, code.facts),
        "domains": {d.pool.kind: describe_file(d.path, d.facts) for d in domains},
        "arguments": arguments(args, "seed", "num_draws"),
    }
    with OutputFolder(
        code.folder,
        STAGE,
        (*(m.name for m in mixes), POOL),
        sources=inputs,
        identity=made_of,
        overwrite=args.overwrite,
    ) as output:
        written = write_mixes(output, pools, mixes, args.seed, POOL, "domain")
        if rejects:
            output.write(output.rejects, rejects)
        output.finish(
            {
                **made_of,
                "versions": versions("instructiondata", "numpy", "pygments"),
                "counts": {
                    **{pool.kind: len(pool) for pool in pools},
                    "with_code": {domain.pool.kind: domain.with_code for domain in domains},
                    "left_out": len(rejects),
                },
                "ids_prefixed": renamed,
                "mixes": written,
            }
        )
    return "\n".join(
        [
            f"\n{code.source}: {len(mixes)} mixes of {len(code.pool):,} records; {len(rejects):,} left out, in {output.rejects}",
            mix_table(mixes, pools, written),
            f"written to {code.folder}",
        ]
    )


def _without_duplicates(code: Pool, domains: list[Domain], rejects: list[bytes]) -> list[Pool]:
    """The domains' records that are duplicates neither of code nor of each other.

    Adds the lines of rejects.jsonl to `rejects`: of each domain what it left out while reading, then the duplicates.
    """
    result = []
    for domain, found in zip(domains, duplicates_of([code, *(domain.pool for domain in domains)])[1:], strict=True):
        rejects += domain.rejects.all()
        rejects += [
            _reject_line(domain.pool.kind, domain.path, rejected(domain.pool.record(index), reason))
            for index, reason in found.items()
        ]
        result.append(domain.pool.without(found) if found else domain.pool)
    return result


def _without_clashes(pools: list[Pool]) -> tuple[list[Pool], list[str]]:
    """The pools with ids that are unique over all of them, and the kinds whose ids got a prefix for that.

    Raises InputError if ids clash even with a prefix.
    """
    taken = set(pools[0].ids())
    result, renamed = [pools[0]], []
    for pool in pools[1:]:
        if not taken.isdisjoint(pool.ids()):
            pool = pool.prefixed()
            renamed.append(pool.kind)
            say(f'{pool.kind}: ids are used in other data too; "{pool.kind}:" goes before them')
            if not taken.isdisjoint(pool.ids()):
                raise InputError(
                    f'{pool.kind}: ids clash with those of other data even with "{pool.kind}:" before them'
                )
        taken.update(pool.ids())
        result.append(pool)
    return result, renamed


def plan(total: int, samples: int) -> list[Mix]:
    """The baseline, and every mix of every sample. The other domain's count is its share of the total, halves rounded up.

    Raises InputError if the total is so small that the smallest share of it is less than one record.
    """
    if total * SHARES[0] < 50:
        raise InputError(
            f"{total} code records: expected at least {-(-50 // SHARES[0])}, so that {SHARES[0]}% is one or more"
        )
    mixes = [Mix("RQ4_BREADTH_CODE_100.jsonl", None, None, {CODE: total})]
    for sample in range(1, samples + 1):
        for domain in DOMAINS:
            for share in SHARES:
                other = (total * share + 50) // 100
                name = f"RQ4_BREADTH_CODE_{100 - share}_{domain}_{share}_random_sample_{sample}.jsonl"
                mixes.append(Mix(name, domain, sample, {CODE: total - other, domain: other}))
    return mixes
