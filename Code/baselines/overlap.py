"""Which subsets are the same question in disguise?

The overlap of every subset with every other, by record id: Jaccard's index |A and B| / |A or B|. Of two independent thirds
of the same data it is 0.20.

    python Code/baselines/overlap.py Datas/baselines/EVOL --against Datas/RQ1/EVOL Datas/RQ3/EVOL

Writes nothing: it prints a table, rows of the first folders, columns of the others.
"""

import argparse
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import parser


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="output folders: a row for each subset")
    flags.add_argument(
        "--against", type=Path, nargs="+", required=True, metavar="DIR", help="output folders: a column for each subset"
    )
    return flags.parse_args()


def main() -> None:
    args = parse()
    from seedkit.display import table

    from baselines.overlap_steps import jaccard, subsets

    rows, columns = subsets(args.folders), subsets(args.against)
    body = [[name, *(f"{jaccard(ids, other):.2f}" for other in columns.values())] for name, ids in rows.items()]
    print(table(["", *columns], body))


if __name__ == "__main__":
    run(main)
