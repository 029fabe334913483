"""How far apart are the students of different subsets? Every finished student of train.py on the benchmarks, then one table of all.

Asks each student (generate.py), judges its answers in the sandbox (grade.py), and compares: pass@1 by question, source and
subset, its spread over repeats (draws of the data x seeds of the training), Wilson's interval, and the difference of every two
subsets of a question, with interval and p over repeats and problems. With --plan its primary contrasts are tested as one family
(Holm's correction) and each gets a verdict: different, equivalent or undecided. Everything else is exploratory.
With --base the untrained base model is asked too, and gets a row. A student without a run.json is unfinished: it is named
and left out. What is generated and graded is skipped while model, benchmark and settings are the same, and an interrupted
student goes on where it was.

    python Code/evaluation/evaluate_study.py --runs runs --benchmark humaneval mbpp --output_dir evaluations
    python Code/evaluation/evaluate_study.py --runs runs --base --benchmark humaneval mbpp --plan study_plan.yaml --output_dir evaluations
    python Code/evaluation/evaluate_study.py --runs /tmp/runs --benchmark humaneval --limit 3 --max_new_tokens 32 \\
        --device cpu --output_dir /tmp/evaluations
    python Code/evaluation/evaluate_study.py --runs runs --benchmark humaneval mbpp --output_dir evaluations --table_only

Writes STUDENT-FINETUNING/NAME/BENCHMARK/ with samples.jsonl, and grades/ in it; then study.csv, comparisons.csv, verdicts.csv,
study.md (also on stdout), and manifest.json last. Exit code 0: all students are in the table. 1: a student failed, the others went on.
2: bad usage or input. 3: all ran, but some samples could not be judged (infra_error); run again to judge them.
"""

import argparse
import sys
from pathlib import Path

from benchmarks import NAMES
from seedkit.cli import run
from seedkit.flags import add_share_flag, parser, positive

from evaluation.flags import add_sampling_flags, add_selection_flags, expanded, named_file, selection

# the flags that say what a table of finished evaluations is made of; the others say how to ask and to judge
OF_A_TABLE = {
    "runs",
    "benchmark",
    "benchmark_file",
    "output_dir",
    "base",
    "plan",
    "leakage",
    "table_only",
    "release",
    "date_from",
    "date_to",
}


def check_table_only(flags: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Stop where a flag is given that --table_only ignores."""
    others = [name for name in vars(args) if name not in OF_A_TABLE]
    absent = object()
    given = flags.parse_args(namespace=argparse.Namespace(**dict.fromkeys(others, absent)))
    if ignored := [f"--{name}" for name in others if getattr(given, name) is not absent]:
        flags.error(f"--table_only: expected no flags of asking and judging with it, got {', '.join(ignored)}")


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    what = flags.add_argument_group("input and output")
    what.add_argument(
        "--runs", type=Path, required=True, metavar="DIR", help="a folder of train.py: all students below it, or one"
    )
    what.add_argument(
        "--base",
        nargs="*",
        metavar="MODEL",
        help="ask the untrained base models too; hub ids or folders (default: those that the students were trained from)",
    )
    what.add_argument(
        "--benchmark", nargs="+", required=True, metavar="NAME", help=f"{NAMES}; multipl-e: all its languages"
    )
    what.add_argument(
        "--benchmark_file",
        nargs="+",
        type=named_file,
        default=[],
        metavar="NAME=FILE",
        help="the problems as released (default: those of an installed package or of the hub)",
    )
    what.add_argument(
        "--plan",
        type=Path,
        metavar="FILE",
        help="the study's plan, from study_plan.py; without it everything is exploratory",
    )
    what.add_argument(
        "--leakage",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders of decontaminate.py --report on the students' data: scores again without the problems that leaked",
    )
    what.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder to write")
    what.add_argument("--limit", type=positive, metavar="N", help="only the first N problems of each benchmark")
    what.add_argument(
        "--table_only", action="store_true", help="generate and grade nothing, make the table of what is there"
    )
    add_share_flag(what, "students")
    add_sampling_flags(flags, "instruct, in the template that each student was trained with")
    judging = flags.add_argument_group("judging")
    judging.add_argument("--workers", type=positive, metavar="N", help="default: as many as processors")
    judging.add_argument(
        "--k",
        type=positive,
        nargs="+",
        default=[1],
        metavar="K",
        help="compute pass@k for these in each summary.json (default: 1); the table has pass@1",
    )
    judging.add_argument(
        "--unsafe_no_isolation",
        action="store_true",
        help="run the programs as this user, without any sandbox; every result says so",
    )
    add_selection_flags(flags)
    args = flags.parse_args()
    if args.table_only:
        check_table_only(flags, args)
    elif max(args.k) > args.num_samples:
        flags.error(f"--k {max(args.k)}: expected at most --num_samples, got {args.num_samples}")
    args.selection = selection(args)
    args.benchmark = [one for name in args.benchmark for one in expanded(name)]
    args.benchmark_file = [(one, path) for name, path in args.benchmark_file for one in expanded(name)]
    args.files = {name: None for name in args.benchmark} | dict(args.benchmark_file)
    if unknown := [name for name, _ in args.benchmark_file if name not in args.benchmark]:
        flags.error(f"--benchmark_file {unknown[0]}: expected one of --benchmark {' '.join(args.benchmark)}")
    return args


def main() -> None:
    args = parse()
    from evaluation.study.steps import study

    if not study(args):
        sys.exit(3)


if __name__ == "__main__":
    run(main)
