"""Flags that the scripts share."""

import argparse
from datetime import date
from pathlib import Path

from benchmarks import NAMES
from benchmarks.contract import Selection
from seedkit.flags import add_machine_flags, natural, positive


def add_benchmark_flags(group: argparse._ArgumentGroup) -> None:
    """Which benchmark, and where its problems are."""
    group.add_argument("--benchmark", required=True, metavar="NAME", help=NAMES)
    group.add_argument(
        "--benchmark_file",
        type=Path,
        metavar="FILE",
        help="the problems as released, a file or folder (default: those of an installed package or of the hub)",
    )


def named_file(text: str) -> tuple[str, Path]:
    """An argument type: BENCHMARK=FILE, as (benchmark, file)."""
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise argparse.ArgumentTypeError(f"expected BENCHMARK=FILE, got {text!r}")
    return name, Path(path)


def add_sampling_flags(flags: argparse.ArgumentParser, form: str) -> argparse._ArgumentGroup:
    """How a model is asked. `form` says what --form auto means in that script."""
    how = flags.add_argument_group("sampling")
    how.add_argument("--num_samples", type=positive, default=1, metavar="N", help="samples a problem (default: 1)")
    how.add_argument(
        "--temperature", type=float, default=0.0, metavar="T", help="0: always the likeliest token (default)"
    )
    how.add_argument(
        "--top_p",
        type=float,
        default=1.0,
        metavar="P",
        help="sample from the likeliest tokens that make up P of the probability (default: 1)",
    )
    how.add_argument("--max_new_tokens", type=positive, metavar="N", help="default: the benchmark's own")
    how.add_argument("--seed", type=natural, default=42, metavar="N", help="default: 42")
    how.add_argument("--form", choices=("auto", "base", "instruct"), default="auto", help=f"auto: {form} (default)")
    machine = add_machine_flags(flags)
    machine.add_argument(
        "--engine",
        choices=("auto", "vllm", "transformers"),
        default="auto",
        help="auto: vllm on a GPU where it is installed, else transformers (default)",
    )
    return how


def add_selection_flags(flags: argparse.ArgumentParser) -> None:
    """Which problems of LiveCodeBench; no other benchmark has releases and dates."""
    group = flags.add_argument_group("problems of LiveCodeBench")
    group.add_argument("--release", metavar="NAME", help="release_v1 to release_v6 (default: release_v5, 880 problems)")
    group.add_argument("--date_from", type=day, metavar="DATE", help="only contests from this day on, YYYY-MM-DD")
    group.add_argument("--date_to", type=day, metavar="DATE", help="only contests up to and including this day")
    group.add_argument(
        "--all_tests", action="store_true", help="run all tests of a sample, not only up to the first that fails"
    )


def selection(args: argparse.Namespace) -> Selection:
    """What the flags of add_selection_flags say."""
    return Selection(args.release, args.date_from, args.date_to, args.all_tests)


def expanded(name: str) -> list[str]:
    """The benchmarks that a name stands for: of multipl-e and multipl-e-mbpp all their languages, else itself."""
    from benchmarks.multipl_e.languages.registry import LANGUAGES

    return [f"{name}-{language}" for language in LANGUAGES] if name in ("multipl-e", "multipl-e-mbpp") else [name]


def day(text: str) -> date:
    """An argument type: a day, YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a day like 2024-08-31, got {text!r}") from None
