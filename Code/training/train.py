"""What comes of training on one subset or another? A student for every subset of a partition, trained by LLaMA-Factory, all alike.

Every subset gets the same base model, hyperparameters and seed. Its tokens and steps may differ, which run.json says. A folder
that is not what its manifest says is refused, and so are data of which LLaMA-Factory would silently lose records (see
llamafactory_doctor.py). Finished students are skipped, an interrupted one goes on from its last checkpoint, and one that was made
with other data or settings is an error. OUTPUT_DIR/STUDENT-FINETUNING/NAME gets dataset_info.json and train.yaml, which `llamafactory-cli train` takes as
it is, train.log, model/, and run.json last; losses.png and losses.svg lie beside these folders, and stdout shows the table of losses.

    python Code/training/train.py --setup                          # LLaMA-Factory's own environment, .venv-train
    python Code/training/train.py --partitions Datas/RQ1/EVOL Datas/RQ1/OSS --student qwen2.5-coder-1.5b --output_dir runs
    python Code/training/train.py --partitions Datas/RQ1/EVOL --student qwen2.5-coder-1.5b --output_dir runs --plan study_plan.yaml
    python Code/training/train.py --partitions Datas/quickstart/RQ1/EVOL --student Datas/quickstart/smollm2-135m-instruct \\
        --output_dir /tmp/runs --device cpu --finetuning lora --batch_size 4 --max_steps 4

With several GPUs it runs `FORCE_TORCHRUN=1 llamafactory-cli train` on all that CUDA_VISIBLE_DEVICES shows, or on the first
--gpus of them; --batch_size is over all of them. Exit code 0: all students are trained. 1: a run failed, the others went on.
2: bad usage.
"""

import argparse
import sys
from pathlib import Path

from seedkit.cli import run
from seedkit.errors import UsageError
from seedkit.flags import above_zero, add_share_flag, natural, parser, positive

from training.encoding import NAMES


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    what = flags.add_argument_group("what is trained on what")
    what.add_argument("--partitions", type=Path, nargs="+", metavar="DIR", help="finished output folders of RQ scripts")
    what.add_argument("--subsets", default="*", metavar="PATTERN", help="only these, e.g. '*_T3_*' (default: all)")
    what.add_argument(
        "--student",
        "--model_name_or_path",
        metavar="NAME",
        help="a preset of Code/training/students, or a model folder",
    )
    what.add_argument(
        "--finetuning", "--finetuning_type", choices=("full", "lora"), default="full", help="default: full"
    )
    what.add_argument("--output_dir", type=Path, metavar="DIR", help="where the students go")
    what.add_argument(
        "--plan",
        type=Path,
        metavar="FILE",
        help="the study's plan, from evaluation/study_plan.py; every student keeps its hash",
    )
    what.add_argument("--strict", action="store_true", help="refuse data with truncated records too")
    what.add_argument("--redo", action="store_true", help="replace students that were made with other data or settings")
    what.add_argument(
        "--dry_run", action="store_true", help="show the runs, their tokens, steps, memory and hours; train nothing"
    )
    how = flags.add_argument_group("hyperparameters; the student's preset says the defaults")
    how.add_argument(
        "--seed",
        type=natural,
        nargs="+",
        metavar="N",
        help="one student for every subset and seed (default: those of --plan, else 42)",
    )
    how.add_argument("--epochs", "--num_train_epochs", type=above_zero, metavar="N")
    how.add_argument("--max_steps", type=positive, metavar="N", help="optimisation steps, instead of epochs")
    equal = how.add_mutually_exclusive_group()
    equal.add_argument(
        "--equal_steps",
        action="store_true",
        help="as many steps for every subset as the smallest one gets, or --max_steps",
    )
    equal.add_argument(
        "--equal_tokens",
        action="store_true",
        help="as many answer tokens for every subset as the one with the fewest sees in its steps, or in --max_steps",
    )
    how.add_argument("--batch_size", type=positive, metavar="N", help="samples in a step, over all GPUs")
    how.add_argument("--cutoff_len", type=positive, metavar="N", help="tokens of a sample")
    how.add_argument("--learning_rate", type=above_zero, metavar="RATE")
    how.add_argument(
        "--template",
        metavar="NAME",
        help=f"{', '.join(NAMES)} (the tokenizer's own); default: the preset's, for a model folder tokenizer where it has "
        "a chat template, else default",
    )
    machine = flags.add_argument_group("machine")
    add_share_flag(machine, "students")
    machine.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: GPUs where there are any"
    )
    machine.add_argument(
        "--gpus",
        type=positive,
        metavar="N",
        help="how many (default: all; --dry_run without a GPU: the fewest of 1, 2, 4, 8 that do)",
    )
    machine.add_argument(
        "--gpus_per_run",
        type=positive,
        metavar="G",
        help="train several students at a time, each on G of the GPUs (default: one after the other on all)",
    )
    machine.add_argument(
        "--gpu_memory_gb",
        type=above_zero,
        metavar="GB",
        help="memory of a GPU (default: what torch says; --dry_run without a GPU: 80)",
    )
    machine.add_argument(
        "--liger",
        action="store_true",
        help="Liger's kernels, with a loss that never holds all logits; needs liger-kernel",
    )
    machine.add_argument(
        "--deepspeed_stage",
        type=int,
        choices=(0, 2, 3),
        metavar="{0,2,3}",
        help="DeepSpeed's ZeRO stage (default: none, or 3 where several GPUs could not hold the student otherwise)",
    )
    machine.add_argument(
        "--save_steps", type=positive, metavar="N", help="between checkpoints (default: a tenth of a run)"
    )
    machine.add_argument(
        "--environment",
        type=Path,
        metavar="DIR",
        help="LLaMA-Factory's (default: SEEDKIT_LLAMAFACTORY_ENV, else .venv-train)",
    )
    machine.add_argument(
        "--setup", action="store_true", help="make .venv-train (6 GB, minutes), say what is in it, and end"
    )
    args = flags.parse_args()
    missing = [f"--{name}" for name in ("partitions", "student", "output_dir") if not getattr(args, name)]
    if missing and not args.setup:
        flags.error(f"the following arguments are required: {', '.join(missing)}")
    return args


def main() -> None:
    args = parse()
    from training import llamafactory_environment

    if args.setup:
        print(llamafactory_environment.setup())
        return
    if args.device == "cpu" and (
        args.gpus or args.gpus_per_run or args.gpu_memory_gb or args.liger or args.deepspeed_stage is not None
    ):
        raise UsageError(
            "--device cpu: expected no --gpus, --gpus_per_run, --gpu_memory_gb, --deepspeed_stage or --liger with it"
        )
    if args.redo and (args.share or args.gpus_per_run):
        raise UsageError(
            "--redo: expected no --share or --gpus_per_run with it: what one replaces another may be reading"
        )
    from training import dry_run, side_by_side, training_loop
    from training import train_steps as steps

    if args.gpus_per_run and not args.dry_run and len(visible := side_by_side.groups(args)) > 1:
        sys.exit(side_by_side.train_side_by_side(args, visible))
    args.gpus = args.gpus_per_run or args.gpus
    study = steps.prepare(args)
    if args.dry_run:
        print(dry_run.overview(study, args.redo, args.share))
        return
    training_loop.train_all(study, redo=args.redo, share=args.share)


if __name__ == "__main__":
    run(main)
