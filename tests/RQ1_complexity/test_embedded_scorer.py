import argparse
import functools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from RQ1_complexity import scorers
from RQ1_complexity.embedded_scorer import FEATURES, HEAD, EmbeddedScorer, inputs, text_features
from RQ1_complexity.perplexity import Perplexity
from RQ1_complexity.train_embedded_scorer import fit
from seedkit import batching, stage
from seedkit.embed import encoder_dtype, minilm_revision
from seedkit.errors import RunError
from seedkit.files import file_facts
from seedkit.likelihood import EMBEDDED_LM
from seedkit.records import read_records
from seedkit.score_store import Score, ScoreStore
from seedkit.stage import Workers, score_texts
from support import ROOT, SCORER, Command, check_batches, contents, killed

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


def values(texts: list[str], budget: int = 4096, dtype: str = "float32") -> list[float]:
    found = [score.value for score in EmbeddedScorer(device="cpu", max_batch_tokens=budget, dtype=dtype)(texts)]
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


def sample() -> list[str]:
    return [record.query for record in read_records(ROOT / "Datas" / "sample" / "OSS.jsonl")]


def test_bfloat16_orders_as_float32_does() -> None:
    from scipy.stats import spearmanr

    texts = sample()[::3]
    exact, rounded = values(texts), values(texts, dtype="bfloat16")
    assert rounded != exact
    assert spearmanr(exact, rounded)[0] >= 0.999
    assert rounded == pytest.approx(exact, abs=0.05)


def test_batch_by_batch_gives_the_bits_of_the_whole_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "PASSES", 2)
    check_batches(EmbeddedScorer(device="cpu", max_batch_tokens=400, dtype="bfloat16"), sample()[::3])


class Interrupted(EmbeddedScorer):
    """Fails at the third batch."""

    calls = 0

    def __call__(self, texts: list[str]) -> list[Score]:
        self.calls += 1
        if self.calls == 3:
            raise RunError("stopped")
        return super().__call__(texts)


def test_an_interrupted_run_ends_with_the_bits_of_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 24)
    texts = sample()[:60]

    def scores(kind: type[EmbeddedScorer], name: str) -> tuple[list[Score], int]:
        factory = functools.partial(kind, max_batch_tokens=900, dtype="bfloat16")
        with (
            Workers(factory, ["cpu"]) as workers,
            ScoreStore(tmp_path / name, "semantic", {"dtype": "bfloat16"}) as store,
        ):
            return score_texts(workers, texts, store, "semantic")

    whole, computed = scores(EmbeddedScorer, "whole")
    assert computed == len(texts)
    with pytest.raises(RunError, match="stopped"):
        scores(Interrupted, "cut")
    resumed, computed = scores(EmbeddedScorer, "cut")
    assert 0 < computed < len(texts)
    assert resumed == whole


def plan(dtype: str, budget: int | None = None, perplexity_model: str | None = None) -> dict[str, dict[str, str]]:
    """The identity of the embedded scorer's scores, by measure."""
    args = argparse.Namespace(
        scorer="embedded", scoring_model=None, engine=None, use_vllm=False, device="cpu", dtype=dtype,
        max_batch_tokens=budget, perplexity_model=perplexity_model,
    )  # fmt: skip
    return {measure: spec.identity for measure, spec in scorers.plan(args, records=10).items()}


def test_what_its_scores_are_kept_under() -> None:
    model = {"scorer": "embedded", "encoder": minilm_revision(), "head": file_facts(HEAD).sha256[:32]}
    for budget in (None, 99):  # scores of earlier runs are used again
        assert plan("float32", budget)["linguistic"].keys() == {"model", "revision", "dtype", "engine"}
        assert plan("float32", budget)["semantic"] == {**model, "dtype": "float32"}
    half = {**model, "dtype": "bfloat16", "device": "cpu"}
    assert plan("bfloat16")["semantic"] == {**half, "batch_tokens": "1024"}
    assert plan("bfloat16", 99)["semantic"] == {**half, "batch_tokens": "99"}
    auto = encoder_dtype("auto", "cpu")
    assert [identity["dtype"] for identity in plan("auto").values()] == [auto, auto]


def test_the_perplexity_of_another_model_stays_float32(tiny_gpt2: Path) -> None:
    assert plan("auto", perplexity_model=str(tiny_gpt2))["linguistic"]["dtype"] == "float32"


def test_perplexity_of_the_embedded_model_orders_in_bfloat16_as_in_float32() -> None:
    from scipy.stats import spearmanr

    exact, rounded = (
        [score.value for score in Perplexity(str(EMBEDDED_LM), device="cpu", dtype=dtype)(sample()[::3])]
        for dtype in ("float32", "bfloat16")
    )
    assert rounded != exact
    assert spearmanr(exact, rounded)[0] >= 0.999
    assert rounded == pytest.approx(exact, rel=0.02)


def has_scores(out: Path) -> Iterator[bool]:
    """For each journal of the semantic part, whether there is a score in it, below its header."""
    return (store.read_bytes().count(b"\n") > 1 for store in out.glob(".scores/semantic-*"))


@pytest.mark.heavy
def test_killed_it_ends_with_the_same_bytes(tmp_path: Path, shared_data: Path, scorer_command: Command) -> None:
    texts = (shared_data / "seeds" / "evol_instruct_code.jsonl").read_bytes().splitlines(keepends=True)
    data = tmp_path / "some.jsonl"
    data.write_bytes(b"".join(texts[:1500]))
    common = ["--input_file", data, "--scorer", "embedded", "--device", "cpu", "--dtype", "bfloat16"]
    command = [sys.executable, str(SCORER), *map(str, common), "--output_dir", str(tmp_path / "cut")]
    killed(command, begun=lambda: any(has_scores(tmp_path / "cut")))
    resumed = scorer_command(*common, "--output_dir", tmp_path / "cut", timeout_s=900)
    assert resumed.returncode == 0, resumed.stderr
    assert "3,000 scores computed" not in resumed.stdout
    whole = scorer_command(*common, "--output_dir", tmp_path / "whole", timeout_s=900)
    assert whole.returncode == 0, whole.stderr
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


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
    texts = [json.loads(line)["instruction"] for line in path.read_bytes().splitlines()[::8]]
    labels = [json.loads(line)["generation"] for line in labels_path.read_bytes().splitlines()[::8]]
    assert spearmanr(values(texts), labels)[0] >= 0.60
