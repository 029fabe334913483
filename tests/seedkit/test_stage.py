import os
from pathlib import Path

import pytest
from seedkit import stage
from seedkit.errors import RunError
from seedkit.score_store import Score, ScoreStore
from seedkit.stage import Workers, score_texts


class Length:
    """A toy stage: the score of a text is its length."""

    calls: list[list[str]] = []

    def __init__(self, *, device: str) -> None:
        self.device = device

    def __call__(self, texts: list[str]) -> list[Score]:
        self.calls.append(texts)
        if "die" in texts:
            os._exit(9)
        return [Score(float(len(text))) for text in texts]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 3)
    Length.calls = []


TEXTS = ["a", "bb", "a", "", "cccc", "dd", "eeeee", "ff", "ggg"]


def test_scores_come_back_in_order_and_equal_texts_are_scored_once(tmp_path: Path) -> None:
    with Workers(Length, ["cpu"]) as workers, ScoreStore(tmp_path, "p", {}) as store:
        scores, computed = score_texts(workers, TEXTS, store, "toy")
    assert [score.value for score in scores] == list(map(len, TEXTS))
    assert computed == len(set(TEXTS)) == sum(map(len, Length.calls))
    assert [len(call) for call in Length.calls] == [3, 3, 2]
    assert Length.calls[0] == ["eeeee", "cccc", "ggg"]  # longest first


def test_a_resumed_run_redoes_whole_chunks_only(tmp_path: Path) -> None:
    with Workers(Length, ["cpu"]) as workers, ScoreStore(tmp_path, "p", {}) as store:
        score_texts(workers, TEXTS, store, "toy")
        first = list(Length.calls)
        lines = store.path.read_bytes().splitlines(keepends=True)
    store.path.write_bytes(b"".join(lines[: 1 + 3 + 1]))  # the second chunk was torn
    Length.calls = []
    with Workers(Length, ["cpu"]) as workers, ScoreStore(tmp_path, "p", {}) as store:
        scores, computed = score_texts(workers, TEXTS, store, "toy")
    assert Length.calls == first[1:]
    assert computed == 5
    assert [score.value for score in scores] == list(map(len, TEXTS))
    Length.calls = []
    with Workers(Length, ["cpu"]) as workers, ScoreStore(tmp_path, "p", {}) as store:
        assert score_texts(workers, TEXTS, store, "toy")[1] == 0
    assert Length.calls == []


def test_two_workers_give_the_same(tmp_path: Path) -> None:
    with Workers(Length, ["cpu", "cpu"]) as workers, ScoreStore(tmp_path, "p", {}) as store:
        scores, computed = score_texts(workers, TEXTS, store, "toy")
    assert [score.value for score in scores] == list(map(len, TEXTS))
    assert computed == len(set(TEXTS))


def test_a_dead_worker_is_a_failed_run_and_loses_nothing_finished(tmp_path: Path) -> None:
    texts = [*TEXTS, "die"]
    with (
        Workers(Length, ["cpu"], isolate=True) as workers,
        ScoreStore(tmp_path, "p", {}) as store,
        pytest.raises(RunError, match="a worker process died"),
    ):
        score_texts(workers, texts, store, "toy")
    with ScoreStore(tmp_path, "p", {}) as store:
        assert all(len(key) == 32 for key in store._pieces)
