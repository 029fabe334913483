"""RQ4: do instructions of other domains teach a code model, or do they only take the place of code?

Replaces a part of the code data with general (Alpaca) or mathematical (MathInstruct) instructions at the study's ratios,
several times over, to fine-tune one student model per mix. The total is always the size of the code data. Records of the
other domains that hold program code are left out first, so that the ratio means what it says.

    python Code/RQ4_breadth/domain_mixer.py                               # EVOL and OSS with ALPACA and MATH
    python Code/RQ4_breadth/domain_mixer.py --input_file Datas/sample/EVOL.jsonl \\
        --general_file Datas/sample/ALPACA.jsonl --math_file Datas/sample/MATH.jsonl --output_dir /tmp/rq4

Writes RQ4_BREADTH_CODE_100.jsonl (the baseline), RQ4_BREADTH_CODE_90_GENERAL_10_random_sample_1.jsonl and so on,
breadth_pool.jsonl (the domain of each record), breadth_shares as PNG and SVG, rejects.jsonl (what was left out and why) and
manifest.json last. Counts are exact. Within a random sample the mixes are nested; samples are independent of each other.
"""

import argparse
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import add_input_flags, add_mix_flags, parser


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    add_input_flags(flags)
    domains = flags.add_argument_group("other domains")
    domains.add_argument("--general_file", type=Path, help="general instructions (default: ALPACA)")
    domains.add_argument("--math_file", type=Path, help="mathematical instructions (default: MATH)")
    add_mix_flags(flags, "num_samples")
    return flags.parse_args()


def main() -> None:
    args = parse()
    from seedkit.sources import jobs
    from seedkit.spool import spooled

    from RQ4_breadth import domain_mixer_steps as steps

    files = steps.domain_files(args)
    with steps.outputs(jobs(args, "RQ4"), files, args) as outputs, spooled(outputs[0].folder.path) as spool:
        codes = [steps.read_code(output, spool, args) for output in outputs]
        domains = steps.read_domains(files, spool, args)
        for output, code in zip(outputs, codes, strict=True):
            print(steps.mix(output, code, domains, args))


if __name__ == "__main__":
    run(main)
