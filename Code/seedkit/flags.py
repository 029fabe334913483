"""Command lines: the parser of all scripts, the types of their arguments, and the flags that several scripts have."""

import argparse
import math
import re
from pathlib import Path
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line in one line; the usage is shown by --help."""

    def error(self, message: str) -> NoReturn:
        line = message.replace("\n", "\\n")
        self.exit(2, f"error: {line}\n")


def parser(doc: str | None) -> Parser:
    """An argument parser that shows a script's docstring as it is written."""
    return Parser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)


def add_input_flags(flags: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Where records come from, what their fields are called, and where results go."""
    group = flags.add_argument_group("input and output")
    group.add_argument(
        "--input_file",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="JSON Lines or JSON array of records; several are several sources, done in one run",
    )
    group.add_argument(
        "--output_dir",
        type=Path,
        metavar="DIR",
        help="folder to write; with several sources, a folder for each below it; default: by research question and source",
    )
    group.add_argument(
        "--source_name", nargs="+", metavar="NAME", help="name of each source, e.g. EVOL; default: the file's name"
    )
    group.add_argument("--instruction_key", metavar="KEY", help="default: instruction or problem, whichever is there")
    group.add_argument("--input_key", metavar="KEY", help="default: input, where it is there")
    group.add_argument("--output_key", metavar="KEY", help="default: output, response or solution")
    group.add_argument(
        "--on_bad_record",
        choices=("error", "reject"),
        default="error",
        help="stop at a bad record, or write it to rejects.jsonl and go on (default: error)",
    )
    group.add_argument("--limit", type=positive, metavar="N", help="read only the first N records")
    add_overwrite_flag(group)
    return group


def add_overwrite_flag(flags: argparse._ArgumentGroup) -> None:
    """Whether finished outputs of another run may be replaced."""
    flags.add_argument(
        "--overwrite",
        action="store_true",
        help="replace finished outputs of another run, which are refused otherwise",
    )


def add_failure_flag(flags: argparse._ArgumentGroup) -> None:
    """How many records may stay without a score."""
    flags.add_argument(
        "--max_failure_rate",
        type=fraction,
        default=0.0,
        metavar="RATE",
        help="share of records that may stay without a score (default: 0)",
    )


def add_match_flag(flags: argparse._ArgumentGroup) -> None:
    """Whether tertiles are made among records that are alike in something else."""
    flags.add_argument(
        "--match",
        choices=("answer_tokens",),
        help="make the tertiles within 20 bins of answer length, so that they differ less in it; written beside the others, "
        "from the same scores, as SOURCE_MATCHED",
    )


def add_embedder_flags(flags: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Which encoder to use."""
    group = flags.add_argument_group("embedding")
    group.add_argument(
        "--embedder",
        choices=("auto", "instructor", "transformer", "minilm"),
        default="auto",
        help="auto: instructor if CUDA is there or --model_name is given, else minilm (default)",
    )
    group.add_argument(
        "--model_name",
        "--model_name_or_path",
        metavar="MODEL",
        help="hub id or folder (default: INSTRUCTOR base; with transformer: CodeBERT)",
    )
    return group


def add_mix_flags(flags: argparse.ArgumentParser, former: str) -> argparse._ArgumentGroup:
    """How many draws, and from which seed; `former` is the earlier name of --num_draws, still taken."""
    group = flags.add_argument_group("mixing")
    group.add_argument(
        "--num_draws",
        f"--{former}",
        type=positive,
        default=3,
        metavar="N",
        help=f"independent draws (default: 3); --{former} is its earlier name",
    )
    group.add_argument(
        "--seed", type=natural, default=42, metavar="N", help="the same seed, the same bytes (default: 42)"
    )
    return group


def add_machine_flags(flags: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Where and how a model runs."""
    group = flags.add_argument_group("machine")
    group.add_argument(
        "--device",
        nargs="+",
        action=_Joined,
        default="auto",
        metavar="DEVICE",
        help="auto, cpu, cuda (every GPU), or a list: cuda:0 cuda:1",
    )
    group.add_argument(
        "--cluster",
        type=cluster,
        action=_OnCluster,
        dest="device",
        default=argparse.SUPPRESS,
        metavar="ADDRESS",
        help="run on all of a Ray cluster: HOST:PORT, auto (the one that this machine belongs to), or local:N (N nodes here)",
    )
    group.add_argument(
        "--dtype",
        choices=("auto", "bfloat16", "float16", "float32"),
        default="auto",
        help="auto: bfloat16 on a GPU (a large model's perplexity: float32), else what the processor computes well in (default)",
    )
    group.add_argument(
        "--max_batch_tokens",
        type=positive,
        metavar="N",
        help="tokens per forward pass, padding included (default: by device)",
    )
    group.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="use what an earlier run with the same models computed (default)",
    )
    return group


def add_share_flag(flags: argparse._ArgumentGroup, what: str) -> None:
    """--share, for work that several commands do together (seedkit.claims)."""
    flags.add_argument(
        "--share",
        type=share,
        metavar="I/N",
        help=f"this is one of N commands at work in one folder, on any machines that see it: begin with every N-th of the {what}, "
        "from the I-th on, then take what nobody else has",
    )


def add_engine_flags(scoring: argparse._ArgumentGroup, machine: argparse._ArgumentGroup) -> None:
    """What runs a scoring model, and on how many GPUs."""
    scoring.add_argument(
        "--engine", choices=("transformers", "vllm"), help="what runs the model (default: transformers)"
    )
    scoring.add_argument("--use_vllm", action="store_true", help="the same as --engine vllm")
    machine.add_argument("--tensor_parallel_size", type=positive, default=1, metavar="N", help="vLLM: GPUs per engine")
    machine.add_argument(
        "--data_parallel_size",
        type=positive,
        metavar="N",
        help="vLLM: engines side by side (default: as many as the GPUs allow)",
    )


class _Joined(argparse.Action):
    """Several values, with spaces or commas between them, as one with commas."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        _, at, where = _so_far(namespace, self.dest).partition("@")
        setattr(namespace, self.dest, ",".join(values) + at + where)


class _OnCluster(argparse.Action):
    """Devices of a cluster, whose name stands behind theirs."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        setattr(namespace, self.dest, f"{_so_far(namespace, self.dest).partition('@')[0]}@{values}")


def _so_far(namespace: argparse.Namespace, dest: str) -> str:
    """The value of a flag before this one; none is text where a script asks which flags were given."""
    value = getattr(namespace, dest)
    return value if isinstance(value, str) else ""


def cluster(text: str) -> str:
    """An argument type: a Ray cluster."""
    if text != "auto" and not re.fullmatch(r"local:[1-9][0-9]?|(?!local:)[^\s@/,]+:[0-9]{1,5}", text):
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, auto, or local:N with N from 1 to 99, got {text!r}")
    return text


def share(text: str) -> tuple[int, int]:
    """An argument type: I/N, from 1/N to N/N."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text)
    if not found or int(found[1]) > int(found[2]):
        raise argparse.ArgumentTypeError(f"expected I/N, from 1/N to N/N, got {text!r}")
    return int(found[1]), int(found[2])


def positive(text: str) -> int:
    """An argument type: a whole number of at least 1."""
    return _whole(text, 1, "of at least 1")


def natural(text: str) -> int:
    """An argument type: a whole number from 0."""
    return _whole(text, 0, "from 0")


def _whole(text: str, least: int, which: str) -> int:
    """The number, if it is `least` or more and not too large for readers of JSON."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not least <= number < 2**63:
        raise argparse.ArgumentTypeError(f"expected a whole number {which}, got {text!r}")
    return number


def above_zero(text: str) -> float:
    """An argument type: a number above 0."""
    number = _decimal(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return number


def fraction(text: str) -> float:
    """An argument type: a number from 0 to 1."""
    number = _decimal(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return number


def _decimal(text: str) -> float:
    """The number, nan if the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
