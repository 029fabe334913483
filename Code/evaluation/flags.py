"""Flags that generate.py, grade.py and evaluate_study.py share: which problems of a benchmark."""

import argparse
from datetime import date

from evaluation.benchmarks.contract import Selection


def add_selection_flags(flags: argparse.ArgumentParser) -> None:
    group = flags.add_argument_group("problems of LiveCodeBench")
    group.add_argument("--release", metavar="NAME", help="release_v1 to release_v6 (default: release_v5, 880 problems)")
    group.add_argument("--date_from", type=day, metavar="DATE", help="contests from this day on, YYYY-MM-DD")
    group.add_argument("--date_to", type=day, metavar="DATE", help="contests up to this day")
    group.add_argument("--all_tests", action="store_true", help="go on after the first test that fails")


def selection(args: argparse.Namespace) -> Selection:
    return Selection(args.release, args.date_from, args.date_to, args.all_tests)


def day(text: str) -> date:
    """An argument type: a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a day like 2024-08-31, got {text!r}") from None
