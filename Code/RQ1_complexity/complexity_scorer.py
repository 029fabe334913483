"""RQ1: do complex instructions teach a small model more than simple ones?

Scores every instruction by semantic difficulty (the XCoder complexity scorer, arXiv 2409.03810, or the embedded scorer
where there is no GPU) and linguistic difficulty (GPT-2 perplexity), takes the mean of the two, each normalised over the
data set, and splits the records in thirds of the ascending order, to fine-tune one student model per third.

    python Code/RQ1_complexity/complexity_scorer.py                       # EVOL and OSS; XCoder and GPT-2 if there is a GPU
    python Code/RQ1_complexity/complexity_scorer.py --input_file Datas/sample/EVOL.jsonl --scorer embedded \\
        --output_dir /tmp/rq1                                             # seconds on a laptop

Writes RQ1_COMPLEXITY_T1_LOWER.jsonl, _T2_MIDDLE, _T3_HIGHER, complexity_scores.jsonl, rejects.jsonl if there are any,
and manifest.json last. Interrupted, it goes on from the last finished chunk when started again.
"""

import argparse
import time
from pathlib import Path

from seedkit.cli import DATAS, add_input_flags, default_seed, fraction, parser, positive, run
from seedkit.errors import InputError

SOURCES = ("EVOL", "OSS")


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    add_input_flags(flags)
    scoring = flags.add_argument_group("scoring")
    scoring.add_argument("--scorer", choices=("auto", "xcoder", "embedded"), default="auto",
                         help="auto: xcoder if CUDA is there or --scoring_model is given, else embedded (default)")  # fmt: skip
    scoring.add_argument("--scoring_model", metavar="MODEL", help="hub id or folder (default: the XCoder scorer)")
    scoring.add_argument(
        "--engine", choices=("transformers", "vllm"), help="what runs the model (default: transformers)"
    )
    scoring.add_argument("--use_vllm", action="store_true", help="the same as --engine vllm")
    scoring.add_argument("--perplexity_model", metavar="MODEL",
                         help="hub id or folder, or: embedded (default: gpt2 with xcoder, embedded with embedded)")  # fmt: skip
    scoring.add_argument("--normalize", choices=("minmax", "rank"), default="minmax",
                         help="before the mean: min-max as in the study, or ranks, which give both parts equal say")  # fmt: skip
    scoring.add_argument("--max_failure_rate", type=fraction, default=0.0, metavar="RATE",
                         help="share of records that may stay without a score (default: 0)")  # fmt: skip
    machine = flags.add_argument_group("machine")
    machine.add_argument("--device", default="auto", help="auto, cpu, cuda (every GPU), or a list: cuda:0,cuda:1")
    machine.add_argument("--dtype", choices=("auto", "bfloat16", "float16", "float32"), default="auto",
                         help="auto: bfloat16 on a GPU, float32 on a CPU (default)")  # fmt: skip
    machine.add_argument("--max_batch_tokens", type=positive, metavar="N",
                         help="tokens per forward pass, padding included (default: 16384 on a GPU, 4096 on a CPU)")  # fmt: skip
    machine.add_argument("--tensor_parallel_size", type=positive, default=1, metavar="N", help="vLLM: GPUs per engine")
    machine.add_argument("--data_parallel_size", type=positive, metavar="N",
                         help="vLLM: engines side by side (default: as many as the GPUs allow)")  # fmt: skip
    machine.add_argument("--resume", action=argparse.BooleanOptionalAction, default=True,
                         help="use scores of an earlier run with the same models (default)")  # fmt: skip
    return flags.parse_args()


def jobs(args: argparse.Namespace) -> list[tuple[str, Path, Path]]:
    """(source, input file, output folder) of each data set to score."""
    if args.input_file:
        source = args.source_name or args.input_file.stem.upper()
        return [(source, args.input_file, args.output_dir or DATAS / "RQ1" / source)]
    if args.source_name and args.source_name not in SOURCES:
        raise InputError(
            f"--source_name {args.source_name}: expected one of {', '.join(SOURCES)}, or --input_file with it"
        )
    sources = [args.source_name] if args.source_name else SOURCES
    root = args.output_dir or DATAS / "RQ1"
    return [(source, default_seed(source), root / source) for source in sources]


def main() -> None:
    args = parse()
    from RQ1_complexity import parts, pipeline

    started = time.monotonic()
    with pipeline.opened(jobs(args), args) as sets:
        plan = parts.plan(args)
        pipeline.score(sets, plan, args.resume)
        for data in sets:
            pipeline.publish(data, plan, args)
        for data in sets:
            print(pipeline.report(data))
        computed = sum(data.computed for data in sets)
        seconds = time.monotonic() - started
        print(f"{computed:,} scores computed in {seconds:.0f} s, {computed / seconds:.1f} a second with loading; "
              f"{sum(data.reused for data in sets):,} taken from earlier runs")  # fmt: skip


if __name__ == "__main__":
    run(main)
