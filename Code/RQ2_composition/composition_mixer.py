"""RQ2: does the mixture of algorithmic and practical tasks matter to a small model that learns from them?

Draws mixes of classified records (task_classifier.py) at the study's five ratios, each of the same size, several times over,
to fine-tune one student model per mix.

    python Code/RQ2_composition/composition_mixer.py                      # EVOL and OSS, as task_classifier.py left them
    python Code/RQ2_composition/composition_mixer.py --input_file /tmp/rq2/classified.jsonl --subset_size auto \\
        --output_dir /tmp/rq2/mixes                                       # seconds on a laptop

Writes RQ2_COMPOSITION_ALG_20_PRAC_80_repeat1.jsonl and so on, composition_pool.jsonl (what each record is),
rejects.jsonl if there are any, and manifest.json last. Counts are exact. Within a repeat the mixes are nested, so that
neighbours differ only by what is swapped; repeats are drawn independently of each other, and auto takes a size at which
they can differ. A ratio is never changed for want of records: too few of a kind is an error.
"""

import argparse

from seedkit.cli import run
from seedkit.flags import add_input_flags, add_mix_flags, parser, positive

AUTO = "auto"


def size(text: str) -> int | str:
    """An argument type: a whole number of at least 1, or auto."""
    return AUTO if text == AUTO else positive(text)


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    add_input_flags(flags)
    group = add_mix_flags(flags, "num_repeats")
    group.add_argument(
        "--subset_size",
        type=size,
        metavar="N",
        help="records in each mix, or auto: as many as let repeats differ at every ratio (default: 20000; auto "
        "for the bundled sample, which is smaller)",
    )
    return flags.parse_args()


def main() -> None:
    args = parse()
    from RQ2_composition import composition_mixer_steps as steps

    for job in steps.mixing_jobs(args):
        print(steps.mix(job, args))


if __name__ == "__main__":
    run(main)
