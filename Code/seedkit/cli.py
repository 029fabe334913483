"""How every script starts and ends: the arithmetic it computes in, what it says on the way, and its exit code."""

import gc
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

from seedkit.errors import InputError, RunError


def run(main: Callable[[], None]) -> None:
    """Run a script's main: exit code 2 for usage and input, 1 for a failed run, 130 for Ctrl-C, each with one line."""
    reproducible_arithmetic()
    cudnn_attention_last()
    # a stream that was closed before we started: what is said is lost, what is written to files is not
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


def reproducible_arithmetic() -> None:
    """Make sums come out the same in every run, in this process and in those it starts. Call it before torch computes.

    MKL, which torch uses on processors, may otherwise add up in another order from run to run, depending on memory
    alignment and the number of threads; then one score in some thousands differs in its last digit. MKL reads the
    setting at its first call. One that is there already is left as it is.
    """
    processor = Path("/proc/cpuinfo")
    avx512 = processor.exists() and "avx512f" in processor.read_text(errors="replace")
    os.environ.setdefault("MKL_CBWR", "AVX512,STRICT" if avx512 else "AVX2,STRICT")


def cudnn_attention_last() -> None:
    """Make torch try cuDNN's attention kernel last, in this process and in those it starts. Call it before torch is imported.

    cuDNN prepares a plan for every new shape of a batch, 0.1 to 0.5 s each, and torch tries it first on an H100 and newer
    cards. There are also reports of wrong numbers (pytorch/pytorch issues 196678 and 193893). A setting that is there
    already is left as it is.
    """
    os.environ.setdefault("TORCH_CUDNN_SDPA_DEPRIORITIZED", "1")


def rarer_collections() -> None:
    """Look for garbage in cycles after 10,000 new objects, in this process. Call it before torch and transformers are imported.

    What they create when they are imported stays for good; looking through it after every 700 takes a tenth of the start.
    The garbage that waits is some 20 MB, little beside the two.
    """
    gc.set_threshold(10_000)


def _stop(message: object, code: int) -> None:
    line = str(message).replace("\n", "\\n").replace("\r", "\\r")
    print(f"error: {line if len(line) <= 1000 else line[:1000] + ' ...'}", file=sys.stderr, flush=True)
    sys.exit(code)


def say(message: str) -> None:
    """One line about what is going on, to stderr: stdout is for results."""
    print(message, file=sys.stderr, flush=True)
