"""What is the study to decide? Writes study_plan.yaml, before anything is trained: which contrasts are primary, on what, how tested.

Reads which subsets there are from finished folders of RQ1 to RQ4 and proposes, for each source: RQ1 and RQ3, the highest tertile
against the lowest; RQ2, every mix against the one of equal parts; RQ4, every mix against the code alone. A person then edits the
file, train.py --plan keeps its hash with every student, and evaluate_study.py --plan tests its contrasts as one family. Whatever
is not in it, or was trained without it, is exploratory.

    python Code/evaluation/study_plan.py --partitions Datas/RQ1/EVOL Datas/RQ2/EVOL --student qwen2.5-coder-1.5b \\
        --benchmark humaneval mbpp --seed 42 43 44 --output_file study_plan.yaml
    python Code/evaluation/study_plan.py --partitions Datas/quickstart/RQ1/EVOL --student smollm2-135m-instruct --benchmark humaneval \\
        --finetuning lora --output_file /tmp/study_plan.yaml

Writes the file, and prints its contrasts and the size of the family. A file that is there already is not replaced.
"""

import argparse
from pathlib import Path

from benchmarks import NAMES
from seedkit.cli import run
from seedkit.flags import above_zero, natural, parser

from evaluation.flags import expanded

# about the difference that three runs of each subset show with a chance of 80% (study_power.py: 4.7 points on 591 problems): two equal
# subsets are then called equivalent about as often as two that differ by as much are told apart
MARGIN_POINTS = 5.0


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument(
        "--partitions",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="finished folders of RQ1 to RQ4, and of baselines",
    )
    flags.add_argument(
        "--student", nargs="+", required=True, metavar="NAME", help="presets or model folders, as for train.py"
    )
    flags.add_argument("--finetuning", choices=("full", "lora"), default="full", help="default: full")
    flags.add_argument(
        "--seed", type=natural, nargs="+", default=[42, 43, 44], metavar="N", help="of the training (default: 42 43 44)"
    )
    flags.add_argument(
        "--benchmark", nargs="+", required=True, metavar="NAME", help=f"{NAMES}; multipl-e: all its languages"
    )
    flags.add_argument(
        "--margin_points",
        type=above_zero,
        default=MARGIN_POINTS,
        metavar="M",
        help=f"subsets whose pass@1 differs by less, in percentage points, are equivalent (default: {MARGIN_POINTS:g})",
    )
    flags.add_argument(
        "--control",
        nargs="+",
        default=[],
        metavar="NAME",
        help="more data files that are no subset of a question, e.g. EVOL for Datas/seeds/EVOL.jsonl, beside the baselines",
    )
    flags.add_argument("--output_file", type=Path, default=Path("study_plan.yaml"), metavar="FILE")
    args = flags.parse_args()
    args.benchmark = [one for name in args.benchmark for one in expanded(name)]
    return args


def main() -> None:
    args = parse()
    from evaluation.study_plan_steps import write_plan

    print(write_plan(args))


if __name__ == "__main__":
    run(main)
