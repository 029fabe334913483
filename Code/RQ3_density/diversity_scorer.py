"""RQ3: do instructions that are unlike the others teach a small model more than those that are like many?

Embeds every instruction (INSTRUCTOR, arXiv 2212.09741, any transformer, or the bundled MiniLM where there is no GPU), takes
one minus its mean cosine similarity to all others as its diversity, and splits the records in tertiles of the ascending
order, to fine-tune one student model per tertile.

    python Code/RQ3_density/diversity_scorer.py                           # EVOL and OSS; INSTRUCTOR if there is a GPU
    python Code/RQ3_density/diversity_scorer.py --input_file Datas/sample/EVOL.jsonl --embedder minilm \\
        --output_dir /tmp/rq3                                             # seconds on a laptop

Writes RQ3_DIVERSITY_T1_LOWER.jsonl, _T2_MIDDLE, _T3_HIGHER, diversity_scores.jsonl, embeddings.npy with its sidecar
embeddings.json, diversity_map as PNG and SVG, rejects.jsonl if there are any, and manifest.json last. The score is in effect the
distance from the centre of the data, so a record can be high because it is an outlier: the closing table says of each
tertile, and of a random and a k-center third, how diverse it is within itself. --method k_center takes the records that are
farthest from each other instead. Interrupted, it goes on from what is finished when started again.
"""

import argparse

from seedkit.cli import run
from seedkit.flags import (
    add_embedder_flags,
    add_failure_flag,
    add_input_flags,
    add_machine_flags,
    add_match_flag,
    parser,
)

INSTRUCTION = "Represent the programming task:"


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    add_input_flags(flags)
    add_failure_flag(add_embedder_flags(flags))
    tertiles = flags.add_argument_group("tertiles")
    tertiles.add_argument(
        "--method",
        choices=("mean_cosine", "k_center"),
        default="mean_cosine",
        help="what makes a record diverse: one minus its mean cosine with all others, as in the study (default), or the distance to "
        "the nearest that greedy farthest-point traversal took before it; that is written beside the other, as SOURCE_K_CENTER",
    )
    add_match_flag(tertiles)
    add_machine_flags(flags)
    return flags.parse_args()


def main() -> None:
    args = parse()
    from seedkit.embed import encoder_spec
    from seedkit.partition import called
    from seedkit.sources import jobs, opened

    from RQ3_density import diversity_scorer_steps as steps

    todo = called(jobs(args, "RQ3"), steps.ending(args))
    with opened(todo, args, steps.STAGE, steps.names(args).files, minimum=3) as sources:
        encoder = encoder_spec(args, INSTRUCTION)
        embedded = [steps.embed_source(source, encoder, args.resume) for source in sources]
        for source, embeddings in zip(sources, embedded, strict=True):
            print(steps.publish(source, embeddings, encoder, args))


if __name__ == "__main__":
    run(main)
