import os
import subprocess
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path

import pytest
from seedkit import stage
from seedkit.errors import RunError
from seedkit.score_store import Score, ScoreStore
from seedkit.stage import Workers, score_texts


class Length:
    """A toy stage: the score of a text is its length. On a device that is not "cpu" a worker loads no torch."""

    calls: list[list[str]] = []

    def __init__(self, *, device: str) -> None:
        self.device = device

    def __call__(self, texts: list[str]) -> list[Score]:
        self.calls.append(texts)
        if "die" in texts:
            os._exit(9)
        return [Score(float(len(text))) for text in texts]


class Pairs(Length):
    """Computes two texts at a time; what it gives depends on which two."""

    calls: list[list[str]] = []

    def batches(self, texts: list[str]) -> list[list[int]]:
        return [list(range(start, min(start + 2, len(texts)))) for start in range(0, len(texts), 2)]

    def __call__(self, texts: list[str]) -> list[Score]:
        assert len(texts) <= 2
        super().__call__(texts)
        if "raise" in texts:
            raise RunError("stopped")
        return [Score(float(sum(map(len, texts)))) for _ in texts]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 3)
    Length.calls = []
    Pairs.calls = []


TEXTS = ["a", "bb", "a", "", "cccc", "dd", "eeeee", "ff", "ggg"]


def test_scores_come_back_in_order_and_equal_texts_are_scored_once(tmp_path: Path) -> None:
    with Workers(Length, ["toy"]) as workers, ScoreStore(tmp_path, "p", {}) as store:
        scores, computed = score_texts(workers, TEXTS, store, "toy")
    assert [score.value for score in scores] == list(map(len, TEXTS))
    assert computed == len(set(TEXTS)) == sum(map(len, Length.calls))
    assert [len(call) for call in Length.calls] == [3, 3, 2]
    assert Length.calls[0] == ["eeeee", "cccc", "ggg"]  # longest first


def test_a_resumed_run_redoes_whole_chunks_only(tmp_path: Path) -> None:
    with Workers(Length, ["toy"]) as workers, ScoreStore(tmp_path, "p", {}) as store:
        score_texts(workers, TEXTS, store, "toy")
        first = list(Length.calls)
        lines = store.path.read_bytes().splitlines(keepends=True)
    store.path.write_bytes(b"".join(lines[: 1 + 3 + 1]))  # the second chunk was torn
    Length.calls = []
    with Workers(Length, ["toy"]) as workers, ScoreStore(tmp_path, "p", {}) as store:
        scores, computed = score_texts(workers, TEXTS, store, "toy")
    assert Length.calls == first[1:]
    assert computed == 5
    assert [score.value for score in scores] == list(map(len, TEXTS))
    Length.calls = []
    with Workers(Length, ["toy"]) as workers, ScoreStore(tmp_path, "p", {}) as store:
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
        Workers(Length, ["toy"], isolate=True) as workers,
        ScoreStore(tmp_path, "p", {}) as store,
        pytest.raises(RunError, match="a worker process died"),
    ):
        score_texts(workers, texts, store, "toy")
    with ScoreStore(tmp_path, "p", {}) as store:
        assert all(len(key) == 32 for key in store._pieces)


def test_a_model_is_freed_before_the_next_one_loads() -> None:
    made: list[weakref.ref[Length]] = []

    class Knotted(Length):
        """Refers to itself, as models with hooks do."""

        def __init__(self, *, device: str) -> None:
            self.itself = self
            made.append(weakref.ref(self))

    with Workers(Knotted, ["toy"]) as workers:
        assert [number for number, _ in workers.map([["a"]])] == [0]
        assert made[0]() is not None
    assert made[0]() is None


LONG = [letter * length for length, letter in enumerate("abcdefghijk", 10)]


def scored(folder: Path, texts: list[str], devices: Sequence[str] = ("toy",)) -> tuple[list[float | None], int]:
    with Workers(Pairs, devices) as workers, ScoreStore(folder, "p", {}) as store:
        scores, computed = score_texts(workers, texts, store, "toy")
    return [score.value for score in scores], computed


@pytest.mark.parametrize("write_s", [0.0, 1000.0])
@pytest.mark.parametrize("devices", [["toy"], ["toy", "toy"]])
def test_finished_batches_are_kept_and_the_others_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_s: float, devices: list[str]
) -> None:
    monkeypatch.setattr(stage, "CHUNK", 100)  # all texts are one chunk
    monkeypatch.setattr(stage, "WRITE_S", write_s)
    whole, computed = scored(tmp_path / "whole", [*LONG, "x" * 5])
    assert computed == 12
    assert [len(call) for call in Pairs.calls] == [2] * 6
    with pytest.raises(RunError, match="stopped"):
        scored(tmp_path / "cut", [*LONG, "raise"])  # in the last batch
    again, computed = scored(tmp_path / "cut", [*LONG, "x" * 5], devices)
    assert computed == 2  # the ten that were kept are not computed again
    assert again == whole


def test_the_store_is_written_when_time_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 100)
    written: dict[float, list[int]] = {}
    for write_s in (0.0, 1000.0):
        monkeypatch.setattr(stage, "WRITE_S", write_s)
        sizes = written[write_s] = []
        with ScoreStore(tmp_path / str(write_s), "p", {}) as store:
            add = store.add
            monkeypatch.setattr(
                store, "add", lambda keys, scores, add=add, sizes=sizes: (sizes.append(len(keys)), add(keys, scores))
            )
            with Workers(Pairs, ["toy"]) as workers:
                score_texts(workers, LONG, store, "toy")
    assert written == {0.0: [2, 2, 2, 2, 2, 1], 1000.0: [11]}
    first, second = (next((tmp_path / folder).iterdir()).read_bytes() for folder in ("0.0", "1000.0"))
    assert first == second


def test_a_killed_process_keeps_what_was_written(tmp_path: Path) -> None:
    code = f"""
import os, sys
sys.path[:0] = {[str(Path(__file__).parent)]!r}
from pathlib import Path
from seedkit import stage
from seedkit.score_store import ScoreStore
from test_stage import LONG, Pairs
stage.WRITE_S = 0
with stage.Workers(Pairs, ["toy"]) as workers, ScoreStore(Path({str(tmp_path)!r}), "p", {{}}) as store:
    stage.score_texts(workers, [*LONG, "die"], store, "toy")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 9, done.stderr
    (path,) = tmp_path.iterdir()
    assert path.read_bytes().count(b"\n") == 1 + 10  # the identity, and five batches of an unfinished chunk
