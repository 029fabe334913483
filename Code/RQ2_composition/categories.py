"""The ten categories of coding tasks, what is written about each, and the zero-shot assignment of tasks to them.

A task gets the category whose prototypes its embedding is closest to. A prototype is a text of the category: its name
alone ("names", with INSTRUCTOR, as the study does), or descriptions and example tasks ("described", for MiniLM, which
knows no instructions and finds too little in a bare name). No prototype comes from labelled data, and the category of a
task depends on no other task.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CATEGORIES = (
    "Algorithmic & Data Structure",
    "Mathematical & Computational",
    "Database & SQL",
    "System Design & Architecture",
    "Web Development",
    "Data Science & Machine Learning",
    "Performance Optimization",
    "User Interface & Application Design",
    "Domain-Specific",
    "Security & Cryptography",
)
ALGORITHMIC = CATEGORIES[:2]  # the rest is practical

# INSTRUCTOR (arXiv 2212.09741) gets an instruction what to represent, before a category's name, and before a task
TOPIC_INSTRUCTION = "Represent the topic for coding category:"
TASK_INSTRUCTION = "Represent coding category of the programming task:"

PROTOTYPES = Path(__file__).with_name("prototypes.json")
TEMPERATURE = 0.1  # between the closest prototype alone (0) and the mean of all (infinity); flat from 0.07 to 0.15
BLOCK = 8192  # tasks compared at a time: the cosines of all 110,000 would take more memory than their vectors


@dataclass(frozen=True, slots=True)
class Assignment:
    """Row i belongs to task i: the category (int64, an index), how similar it is, by how much it leads the second."""

    category: NDArray[np.int64]
    similarity: NDArray[np.float32]
    margin: NDArray[np.float32]


@cache
def described() -> dict[str, tuple[str, ...]]:
    """The texts of PROTOTYPES by category: what it is about, then tasks as instruction data asks them.

    They were written from the meaning of the categories' names.
    """
    texts: dict[str, list[str]] = json.loads(PROTOTYPES.read_text(encoding="utf-8"))
    return {category: tuple(written) for category, written in texts.items()}


def task_type(category: str) -> str:
    """The type of a category's tasks, algorithmic or practical; ValueError for anything else than a category."""
    if category not in CATEGORIES:
        raise ValueError(f"{category!r} is no category; expected one of {', '.join(CATEGORIES)}")
    return "algorithmic" if category in ALGORITHMIC else "practical"


def assign(tasks: NDArray[np.float32], prototypes: NDArray[np.float32], owner: NDArray[np.int64]) -> Assignment:
    """Assign each task to the category that it is most similar to.

    tasks: (n, d) float32, rows of length 1. prototypes: (m, d) float32, rows of length 1. owner: (m,), the index of
    the category of each prototype; each index from 0 to the largest has at least one.

    With the cosine x . p of task x and prototype p, and P_c the prototypes of category c,

        similarity(x, c) = sum over p in P_c of  w(p) (x . p),
        w(p) = exp(x . p / T) / sum over q in P_c of  exp(x . q / T),    T = TEMPERATURE:

    the mean cosine, weighted towards the prototypes close to the task. A category gains nothing by having more
    prototypes; with one the similarity is the cosine. The task gets the category of highest similarity, the first of
    equal ones; the margin is how far that is above the second (0 if there is one category only).

    Raises ValueError if a category has no prototype.
    """
    count = int(owner.max()) + 1
    if set(owner.tolist()) != set(range(count)):
        raise ValueError(f"a category without prototypes: owners {sorted(set(owner.tolist()))}")
    similarities = np.empty((len(tasks), count), dtype=np.float32)
    for start in range(0, len(tasks), BLOCK):
        cosines = tasks[start : start + BLOCK] @ prototypes.T  # (BLOCK, m)
        for index in range(count):
            similarities[start : start + BLOCK, index] = _pooled(cosines[:, owner == index])
    category = similarities.argmax(axis=1)
    ordered = np.sort(similarities, axis=1)
    best = ordered[:, -1]
    return Assignment(category, best, best - ordered[:, -2] if count > 1 else np.zeros_like(best))


def _pooled(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, k) cosines with the prototypes of one category to (n,) similarities."""
    weights = np.exp((cosines - cosines.max(axis=1, keepdims=True)) / TEMPERATURE)
    pooled: NDArray[np.float32] = (weights * cosines).sum(axis=1) / weights.sum(axis=1)
    return pooled
