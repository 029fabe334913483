"""What came of a study? Every finished folder on one page that opens from the disk, can be mailed and put beside a paper.

Takes any mix of finished folders: those of RQ1 to RQ4, of decontaminate.py, runs of train.py, and evaluations. Each gets a
part with its pictures, tables, examples, the folder, and the command that made it; in front stands what was made of what,
and behind it a methods section written from the manifests. The page is one file, asks nothing of any network, and works
without JavaScript. The same folders give the same bytes.

    python Code/report/report.py Datas/RQ1/* Datas/RQ2/* Datas/RQ3/* Datas/RQ4/* runs evaluations --output report.html
    python Code/report/report.py Datas/quickstart/RQ*/* --output /tmp/report.html

Every file is checked against its manifest first. Exit code 2: a folder is unfinished or is not what its manifest says, or
two folders are about the same.
"""

import argparse
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import parser

# The folder of a script comes first on the path, so that `import report` finds this file: it stands for the package then.
__path__ = [str(Path(__file__).parent)]


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument(
        "folders", type=Path, nargs="+", metavar="FOLDER", help="finished output folders, or runs of train.py"
    )
    flags.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="the page to write, such as report.html"
    )
    flags.add_argument(
        "--diagnoses",
        type=Path,
        metavar="FILE",
        help="what llamafactory_doctor.py wrote with --json: what would be lost",
    )
    flags.add_argument("--title", default="Report of a study", help="heading of the page (default: %(default)s)")
    return flags.parse_args()


def main() -> None:
    args = parse()
    from report.report_steps import gather, write

    write(args.output, gather(args.folders, args.diagnoses, args.title))


if __name__ == "__main__":
    run(main)
