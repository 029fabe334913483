"""What does a model answer to a benchmark's problems? One or more samples a problem, written for grade.py to judge.

A base model is asked to continue the prompt. A student of train.py, or any model with a chat template, is asked the
instruction in the template that it was trained with. The engine is vLLM on a GPU where it is installed, else transformers.
With temperature 0 and one sample, pass@1 is what the study reports; for pass@k see arXiv 2107.03374. Each sample has a seed
of its own.

    python Code/evaluation/generate.py --model runs/FULL-FINETUNING/NAME/model --benchmark humaneval --output_dir DIR
    python Code/evaluation/generate.py --model Datas/quickstart/smollm2-135m-instruct --benchmark humaneval --limit 2 \\
        --max_new_tokens 128 --output_dir /tmp/answers                     # seconds on a laptop

Writes samples.jsonl, lines of {task_id, sample, completion, raw, finish_reason} that other harnesses read too, and
manifest.json last. An interrupted run goes on from the last finished chunk when it is started again.
"""

import argparse
from dataclasses import fields
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import add_overwrite_flag, parser, positive

from evaluation.flags import add_benchmark_flags, add_sampling_flags, add_selection_flags, selection


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    what = flags.add_argument_group("input and output")
    what.add_argument("--model", "--model_name_or_path", required=True, metavar="MODEL", help="hub id or folder")
    add_benchmark_flags(what)
    what.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder to write")
    add_overwrite_flag(what)
    what.add_argument("--limit", type=positive, metavar="N", help="ask only the first N problems")
    how = add_sampling_flags(
        flags, "instruct where a student's run.json, --template or a chat template says how, else base"
    )
    how.add_argument(
        "--template",
        metavar="NAME",
        help="of the instruct form: alpaca, chatml, deepseekcoder, default, empty, llama3, qwen, smollm2 or tokenizer",
    )
    add_selection_flags(flags)
    return flags.parse_args()


def main() -> None:
    args = parse()
    from evaluation.generation.settings import GenerationSettings
    from evaluation.generation.steps import generate

    args.selection = selection(args)
    values = {field.name: getattr(args, field.name) for field in fields(GenerationSettings)}
    print(generate(GenerationSettings(**values), args.output_dir))


if __name__ == "__main__":
    run(main)
