"""Is the study large enough? The smallest difference of two subsets that it sees with a chance of 80%, before any GPU is used.

Runs are the students of a subset: seeds of the training times draws of the data. A run's own effect is the standard deviation
of what it adds to pass@1 on all problems alike; comparisons.csv of a pilot study has it as run_effect_points. Assumptions and
formula stand in training/power.py, the statistics in metrics/README.md.

    python Code/evaluation/study_power.py --base_percent 40 --problems 591 --runs 3 --run_effect_points 0 1 2
    python Code/evaluation/study_power.py --base_percent 5 --problems 164 --run_effect_points 1 --difference_points 5

Prints a table in percentage points, and with --difference_points how many runs of each subset that difference needs.
"""

import argparse

from seedkit.cli import run
from seedkit.flags import above_zero, parser, positive


def rate(text: str) -> float:
    """An argument type: a percentage above 0 and below 99.9."""
    number = above_zero(text)
    if number >= 99.9:
        raise argparse.ArgumentTypeError(f"expected a percentage below 99.9, got {text!r}")
    return number


def points(text: str) -> float:
    """An argument type: percentage points, from 0."""
    return 0.0 if text == "0" else above_zero(text)


def several(text: str) -> int:
    """An argument type: a whole number of at least 2."""
    if (number := positive(text)) < 2:
        raise argparse.ArgumentTypeError(f"expected at least 2, because one says nothing about others, got {text!r}")
    return number


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument(
        "--base_percent",
        type=rate,
        nargs="+",
        default=[5.0, 40.0],
        metavar="P",
        help="pass@1 of the weaker subset (default: 5 40)",
    )
    flags.add_argument(
        "--problems",
        type=positive,
        nargs="+",
        default=[164, 591],
        metavar="N",
        help="default: 164 591, HumanEval alone and with sanitized MBPP",
    )
    flags.add_argument(
        "--runs", type=several, nargs="+", default=[2, 3, 5, 10], metavar="N", help="of a subset (default: 2 3 5 10)"
    )
    flags.add_argument(
        "--run_effect_points", type=points, nargs="+", default=[0.0, 1.0, 2.0], metavar="SD", help="default: 0 1 2"
    )
    flags.add_argument(
        "--subsets",
        type=several,
        default=2,
        metavar="N",
        help="of the study, whose runs say together how runs vary; RQ1 and RQ3 have 6 (default: 2, those compared)",
    )
    flags.add_argument("--num_samples", type=positive, default=1, metavar="N", help="of a problem (default: 1)")
    flags.add_argument(
        "--difference_points", type=above_zero, metavar="D", help="say how many runs this difference needs"
    )
    args = flags.parse_args()
    if args.difference_points and max(args.base_percent) + args.difference_points >= 99.9:
        flags.error(f"--difference_points {args.difference_points:g}: expected less than what is left to 99.9%")
    if min(args.problems) < 2:
        flags.error("--problems 1: expected at least 2, because one problem says nothing about others")
    return args


def main() -> None:
    args = parse()
    from evaluation.study_power_steps import overview

    print(overview(args))


if __name__ == "__main__":
    run(main)
