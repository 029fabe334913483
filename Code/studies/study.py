"""What does a whole study say? From raw downloads to the report by one command: every stage, in order, resumable.

Runs the scripts of the other rooms as a user would, with the flags that the settings give them: fetch and clean the seeds,
remove what the benchmarks hold, partition by the questions asked, draw controls, write the plan, train, evaluate, and show it
on one page. Finished stages are skipped; killed anywhere, it goes on when started again.

    bash Code/study.sh Code/studies/laptop.yaml                      # makes the environments first; hours on a laptop
    bash Code/study.sh Code/studies/laptop.yaml --from_dir ~/downloads --benchmarks ~/benchmarks --output_dir /data/study
    bash Code/study.sh Code/studies/laptop.yaml --limit 60           # a trial on few records and problems: minutes
    python Code/studies/study.py Code/studies/node.yaml --dry_run    # the commands, and about how many hours they take

Writes OUTPUT_DIR (default: Datas/studies/NAME) with a folder for each stage, logs/ with what every stage printed, log.jsonl with
command, seconds and exit code of each, and report.html last. What each setting means is in Code/studies/README.md.
"""

import argparse
from pathlib import Path

from evaluation.flags import named_file
from seedkit.cli import run
from seedkit.flags import parser, positive


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument("settings", type=Path, metavar="SETTINGS", help="a file such as Code/studies/laptop.yaml")
    flags.add_argument("--output_dir", type=Path, metavar="DIR", help="default: Datas/studies/NAME of the settings")
    flags.add_argument(
        "--from_dir", type=Path, metavar="FOLDER", help="take the releases from here, not from the hub (fetch_seeds.py)"
    )
    flags.add_argument(
        "--benchmarks",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="remove what these files or folders hold, as decontaminate.py does (default: HumanEval alone)",
    )
    flags.add_argument(
        "--benchmark_file",
        nargs="+",
        type=named_file,
        default=[],
        metavar="NAME=FILE",
        help="evaluate on these problems, as evaluate_study.py does (default: those of a package or of the hub)",
    )
    flags.add_argument(
        "--limit",
        type=positive,
        metavar="N",
        help="a trial: the first N records of each source, N / 3 problems, one seed, 4 steps; without --from_dir it takes "
        "the bundled sample where no seeds were fetched",
    )
    flags.add_argument(
        "--environment", type=Path, default=Path(".venv-train"), metavar="DIR", help="of LLaMA-Factory (.venv-train)"
    )
    flags.add_argument("--dry_run", action="store_true", help="show the commands and the hours; run nothing")
    return flags.parse_args()


def main() -> None:
    args = parse()
    from studies import study_steps as steps
    from studies.planning import plan
    from studies.settings import read

    settings = read(args.settings)
    study = plan(settings, args)
    if args.dry_run:
        print(steps.described(study, settings))
        return
    steps.check_benchmarks(settings, dict(args.benchmark_file), args.benchmarks or [])
    with steps.opened(study) as log:
        for stage in study.stages:
            log.run(stage)
    print(f"\n{study.report}")


if __name__ == "__main__":
    run(main)
