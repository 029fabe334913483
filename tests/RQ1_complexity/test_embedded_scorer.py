import json
from pathlib import Path

import numpy as np
import pytest
from RQ1_complexity.embedded_scorer import FEATURES, EmbeddedScorer, inputs, text_features
from RQ1_complexity.train_embedded_scorer import fit

PAIRS = [  # (simple, demanding)
    (
        "Print the numbers from 1 to 10.",
        "Given a weighted directed graph with up to 100000 edges, count the shortest paths between every pair of marked "
        "nodes modulo 1000000007, where each path must use at most k marked edges.",
    ),
    (
        "Write a function that adds two integers.",
        "Design a distributed rate limiter that must stay consistent across regions without a central coordinator, handle "
        "clock skew, bound its memory, and degrade gracefully when a region is cut off.",
    ),
    (
        "Reverse a string in Python.",
        "Given a string, find the minimum number of deletions such that every remaining substring of length k is "
        "lexicographically at least as large as its reverse, in less than quadratic time.",
    ),
    (
        "How do I read a file line by line?",
        "Implement an external merge sort for files larger than memory that uses at most two passes, and prove the "
        "bound on the number of disk reads for every possible input order.",
    ),
]


def values(texts: list[str], budget: int = 4096) -> list[float]:
    found = [score.value for score in EmbeddedScorer(device="cpu", max_batch_tokens=budget)(texts)]
    assert all(value is not None for value in found)
    return [value for value in found if value is not None]


def test_demanding_tasks_score_higher_within_0_to_5() -> None:
    scores = values([text for pair in PAIRS for text in pair])
    assert all(0 < score < 5 for score in scores)
    for simple, demanding in zip(scores[::2], scores[1::2], strict=True):
        assert simple + 0.3 < demanding


def test_batch_sizes_agree() -> None:
    texts = [text for pair in PAIRS for text in pair] * 4
    assert values(texts, budget=1) == pytest.approx(values(texts, budget=64 * 256), abs=1e-5)


def test_odd_texts_have_finite_scores() -> None:
    assert np.isfinite(values(["?", "12 + 3", "\n\n", "漢字" * 500, "a" * 20000])).all()


def test_features() -> None:
    assert len(text_features("")) == len(FEATURES)
    counts = np.expm1(text_features("You must sort, merge and MUST not copy, if possible."))
    assert counts[[0, 1, 3, 4, 5]].round(6).tolist() == [52, 10, 4, 1, 2]


def test_the_head_is_learnt_from_the_data() -> None:
    x = inputs(
        ["a b", "c, d", "must e", "f graph"] * 25, np.random.default_rng(0).normal(size=(100, 384)).astype(np.float32)
    )
    weights, intercept = fit(x, 1000 + 300 * x[:, -1])
    assert weights.shape == (390,)
    predicted = x @ weights + intercept
    assert np.corrcoef(predicted, x[:, -1])[0, 1] > 0.9


@pytest.mark.heavy
def test_agreement_with_evol_generation(shared_data: Path) -> None:
    from scipy.stats import spearmanr

    path = shared_data / "seeds" / "evol_instruct_code.jsonl"
    labels_path = shared_data / "seeds" / "evol_generation.jsonl"
    texts = [json.loads(line)["instruction"] for line in path.read_bytes().splitlines()]
    labels = [json.loads(line)["generation"] for line in labels_path.read_bytes().splitlines()]
    assert spearmanr(values(texts), labels)[0] >= 0.60
