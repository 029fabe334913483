"""Would other data of the same kind have taught as much? Random parts of every tertile, as draws of the data to train on.

A tertile is one set of records: however many seeds it is trained with, nothing tells what its records themselves add by being
these and not others. This script draws parts of each subset, --num_draws times, into a finished folder that train.py takes like
any other; the draws then are repeats in the table, as those of RQ2 and RQ4 are.

    python Code/training/subsample.py --partition Datas/RQ1/EVOL --output_dir Datas/RQ1_subsampled/EVOL
    python Code/training/subsample.py --partition Datas/quickstart/RQ1/EVOL --share 0.5 --output_dir /tmp/subsampled

Writes NAME_subsample_1.jsonl and so on for every subset of one draw, each line as it is there, and manifest.json last. The source
is called SOURCE_SUBSAMPLED, so that such students are no repeats of those of the whole subsets.
"""

import argparse
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import add_overwrite_flag, fraction, natural, parser, positive


def part(text: str) -> float:
    """An argument type: a share above 0 and below 1."""
    number = fraction(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"expected a share above 0 and below 1, got {text!r}")
    return number


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument("--partition", type=Path, required=True, metavar="DIR", help="a finished folder of RQ1 or RQ3")
    flags.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder to write")
    how = flags.add_argument_group("drawing")
    how.add_argument(
        "--share", type=part, default=0.8, metavar="SHARE", help="of a subset's records in each draw (default: 0.8)"
    )
    how.add_argument("--num_draws", type=positive, default=3, metavar="N", help="independent draws (default: 3)")
    how.add_argument("--seed", type=natural, default=42, metavar="N", help="default: 42")
    add_overwrite_flag(how)
    return flags.parse_args()


def main() -> None:
    args = parse()
    from training.subsample_steps import subsample

    print(subsample(args))


if __name__ == "__main__":
    run(main)
