"""Where does the study's data come from? The four public releases, in one form and cleaned.

Fetches Evol-Instruct (EVOL) and OSS-Instruct (OSS) of Magicoder (arXiv 2312.02120), Alpaca (ALPACA) and MathInstruct (MATH,
arXiv 2309.05653) from the Hugging Face hub, checks what arrives against the hub's checksum, turns it into records {id,
instruction, input, output} and leaves out what cannot teach: unreadable lines, empty or damaged texts, texts too long for
any student, exact and near duplicates.

    python Code/seeds/fetch_seeds.py                                     # all four from the hub, to Datas/seeds
    python Code/seeds/fetch_seeds.py --from_dir ~/downloads              # the same from files fetched elsewhere
    mkdir -p /tmp/in && cp Datas/sample/ALPACA.jsonl /tmp/in/alpaca.jsonl
    python Code/seeds/fetch_seeds.py --from_dir /tmp/in --sources ALPACA --output_dir /tmp/seeds

Writes SOURCE.jsonl, SOURCE_origin.jsonl {id, source, line: where each record was in the release}, SOURCE_rejects.jsonl
{line, id, reason, record} if there are any, and manifest.json last, with the release's commit and the count of each step.
A source that an earlier run finished is left as it is; an interrupted download goes on where it broke off. Downloads stay
in OUTPUT_DIR/.downloads and may be removed. Files in --from_dir must have the names that they have on the hub:

    EVOL    data-evol_instruct-decontaminated.jsonl
    OSS     data-oss_instruct-decontaminated.jsonl
    ALPACA  train-00000-of-00001-a09b74b3ef9c3b56.parquet; also one file train-00000-of-00001-*.parquet, alpaca*.parquet,
            alpaca*.json or alpaca*.jsonl
    MATH    MathInstruct.json

They are compared with the record that `hf download --local-dir` leaves beside them; without one, the manifest and the
origins say "unverified".
"""

import argparse
from pathlib import Path

from seedkit.cli import run
from seedkit.errors import UsageError
from seedkit.flags import fraction, parser, positive
from seedkit.sources import DATAS

from seeds.cleaning import MAX_CHARS, THRESHOLD
from seeds.releases import RELEASES


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    where = flags.add_argument_group("input and output")
    where.add_argument(
        "--sources",
        type=sources,
        nargs="+",
        default=[list(RELEASES)],
        metavar="SOURCE",
        help=f"which releases (default: {' '.join(RELEASES)})",
    )
    where.add_argument(
        "--from_dir",
        type=Path,
        metavar="FOLDER",
        help="take the files from here, not from the hub; their names stand above",
    )
    where.add_argument(
        "--revision",
        type=revision,
        action="append",
        default=[],
        metavar="SOURCE=REVISION",
        help="a commit, tag or branch of a release on the hub; the commit it is goes into the manifest",
    )
    where.add_argument("--output_dir", type=Path, default=DATAS / "seeds", help="folder to write; default: Datas/seeds")
    where.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="leave a source as it is that was made from the same file and flags (default)",
    )
    cleaning = flags.add_argument_group("cleaning")
    cleaning.add_argument(
        "--max_chars",
        type=positive,
        default=MAX_CHARS,
        metavar="N",
        help=f"longest instruction, input and output in all (default: {MAX_CHARS})",
    )
    cleaning.add_argument(
        "--near_duplicates",
        type=threshold,
        default=THRESHOLD,
        metavar="SIMILARITY",
        help=f"Jaccard similarity from which a text is one, or off (default: {THRESHOLD})",
    )
    args = flags.parse_args()
    args.revision = dict(args.revision)
    args.sources = list(dict.fromkeys(name for names in args.sources for name in names))
    return args


def sources(text: str) -> list[str]:
    """An argument type: a release, or several with commas."""
    names = text.split(",")
    if unknown := [name for name in names if name not in RELEASES]:
        raise argparse.ArgumentTypeError(f"expected some of {' '.join(RELEASES)}, got {unknown[0]!r}")
    return names


def revision(text: str) -> tuple[str, str]:
    """An argument type: a release and a revision of it."""
    source, _, name = text.partition("=")
    if source not in RELEASES or not name:
        raise argparse.ArgumentTypeError(f"expected SOURCE=REVISION, e.g. EVOL=main, got {text!r}")
    return source, name


def threshold(text: str) -> float | None:
    """An argument type: a similarity above 0, or None for off."""
    if text == "off":
        return None
    if not (number := fraction(text)):
        raise argparse.ArgumentTypeError("expected a number above 0 and up to 1, or off, got 0")
    return number


def main() -> None:
    args = parse()
    from seeds import fetch_seeds_steps as steps

    if args.from_dir and args.revision:
        raise UsageError("--revision names a revision on the hub: expected none of it with --from_dir")
    located = steps.find(args)
    inputs = [one.get() for one in located.values()] if args.from_dir else []
    counts = {source: steps.fetch(source, located[source], inputs, args) for source in args.sources}
    print(steps.closing_table(counts))
    print(f"written to {args.output_dir}")


if __name__ == "__main__":
    run(main)
