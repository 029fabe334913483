"""What of a benchmark problem is looked for: its prompt, its description, its solution, as n-grams with weights.

A part's overlap with a record is the weight of its n-grams found there over the weight of all. An n-gram as written
weighs 0.1 plus its share of telling tokens; a renamed one weighs 1; either is divided by the number of problems of the
group that have it, so that boilerplate weighs next to nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from benchmarks.contract import ProblemTexts
from numpy.typing import NDArray

from seeds.ngram_index import PLAIN_N, RENAMED_N, Hashes, Streams, Vocabulary

# Set on HumanEval, MBPP and 32,860 real records, of which these flag five, each read: a problem of MBPP.
THRESHOLD = 0.7  # overlap of a long prompt from which on a record is flagged
LONG = 20.0  # weight from which on a part is long; the shorter a part, the less of it may be missing
NEARLY = 0.1  # a solution or description alone may lack this share of what a prompt may lack
# the least weight of a part that counts by itself: short ones are found in many programs
LEAST = {"prompt": 0.0, "description": 16.0, "solution": 1.0, "renamed prompt": 2.0, "renamed solution": 15.0}
KINDS = tuple(LEAST)
# the fewest lines of a solution that counts by itself, one less where it has the function's head: one line is what many
# would write
LINES = 3
_DOCSTRING = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'', re.DOTALL)
_EXAMPLES = re.compile(
    r"^\s*(>>>|\[?(for )?examples?\b|\w+\(.*\)\s*(==|=>|➞|->|returns?))", re.IGNORECASE | re.MULTILINE
)


@dataclass
class Part:
    """A piece of a problem in one stream, as written or renamed."""

    item: int  # the problem's index
    kind: str  # one of KINDS
    grams: Hashes  # (n-grams,), sorted
    weights: NDArray[np.float64]  # (n-grams,), which sum to 1
    tokens: int
    required: float  # the overlap from which on a record is flagged
    least_grams: float  # so many different n-grams must be there: some of the boilerplate too
    least_tokens: float  # the passage must have so many tokens: one piece of a part that repeats itself is not enough


def is_renamed(kind: str) -> bool:
    return kind.startswith("renamed")


def description_of(problem: ProblemTexts) -> str:
    """The prose of a prompt that is code: its last docstring up to the first example. Empty where there is none."""
    docstrings = [one or other for one, other in _DOCSTRING.findall(problem.prompt)] if problem.code_prompt else []
    return _EXAMPLES.split(docstrings[-1], maxsplit=1)[0] if docstrings else ""


def parts_of(items: Sequence[ProblemTexts], vocabulary: Vocabulary, threshold: float) -> list[Part]:
    """All parts that count, those as written first."""
    return [*_parts(items, vocabulary, threshold, False), *_parts(items, vocabulary, threshold, True)]


def _pieces(item: ProblemTexts, renamed: bool) -> Iterator[tuple[str, str]]:
    """(kind, text); prose has no names that could be changed."""
    if not renamed or item.code_prompt:
        yield "prompt", item.prompt
    if not renamed and (description := description_of(item)).strip():
        yield "description", description
    lines = sum(1 for line in item.solution.splitlines() if line.strip())
    if lines >= LINES - (not item.code_prompt):
        yield "solution", item.solution


def _parts(items: Sequence[ProblemTexts], vocabulary: Vocabulary, threshold: float, renamed: bool) -> list[Part]:
    pieces = [(number, kind, text) for number, item in enumerate(items) for kind, text in _pieces(item, renamed)]
    streams = Streams.of([text for _, _, text in pieces], vocabulary)
    n = RENAMED_N if renamed else PLAIN_N
    telling = np.concatenate([[0], np.cumsum(np.array(vocabulary.telling, bool)[streams.ids])])
    grams: list[Hashes] = []
    weights: list[NDArray[np.float64]] = []
    groups: dict[tuple[str, str], list[int]] = {}
    for row, (number, kind, _) in enumerate(pieces):
        hashes, first = np.unique(streams.grams(n, renamed, row)[0], return_index=True)
        start = streams.ends[row] + first
        grams.append(hashes)
        weights.append(np.ones(len(hashes)) if renamed else 0.1 + (telling[start + n] - telling[start]) / n)
        groups.setdefault((kind, items[number].group or items[number].benchmark), []).append(row)
    for rows in groups.values():
        known, counts = np.unique(np.concatenate([grams[row] for row in rows]), return_counts=True)
        for row in rows:
            weights[row] /= counts[np.searchsorted(known, grams[row])]
    parts = []
    for row, (number, kind, _) in enumerate(pieces):
        weight = float(weights[row].sum())
        name = f"renamed {kind}" if renamed else kind
        if len(grams[row]) and weight >= LEAST[name]:
            missing = (1 - threshold) * min(1.0, weight / LONG) * (1.0 if kind == "prompt" else NEARLY)
            tokens = int(streams.ends[row + 1] - streams.ends[row])
            required = max(0.05, 1 - missing)
            least = (threshold * len(grams[row]), min(threshold, THRESHOLD) * tokens)
            parts.append(Part(number, name, grams[row], weights[row] / weight, tokens, required, *least))
    return parts
