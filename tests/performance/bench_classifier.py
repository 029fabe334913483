"""The category classifier: its agreement with labels that others gave to coding texts, with MiniLM.

    python tests/performance/bench_classifier.py

The labels come from tags and sources by a rule, so some are wrong. The texts are split by a hash: whoever edits the
prototypes looks at the first half only, and the second shows whether the edits help on other texts. No text of the file is labelled
Domain-Specific; the macro-F1 over ten categories counts 0 for it, the other is over the categories that are labelled.
"""

import hashlib
import json
import time

import numpy as np
from measure import SHARED, machine
from numpy.typing import NDArray
from seedkit.cli import run

Indices = NDArray[np.int64]

LABELLED = SHARED / "topics" / "topic_labelled.jsonl"


def confusion(labels: Indices, assigned: Indices, count: int) -> Indices:
    """(count, count) numbers of texts: row by label, column by assigned category."""
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (labels, assigned), 1)
    return table


def macro_f1(table: Indices) -> tuple[float, float]:
    """The mean of F1 = 2 tp / (labelled + assigned) over all categories, and over those with a labelled text."""
    labelled, total = table.sum(axis=1), table.sum(axis=1) + table.sum(axis=0)
    f1 = 2 * np.diag(table) / np.maximum(total, 1)
    return float(f1.mean()), float(f1[labelled > 0].mean())


def first_half(key: str) -> bool:
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % 2 == 0


def figures(labels: Indices, assigned: Indices) -> str:
    from RQ2_composition.categories import ALGORITHMIC, CATEGORIES

    of_ten, of_labelled = macro_f1(confusion(labels, assigned, len(CATEGORIES)))
    same_type = ((labels < len(ALGORITHMIC)) == (assigned < len(ALGORITHMIC))).mean()
    return (
        f"macro-F1 {of_ten:.3f} over ten, {of_labelled:.3f} over the labelled; "
        f"algorithmic/practical {same_type:.3f}; category {(labels == assigned).mean():.3f} ({len(labels)} texts)"
    )


def main() -> None:
    from RQ2_composition.categories import CATEGORIES, assign, described
    from seedkit.embed import MiniLM

    if not LABELLED.exists():
        print("classifier: not measured, no data beside the repository")
        return
    lines = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]
    labels = np.array([CATEGORIES.index(line["suggested_category"]) for line in lines])
    looked = np.array([first_half(line.get("id") or line["text"]) for line in lines])
    encoder = MiniLM()
    start = time.perf_counter()
    tasks = encoder([line["text"] for line in lines])
    rate = len(lines) / (time.perf_counter() - start)
    texts: dict[str, dict[str, tuple[str, ...]]] = {
        "names": {name: (name,) for name in CATEGORIES},
        "described": described(),
    }
    for name, written in texts.items():
        prototypes = encoder([text for category in CATEGORIES for text in written[category]])
        owner = np.repeat(np.arange(len(CATEGORIES)), [len(written[category]) for category in CATEGORIES])
        assigned = assign(tasks, prototypes, owner).category
        print(f"classifier, {name}: {figures(labels, assigned)}")
        print(f"  first half:  {figures(labels[looked], assigned[looked])}")
        print(f"  second half: {figures(labels[~looked], assigned[~looked])}")
    table = confusion(labels, assigned, len(CATEGORIES))
    short = [name.split()[0][:5] for name in CATEGORIES]
    print("confusion of described, row: label, column: assigned")
    print(" " * 36, *(f"{head:>5}" for head in short))
    for category, row in zip(CATEGORIES, table, strict=True):
        print(f"{category:36}", *(f"{count:5}" for count in row))
    print(f"{rate:.0f} texts a second; {machine()}")


if __name__ == "__main__":
    run(main)
