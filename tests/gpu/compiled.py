"""complexity_scorer.py with compiled layers, however few the records are:  python compiled.py [its flags]

On a CPU the layers are only traced, so that it is done in seconds. Worker processes load this file too, and do the same.
"""

import sys
from typing import Any

from bench import trace_only
from RQ1_complexity import complexity_scorer
from seedkit import digit_scorer_plan
from seedkit.cli import run


def low_precision(where: list[str], dtype: str, records: int) -> bool:
    """What decides on a CPU, where nothing is compiled otherwise."""
    return dtype != "float32"


if any(argument.startswith("cpu") for argument in sys.argv):
    trace_only()
    module: Any = digit_scorer_plan
    module._compiled = low_precision

if __name__ == "__main__":
    digit_scorer_plan.COMPILE_FROM = 0
    run(complexity_scorer.main)
