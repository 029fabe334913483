"""Before a GPU is booked: what will LLaMA-Factory 0.9.5 do with each record of these files?

LLaMA-Factory drops or cuts records without a word, and one bad value can lose a whole file. The doctor says so
beforehand, by the rules of LLaMA-Factory's own loader (llamafactory/data, datasets 4.0.0), which need not be installed.
Columns are mapped as dataset_info.json does: {"columns": {"prompt": "instruction", "query": "input", "response": "output"}}.

    python Code/training/llamafactory_doctor.py Datas/RQ1/EVOL --tokenizer MODEL     # every data file of a partition
    python Code/training/llamafactory_doctor.py Datas/sample/EVOL.jsonl --json /tmp/diagnoses.jsonl

A diagnosis is one of: trains; kept although empty; truncated (more tokens than --cutoff_len, needs --tokenizer); dropped;
the whole file is lost. Exit code 0: everything is trained on. 1: a file, a record or the end of an answer would be lost,
or a folder is not what its manifest says. 2: bad usage.
"""

import argparse
import sys
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import parser, positive

from training.encoding import NAMES


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help=".jsonl or .json file, or a finished output folder: then all its data files",
    )
    flags.add_argument("--tokenizer", metavar="MODEL", help="hub id or folder of the student; counts truncated tokens")
    flags.add_argument(
        "--template",
        metavar="NAME",
        help=f"LLaMA-Factory's: {', '.join(NAMES)} (the tokenizer's own); default: tokenizer where it has a chat template, "
        "else default",
    )
    flags.add_argument(
        "--cutoff_len",
        type=positive,
        default=2048,
        metavar="N",
        help="tokens of a sample, as in LLaMA-Factory (default: 2048)",
    )
    columns = flags.add_argument_group("columns, as in dataset_info.json")
    columns.add_argument("--prompt", default="instruction", metavar="KEY", help="default: instruction")
    columns.add_argument("--query", default="input", metavar="KEY", help="default: input")
    columns.add_argument("--response", default="output", metavar="KEY", help="default: output")
    flags.add_argument("--json", type=Path, metavar="FILE", help="write every diagnosis there as JSON Lines")
    return flags.parse_args()


def main() -> None:
    args = parse()
    from training import llamafactory_doctor_steps as steps

    report, lost = steps.examine(args)
    print(report)
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    run(main)
