"""What must a subset beat before its score says anything?

A tertile of RQ1 or RQ3 that wins says little unless it beats a random third of the same size, the longest answers, and the
methods that people select with: instruction-following difficulty (IFD; arXiv 2308.12032, with GPT-2 arXiv 2402.00530), and
complexity times quality taken from far apart (after DEITA, arXiv 2312.15685).

    python Code/baselines/baseline_subsets.py                             # EVOL and OSS: random, longest, shortest, IFD
    python Code/baselines/baseline_subsets.py --input_file Datas/sample/EVOL.jsonl --perplexity_model embedded \\
        --output_dir /tmp/baselines                                       # seconds on a laptop
    python Code/baselines/baseline_subsets.py --source_name EVOL --method quality_diversity \\
        --complexity_scores Datas/RQ1/EVOL/complexity_scores.jsonl --embeddings Datas/RQ3/EVOL/embeddings.npy

Writes BASELINE_RANDOM_random_sample_1.jsonl and so on, BASELINE_LONGEST.jsonl, _SHORTEST, _IFD, _QUALITY_DIVERSITY (or
_COMPLEXITY_DIVERSITY with --quality none), baseline_scores.jsonl, rejects.jsonl if there are any, and manifest.json last.
Interrupted, it goes on from what is finished when started again.
"""

import argparse
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import (
    add_engine_flags,
    add_failure_flag,
    add_input_flags,
    add_machine_flags,
    fraction,
    natural,
    parser,
    positive,
)

METHODS = ("random", "longest", "shortest", "ifd", "quality_diversity")


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    add_input_flags(flags)
    choosing = flags.add_argument_group("subsets")
    choosing.add_argument(
        "--method",
        nargs="+",
        choices=METHODS,
        default=METHODS[:-1],
        help="default: all but quality_diversity, which needs --complexity_scores and --embeddings",
    )
    choosing.add_argument(
        "--size",
        default="tertile",
        metavar="SIZE",
        help="of each subset: tertile (default), a number of records, or a share of them such as 0.1",
    )
    choosing.add_argument(
        "--num_samples", type=positive, default=3, metavar="N", help="independent random subsets (default: 3)"
    )
    choosing.add_argument("--seed", type=natural, default=42, metavar="N", help="of the random subsets (default: 42)")
    scoring = flags.add_argument_group("scoring")
    scoring.add_argument(
        "--perplexity_model",
        metavar="MODEL",
        help="of IFD: hub id or folder, or: embedded (default: gpt2 if CUDA is there, else embedded)",
    )
    scoring.add_argument(
        "--complexity_scores", type=Path, metavar="FILE", help="complexity_scores.jsonl of RQ1, of the same records"
    )
    scoring.add_argument("--embeddings", type=Path, metavar="FILE", help="embeddings.npy of RQ3, of the same records")
    scoring.add_argument("--quality_model", metavar="MODEL", help="hub id or folder (default: DEITA's quality scorer)")
    scoring.add_argument(
        "--quality",
        choices=("model", "none"),
        default="model",
        help="none: order by complexity alone, without a quality model",
    )
    scoring.add_argument(
        "--min_distance",
        type=fraction,
        default=0.1,
        metavar="D",
        help="least cosine distance to the nearest record taken (default: 0.1, as DEITA's)",
    )
    add_failure_flag(scoring)
    add_engine_flags(scoring, add_machine_flags(flags))
    return flags.parse_args()


def main() -> None:
    args = parse()
    from seedkit.sources import jobs, opened

    from baselines import baseline_subsets_steps as steps
    from baselines import scorers

    steps.check(args)
    names, more = steps.file_names(args), steps.further_inputs(args)
    todo = jobs(args, "baselines")
    with opened(todo, args, steps.STAGE, names, more=more, identity=steps.identity(args)) as sources:
        knowledge = [steps.read(source, args) for source in sources]
        plan = scorers.plan(args, sum(len(source.records) for source in sources))
        measured = steps.score(sources, plan, args.resume)
        for source, scores, known in zip(sources, measured, knowledge, strict=True):
            print(steps.publish(source, scores, known, plan, args))


if __name__ == "__main__":
    run(main)
