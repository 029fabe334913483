"""RQ1: do complex instructions teach a small model more than simple ones?

Scores every instruction by semantic difficulty (the XCoder complexity scorer, arXiv 2409.03810, or the embedded scorer
where there is no GPU) and linguistic difficulty (GPT-2 perplexity), takes the mean of the two, each normalised over the
data set, and splits the records in tertiles of the ascending order, to fine-tune one student model per tertile.

    python Code/RQ1_complexity/complexity_scorer.py                       # EVOL and OSS; XCoder and GPT-2 if there is a GPU
    python Code/RQ1_complexity/complexity_scorer.py --input_file Datas/sample/EVOL.jsonl --scorer embedded \\
        --output_dir /tmp/rq1                                             # seconds on a laptop

Writes RQ1_COMPLEXITY_T1_LOWER.jsonl, _T2_MIDDLE, _T3_HIGHER, complexity_scores.jsonl, complexity_histogram and
complexity_scatter as PNG and SVG, rejects.jsonl if there are any, and manifest.json last. Interrupted, it goes on from what is finished when started again.
"""

import argparse
import time

from seedkit.cli import run
from seedkit.flags import add_engine_flags, add_failure_flag, add_input_flags, add_machine_flags, add_match_flag, parser


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    add_input_flags(flags)
    scoring = flags.add_argument_group("scoring")
    scoring.add_argument(
        "--scorer",
        choices=("auto", "xcoder", "embedded"),
        default="auto",
        help="auto: xcoder if CUDA is there or --scoring_model is given, else embedded (default)",
    )
    scoring.add_argument(
        "--scoring_model",
        "--model_name_or_path",
        metavar="MODEL",
        help="hub id or folder (default: the XCoder scorer)",
    )
    scoring.add_argument(
        "--perplexity_model",
        metavar="MODEL",
        help="hub id or folder, or: embedded (default: gpt2 with xcoder, embedded with embedded)",
    )
    scoring.add_argument(
        "--normalize",
        choices=("minmax", "rank"),
        default="minmax",
        help="before the mean: min-max as in the study, or ranks, which weigh both measures alike",
    )
    add_match_flag(scoring)
    add_failure_flag(scoring)
    add_engine_flags(scoring, add_machine_flags(flags))
    return flags.parse_args()


def main() -> None:
    args = parse()
    from seedkit.partition import called, ending
    from seedkit.sources import jobs, opened

    from RQ1_complexity import complexity_scorer_steps as steps
    from RQ1_complexity import scorers

    started = time.monotonic()
    todo = called(jobs(args, "RQ1"), ending(args.match))
    with opened(todo, args, steps.STAGE, steps.names(args.match).files, minimum=3) as sources:
        plan = scorers.plan(args, sum(len(source.records) for source in sources))
        sets = steps.score(sources, plan, args.resume)
        for closing in [steps.publish(data, plan, args) for data in sets]:
            print(closing)
        computed = sum(data.computed for data in sets)
        seconds = time.monotonic() - started
        print(
            f"{computed:,} scores computed in {seconds:.0f} s, {computed / seconds:.1f} a second with loading; "
            f"{sum(data.reused for data in sets):,} taken from earlier runs"
        )


if __name__ == "__main__":
    run(main)
