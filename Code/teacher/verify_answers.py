"""Which of a teacher's answers parse, run, and pass tests that the teacher writes?

Runs the code of each answer of a folder of answer_seeds.py in a sandbox: Python as a program, other languages as far as a
toolchain here parses or compiles them. With --tests the teacher is asked for tests of each record, in a request of its own, and they
are run against all answers to it. Every answer is kept with its verdict; nothing is left out of the records unless
--require or --min_pass_fraction say so, and the table shows what each filter would cost (arXiv 2506.04178 found none that
beats none).

    python Code/teacher/verify_answers.py --answers Datas/teacher/EVOL --tests --endpoint http://127.0.0.1:8000/v1 --teacher NAME \\
        --choose best
    python Code/teacher/verify_answers.py --answers /tmp/answers

Writes answers.jsonl, as answer_seeds.py does and with {language, verdict, error, tests_passed, pass_fraction, agreement, chosen},
SOURCE_TEACHER.jsonl, tests.jsonl with --tests, rejects.jsonl with records of which no answer is kept, manifest.json last.
Verdicts: truncated, no_code, syntax_error, unchecked, parses, runs, raises, times_out, and infra_error, which is the machine's
fault. Exit code 3: some infra_error is left; run again.
"""

import argparse
import sys
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import above_zero, add_overwrite_flag, fraction, parser, positive

from teacher.settings import add_teacher_flags


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    what = flags.add_argument_group("input and output")
    what.add_argument("--answers", type=Path, required=True, metavar="DIR", help="a finished folder of answer_seeds.py")
    what.add_argument("--output_dir", type=Path, metavar="DIR", help="default: verified, in the folder of answers")
    add_overwrite_flag(what)
    which = flags.add_argument_group("which answers become records")
    which.add_argument(
        "--require",
        choices=("parses", "runs", "tests"),
        help="only answers whose code parses, runs to its end, or passes all tests (default: any)",
    )
    which.add_argument(
        "--min_pass_fraction", type=fraction, default=0.0, metavar="F", help="least share of tests passed (default: 0)"
    )
    which.add_argument(
        "--choose",
        choices=("first", "best", "all"),
        help="of the answers to a record that are kept; best: most tests passed, then agreement, then the shortest "
        "(default: best with --tests, else first)",
    )
    how = flags.add_argument_group("running")
    how.add_argument("--workers", type=positive, metavar="N", help="default: as many as processors")
    how.add_argument("--seconds", type=above_zero, default=10.0, metavar="S", help="of a program (default: 10)")
    how.add_argument("--memory", type=positive, default=1024, metavar="MB", help="of a program (default: 1024)")
    how.add_argument(
        "--sandbox", choices=("bubblewrap", "landlock"), help="default: the first of these that works on this machine"
    )
    how.add_argument(
        "--unsafe_no_isolation", action="store_true", help="run the programs as this user, without any sandbox"
    )
    tests = flags.add_argument_group("tests")
    tests.add_argument("--tests", action="store_true", help="have --teacher write tests for each record, and run them")
    add_teacher_flags(flags, required=False)
    return flags.parse_args()


def main() -> None:
    args = parse()
    from teacher import verify_answers_steps
    from teacher.settings import teacher_settings

    said, final = verify_answers_steps.verify_answers(args, teacher_settings(args) if args.tests else None)
    print(said)
    if not final:
        sys.exit(3)


if __name__ == "__main__":
    run(main)
