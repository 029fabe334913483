"""What does a model answer to a benchmark's problems? One or more samples a problem, written for grade.py to run.

Asks a base model for what follows a prompt, and a student of train.py, or any model with a chat template, the instruction
in the very template it was trained with. Two engines: vLLM where there is a GPU and it is installed, transformers else.
Temperature 0 is pass@1 as the study reports it (arXiv 2107.03374 for more samples); each sample has a seed of its own.

    python Code/evaluation/generate.py --model runs/FULL-FINETUNING/NAME/model --benchmark humaneval --output_dir DIR
    python Code/evaluation/generate.py --model Datas/quickstart/tiny_student --benchmark humaneval --limit 2 \\
        --max_new_tokens 32 --output_dir /tmp/answers                     # seconds on a laptop

Writes samples.jsonl {task_id, sample, completion, raw, finish_reason}, which other harnesses read too, and manifest.json
last. Interrupted, it goes on from the last finished batch when started again.
"""

import argparse
from dataclasses import fields
from pathlib import Path

from benchmarks import NAMES
from seedkit.cli import run
from seedkit.flags import parser, positive

from evaluation.flags import add_sampling_flags, add_selection_flags, selection


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    what = flags.add_argument_group("input and output")
    what.add_argument("--model", required=True, help="hub id or folder")
    what.add_argument("--benchmark", required=True, metavar="NAME", help=NAMES)
    what.add_argument(
        "--benchmark_file",
        type=Path,
        metavar="FILE",
        help="its problems as released (default: what an installed package or the hub has)",
    )
    what.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder to write")
    what.add_argument("--limit", type=positive, metavar="N", help="ask only the first N problems")
    how = add_sampling_flags(flags, "instruct where a student's run.json, --template or a chat template says how")
    how.add_argument("--template", metavar="NAME", help="of the instruct form, one that llamafactory_doctor.py knows")
    add_selection_flags(flags)
    return flags.parse_args()


def main() -> None:
    args = parse()
    from evaluation.generation.steps import GenerationSettings, generate

    args.selection = selection(args)
    names = [field.name for field in fields(GenerationSettings)]
    print(generate(GenerationSettings(**{name: getattr(args, name) for name in names}), args.output_dir))


if __name__ == "__main__":
    run(main)
