"""The steps of study_power.py: the table of smallest differences, and of the runs that a given difference needs."""

import argparse
from dataclasses import replace

from seedkit.display import table
from training.power import MOST_RUNS, POWER, Design, runs_needed, smallest_difference


def overview(args: argparse.Namespace) -> str:
    """What study_power.py prints, from its flags."""
    wanted = args.difference_points
    header = ["base", "problems", "run effect", *(f"{runs} runs" for runs in args.runs)]
    header += [f"runs for {wanted:g}"] if wanted else []
    rows = []
    for base in args.base_percent:
        for problems in args.problems:
            for effect in args.run_effect_points:
                one = Design(base / 100, problems, args.runs[0], effect / 100, args.num_samples, args.subsets)
                designs = [replace(one, runs=runs) for runs in args.runs]
                cells = [f"{base:g}%", f"{problems:,}", f"{effect:g}", *map(_points, designs)]
                if wanted:
                    needed = runs_needed(one, wanted / 100)
                    cells.append(f"more than {MOST_RUNS}" if needed is None else str(needed))
                rows.append(cells)
    return (
        f"Smallest difference of two subsets in percentage points that is seen with a chance of {POWER:.0%} (two-sided at 5%), "
        f"by the runs of each subset; run effect: standard deviation in points\n\n{table(header, rows)}"
    )


def _points(design: Design) -> str:
    found = smallest_difference(design)
    return "none" if found is None else f"{100 * found:.1f}"
