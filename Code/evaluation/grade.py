"""Which samples solve their problem? Judges each one in a sandbox by the benchmark's tests, and computes pass@k.

Only the candidate is in the jail (bubblewrap, or Landlock and seccomp). The tests run outside, send calls in and compare the
plain values that come out, so there is no verdict in the jail to forge. Before anything is graded, references must pass and
wrong programs must fail in the same sandbox; the references' times set the time limits. pass@k is the unbiased estimator of
arXiv 2107.03374.

    python Code/evaluation/grade.py --samples samples.jsonl --benchmark humaneval --k 1 10 100 --output_dir grades
    python Code/evaluation/grade.py --samples /tmp/answers/samples.jsonl --benchmark humaneval --output_dir /tmp/grades

A line of samples.jsonl needs task_id and completion, which is a function's body or a whole program. Writes results.jsonl,
lines of {task_id, sample, verdict, seconds, sandbox, stderr}, then summary.json, and manifest.json last. An interrupted run
goes on where it was. Verdicts: pass, fail, timeout, memory, blocked, syntax, and infra_error, which is the machine's fault and
never a fail. Exit code 0: all samples are judged. 1: a control went wrong. 2: bad usage or input. 3: some infra_error is
left, so the score is not final.
"""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import above_zero, add_overwrite_flag, parser, positive

from evaluation.flags import add_benchmark_flags, add_selection_flags, selection


def megabytes(text: str) -> int:
    """An argument type: a whole number of megabytes, in bytes."""
    return positive(text) << 20


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    what = flags.add_argument_group("input and output")
    what.add_argument("--samples", type=Path, required=True, metavar="FILE", help="samples.jsonl or samples.jsonl.gz")
    add_benchmark_flags(what)
    what.add_argument("--output_dir", type=Path, metavar="DIR", help="default: grades, beside the samples")
    add_overwrite_flag(what)
    what.add_argument("--limit", type=positive, metavar="N", help="judge only samples of the first N problems")
    what.add_argument(
        "--k", type=positive, nargs="+", default=[1], metavar="K", help="compute pass@k for these (default: 1)"
    )
    how = flags.add_argument_group("judging")
    how.add_argument("--workers", type=positive, metavar="N", help="default: as many as processors")
    how.add_argument(
        "--min_seconds",
        type=above_zero,
        metavar="S",
        help="least time limit of a sample in seconds (default: the benchmark's own)",
    )
    how.add_argument(
        "--time_factor",
        type=above_zero,
        default=10.0,
        metavar="F",
        help="time limit of a sample, as a multiple of the time that the reference took here (default: 10)",
    )
    how.add_argument(
        "--memory", type=megabytes, default=1 << 30, metavar="MB", help="memory limit of a sample in MB (default: 1024)"
    )
    how.add_argument(
        "--sandbox", choices=("bubblewrap", "landlock"), help="default: the first of these that works on this machine"
    )
    how.add_argument(
        "--unsafe_no_isolation",
        action="store_true",
        help="run the programs as this user, without any sandbox; every result says so",
    )
    how.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="use the verdicts of an earlier run with the same settings (default)",
    )
    flags.add_argument(
        "--install_help",
        action="store_true",
        help="only print the Debian packages that are missing for languages of MultiPL-E",
    )
    add_selection_flags(flags)
    return flags.parse_args()


def main() -> None:
    if "--install_help" in sys.argv[1:]:  # needs no samples
        from benchmarks.multipl_e.languages.registry import install_help

        print(install_help())
        return
    args = parse()
    from evaluation.grading.settings import GradingSettings
    from evaluation.grading.steps import grade
    from evaluation.grading.summary import shown

    args.k = tuple(sorted(set(args.k)))
    args.selection = selection(args)
    values = {field.name: getattr(args, field.name) for field in fields(GradingSettings)}
    summary = grade(GradingSettings(**values), args.output_dir or args.samples.parent / "grades")
    print(shown(summary))
    if not summary.final:
        sys.exit(3)


if __name__ == "__main__":
    run(main)
