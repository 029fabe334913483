"""Problems made up for tests of decontamination, in the forms of HumanEval and MBPP, records without one, and finished folders."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedkit.manifest import OutputFolder
from seedkit.records import Record
from seeds.problem_scan import Text

PROMPT = '''from typing import List


def longest_plateau(heights: List[int], slack: int) -> int:
    """ Walk along a mountain ridge given by its heights and say how many posts the longest stretch has
    in which no two neighbouring posts differ by more than the slack.
    >>> longest_plateau([4, 4, 5, 9, 9, 8, 8, 20], 1)
    4
    >>> longest_plateau([7, 31, 62], 12)
    1
    """
'''


SOLUTION = """    best = run = 1
    for before, here in zip(heights, heights[1:]):
        if abs(here - before) <= slack:
            run += 1
        else:
            run = 1
        best = max(best, run)
    return best
"""


TEXT = "Write a function to find the lamp that is switched most often in the given evening log."


CODE = "def busiest_lamp(evening_log):\r\n  tally = {}\r\n  for lamp in evening_log:\r\n    tally[lamp] = tally.get(lamp, 0) + 1\r\n  return max(tally, key=tally.get)"


RIDGE = {
    "task_id": "HumanEval/900",
    "prompt": PROMPT,
    "entry_point": "longest_plateau",
    "canonical_solution": SOLUTION,
    "test": "",
}


LAMP = {"task_id": 77, "text": TEXT, "code": CODE, "test_list": ["assert busiest_lamp([1, 1, 2]) == 1"]}


OTHER = {
    "task_id": 78,
    "text": "Write a function to fold a paper strip as often as its creases allow.",
    "code": "def fold(s):\n  return s",
    "test_list": [],
}


CLEAN = ("Sort a list of planets by mass.", "planets.sort(key=lambda planet: planet.mass)\nprint(planets)")


def benchmark_file(path: Path, *problems: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    return path


def partition(folder: Path, names: dict[str, list[tuple[str, str]]], **described: Any) -> Path:
    """A finished folder of records; `described` is what its manifest says besides."""
    folder.mkdir(parents=True)
    lines = {
        name: [
            json.dumps({"id": f"{name}{n}", "instruction": i, "input": "", "output": o}).encode() + b"\n"
            for n, (i, o) in enumerate(pairs)
        ]
        for name, pairs in names.items()
    }
    with OutputFolder(folder, "a_stage", list(lines), sources=[]) as output:
        for name, own in lines.items():
            output.write(name, own)
        output.finish(described)
    return folder


def searched(text: str, sets: Sequence[int] = (0,)) -> Text:
    """A text to look for problems in, of a record that has it as its instruction."""
    return Text(text, sets, Record("id", text, "", ""))
