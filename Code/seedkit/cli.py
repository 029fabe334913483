"""How every script ends: its exit code, and what it says on the way."""

import io
import os
import sys
from collections.abc import Callable

from seedkit.errors import InputError, RunError


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
