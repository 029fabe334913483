"""complexity_scorer.py with little memory:  python limited.py LEFT COUNT [its flags]

On a GPU all memory but LEFT MB is taken first; on a CPU a batch of more than LEFT thousand tokens is said not to fit. The
file COUNT holds, in the end, how often memory was short.
"""

import atexit
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from bench import SCORER
from seedkit import digit_scorers


def main() -> None:
    left, count, flags = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    sys.argv = [str(SCORER), *flags]
    if "cpu" in flags:
        _pretend(left * 1000, count)
        runpy.run_path(str(SCORER), run_name="__main__")
        return
    free, _ = torch.cuda.mem_get_info(0)
    ballast = torch.empty(free - left * 10**6, dtype=torch.uint8, device="cuda:0")
    atexit.register(lambda: count.write_text(str(torch.cuda.memory_stats(0)["num_ooms"])))
    runpy.run_path(str(SCORER), run_name="__main__")
    del ballast


def _pretend(most: int, count: Path) -> None:
    """Batches of more than `most` tokens fail as they do on a GPU."""
    module: Any = digit_scorers
    whole, short = module.padded, 0

    def padded(rows: Sequence[Sequence[int]], device: str, *, left: bool) -> Any:
        nonlocal short
        if len(rows) * max(map(len, rows)) > most:
            short += 1
            raise torch.OutOfMemoryError("a batch that is said not to fit")
        return whole(rows, device, left=left)

    module.padded = padded
    atexit.register(lambda: count.write_text(str(short)))


if __name__ == "__main__":
    main()
