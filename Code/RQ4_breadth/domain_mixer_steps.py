"""From code and other domains to mixes: the steps of domain_mixer.py."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from seedkit import figures
from seedkit.cli import say
from seedkit.display import Progress
from seedkit.errors import InputError
from seedkit.files import Lines
from seedkit.manifest import OutputFolder, versions
from seedkit.mixes import Mix, Pool, check_sizes, duplicates_of, mix_table, write_mixes
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

from RQ4_breadth.code_detector import record_evidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STAGE = "RQ4_breadth"
POOL = "breadth_pool.jsonl"
CHART = "breadth_shares"
CODE = "CODE"
DOMAINS = ("GENERAL", "MATH")
SHARES = (3, 10, 30)  # percent of the other domain; the rest is code


@dataclass
class Output:
    """What is to be written for one source: its folder, locked for this run, and what the manifest says it is made of."""

    source: str
    path: Path  # of the code data
    folder: OutputFolder
    made_of: dict[str, Any]


@dataclass
class Code:
    """The code data of one source, and the lines of rejects.jsonl for what could not be read."""

    output: Output
    pool: Pool
    rejects: Lines


@dataclass
class Domain:
    """The records of another domain that hold no code, and the lines of rejects.jsonl for the others."""

    pool: Pool
    path: Path
    with_code: int
    rejects: Lines


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
                overwrite=args.overwrite,
            )
            found.append(Output(source, path, stack.enter_context(output), made_of))
        yield found


def read_code(output: Output, args: argparse.Namespace) -> Code:
    """Read the code data of one source."""
    source, path = output.source, output.path
    unreadable: list[Reject] = []
    pool = Pool(CODE)
    for record in read(path, args, unreadable):
        pool.add(record)
    say(f"{source}: {len(pool):,} records from {path}" + (f", {len(unreadable):,} rejected" if unreadable else ""))
    rejects = Lines()
    for reject in unreadable:
        rejects.append(_reject_line(CODE, path, reject))
    return Code(output, pool, rejects)


def read_domains(files: Mapping[str, Path], args: argparse.Namespace) -> list[Domain]:
    """Read both other domains and leave out what holds code."""
    return [_read_domain(kind, path, args) for kind, path in files.items()]


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
    return Domain(pool, path, with_code, rejects)


def _reject_line(kind: str, path: Path, reject: Reject) -> bytes:
    reason = f"{kind} ({readable(path.name)}): {reject.reason}"
    row = {"line": reject.line, "id": reject.id, "reason": reason, "record": reject.record}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def mix(code: Code, domains: list[Domain], args: argparse.Namespace) -> str:
    """Check and write all mixes of one source, the manifest last; returns the closing table."""
    rejects = list(code.rejects.all())
    pools, renamed = _without_clashes([code.pool, *_without_duplicates(code.pool, domains, rejects)])
    mixes = plan(len(code.pool), args.num_draws)
    source, folder = code.output.source, code.output.folder
    check_sizes(mixes, pools, str(code.output.path))
    written = write_mixes(folder, pools, mixes, args.seed, POOL, "domain")
    figures.write(folder, CHART, _chart(source, mixes))
    if rejects:
        folder.write(folder.rejects, rejects)
    folder.finish(
        {
            **code.output.made_of,
            "versions": versions("instructiondata", "numpy", "pygments", "matplotlib"),
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
            f"\n{source}: {len(mixes)} mixes of {len(code.pool):,} records; {len(rejects):,} left out, in {folder.rejects}",
            mix_table(mixes, pools, written),
            f"written to {folder.path}",
        ]
    )


def _chart(source: str, mixes: Sequence[Mix]) -> "Figure":
    """How many records of each domain the mixes have: a bar for each share, since all draws of it are alike."""
    looks = zip((CODE, *DOMAINS), (figures.DARK, figures.LIGHT, figures.MIDDLE), ("", "//", ".."), strict=True)
    kinds = list({(mix.series, *mix.counts.items()): mix for mix in mixes}.values())
    total = sum(kinds[0].counts.values())
    names = [CODE if mix.series is None else f"{mix.series} {mix.counts[mix.series] / total:.0%}" for mix in kinds]
    figure, plot = figures.axes(9, 4.5)
    begin = [0] * len(kinds)
    for kind, colour, hatch in looks:
        values = [mix.counts.get(kind, 0) for mix in kinds]
        plot.barh(names, values, left=begin, color=colour, hatch=hatch, edgecolor="white", label=kind)
        begin = [start + value for start, value in zip(begin, values, strict=True)]
    for row, mix in enumerate(kinds):
        text = ", ".join(f"{kind} {figures.counted(count, total)}" for kind, count in mix.counts.items())
        plot.text(total * 1.01, row, text, va="center")
    plot.invert_yaxis()
    plot.set_xlim(0, total)
    plot.set_xlabel("records")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figures.titled(plot, "Records of each domain in the mixes", source, total)
    return figure


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
