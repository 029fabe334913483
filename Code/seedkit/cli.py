"""What all scripts share on the command line: paths, common flags, messages, progress, exit codes."""

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from seedkit.errors import InputError, RunError

DATAS = Path(__file__).resolve().parents[2] / "Datas"


def run(main: Callable[[], None]) -> None:
    """Run a script's main: exit code 2 for usage and input, 1 for a failed run, 130 for Ctrl-C, each with one line."""
    # closed by whoever started us: what is said is lost, what is written is not
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name need not be UTF-8
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
        sys.stdout.flush()
    except InputError as error:
        _stop(error, 2)
    except RunError as error:
        _stop(error, 1)
    except BrokenPipeError:  # whoever read our output has left; the files are written
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    except OSError as error:  # a full disk, a folder that cannot be written
        _stop(f"{error}; what is finished is kept, run again to resume", 1)
    except KeyboardInterrupt:
        _stop("interrupted; what is finished is kept, run again to resume", 130)


def _stop(message: object, code: int) -> None:
    line = str(message).replace("\n", "\\n").replace("\r", "\\r")
    print(f"error: {line if len(line) <= 1000 else line[:1000] + ' ...'}", file=sys.stderr, flush=True)
    sys.exit(code)


def say(message: str) -> None:
    """One line about what is going on, to stderr: stdout is for results."""
    print(message, file=sys.stderr, flush=True)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """An argument parser that shows a script's docstring as it is written."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def add_input_flags(flags: argparse.ArgumentParser, *, output: str = "dir") -> None:
    """Where records come from, what their fields are called, and where results go: --output_dir or --output_file."""
    group = flags.add_argument_group("input and output")
    group.add_argument("--input_file", type=Path, help="JSON Lines file or JSON array of records")
    what = "folder" if output == "dir" else "file"
    group.add_argument(
        f"--output_{output}", type=Path, help=f"{what} to write; default: by research question and source"
    )
    group.add_argument("--source_name", help="name of the source, e.g. EVOL; default: the file's name")
    group.add_argument("--instruction_key", metavar="KEY", help="default: instruction or problem, whichever is there")
    group.add_argument("--input_key", metavar="KEY", help="default: input, where it is there")
    group.add_argument("--output_key", metavar="KEY", help="default: output, response or solution")
    group.add_argument("--on_bad_record", choices=("error", "reject"), default="error",
                       help="stop at a bad record, or write it to rejects.jsonl and go on (default: error)")  # fmt: skip
    group.add_argument("--limit", type=positive, metavar="N", help="read only the first N records")


def add_failure_flag(flags: argparse._ArgumentGroup) -> None:
    flags.add_argument("--max_failure_rate", type=fraction, default=0.0, metavar="RATE",
                       help="share of records that may stay without a score (default: 0)")  # fmt: skip


def add_embedder_flags(flags: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Which encoder."""
    group = flags.add_argument_group("embedding")
    group.add_argument("--embedder", choices=("auto", "instructor", "transformer", "minilm"), default="auto",
                       help="auto: instructor if CUDA is there or --model_name is given, else minilm (default)")  # fmt: skip
    group.add_argument("--model_name", metavar="MODEL",
                       help="hub id or folder (default: INSTRUCTOR base; with transformer: CodeBERT)")  # fmt: skip
    return group


def add_mix_flags(flags: argparse.ArgumentParser, repeats: str) -> argparse._ArgumentGroup:
    """How many draws, and from which seed; `repeats` is the name of the former."""
    group = flags.add_argument_group("mixing")
    group.add_argument(f"--{repeats}", type=positive, default=3, metavar="N", help="independent draws (default: 3)")
    group.add_argument(
        "--seed", type=natural, default=42, metavar="N", help="the same seed, the same bytes (default: 42)"
    )
    return group


def add_machine_flags(flags: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Where and how a model runs."""
    group = flags.add_argument_group("machine")
    group.add_argument("--device", default="auto", help="auto, cpu, cuda (every GPU), or a list: cuda:0,cuda:1")
    group.add_argument("--dtype", choices=("auto", "bfloat16", "float16", "float32"), default="auto",
                       help="auto: bfloat16 on a GPU, else what the processor computes well in (default)")  # fmt: skip
    group.add_argument("--max_batch_tokens", type=positive, metavar="N",
                       help="tokens per forward pass, padding included (default: by device)")  # fmt: skip
    group.add_argument("--resume", action=argparse.BooleanOptionalAction, default=True,
                       help="use what an earlier run with the same models computed (default)")  # fmt: skip
    return group


def positive(text: str) -> int:
    """An argument type: a whole number of at least 1."""
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return number


def _whole(text: str) -> int:
    """The number, -1 if it is none or more than JSON readers take."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    return number if number < 2**63 else -1


def natural(text: str) -> int:
    """An argument type: a whole number from 0."""
    number = _whole(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, got {text!r}")
    return number


def above_zero(text: str) -> float:
    """An argument type: a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return number


def fraction(text: str) -> float:
    """An argument type: a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return number


def default_seed(source: str) -> Path:
    """The full seed file of a source if it has been fetched, else the bundled sample."""
    full = DATAS / "seeds" / f"{source}.jsonl"
    if full.exists():
        return full
    say(f"{source}: no full data in Datas/seeds, taking the bundled sample")
    return DATAS / "sample" / f"{source}.jsonl"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain text table, first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            [cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]
        ).rstrip()
        for cells in (header, *rows)
    )


class Progress:
    """A tqdm bar with an ETA on a terminal, a plain line every 30 s elsewhere.

    It counts characters, since the longest texts come first and records alone would mislead the ETA.
    """

    def __init__(self, label: str, texts: int | None, characters: int, *, done: int = 0, seen: int = 0) -> None:
        """`texts` is None where their number is not known yet. `done` of the `texts` and `seen` of the `characters` are finished already, from an earlier run."""
        self._label, self._texts, self._characters = label, texts, characters
        self._done, self._seen, self._before = done, seen, seen
        self._start = self._said = time.monotonic()
        self._bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=characters, initial=seen, desc=label, unit="char", unit_scale=True, leave=False)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, texts: int, characters: int) -> None:
        self._done += texts
        self._seen += characters
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._done:,}{self._of('/')} records", refresh=False)
            self._bar.update(characters)
            return
        now = time.monotonic()
        if now - self._said >= 30 and self._seen > self._before:
            self._said = now
            left = (now - self._start) * (self._characters - self._seen) / (self._seen - self._before)
            say(f"{self._label}: {self._done:,}{self._of(' of ')} records, about {left / 60:.0f} min left")

    def _of(self, word: str) -> str:
        return "" if self._texts is None else f"{word}{self._texts:,}"
