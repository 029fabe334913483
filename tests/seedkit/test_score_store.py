import math
from pathlib import Path

import pytest
from seedkit.errors import RunError
from seedkit.score_store import Score, ScoreStore, as_score, text_key

IDENTITY = {"model": "m", "dtype": "float32"}


def test_scores_survive_and_belong_to_one_identity(tmp_path: Path) -> None:
    key = text_key("text")
    with ScoreStore(tmp_path, "toy", IDENTITY) as store:
        assert key not in store
        store.add([key, text_key("other")], [Score(1.5), Score(None, "why")])
    with ScoreStore(tmp_path, "toy", IDENTITY) as store:
        assert store[key] == Score(1.5)
        assert store[text_key("other")] == Score(None, "why")
    with ScoreStore(tmp_path, "toy", {**IDENTITY, "dtype": "bfloat16"}) as store:
        assert len(store) == 0
    with ScoreStore(tmp_path, "toy", IDENTITY, resume=False) as store:
        assert len(store) == 0


def test_every_cut_of_the_file_is_survived(tmp_path: Path) -> None:
    with ScoreStore(tmp_path, "toy", IDENTITY) as store:
        path = store.path
        store.add(["a", "b", "c"], [Score(1.0), Score(2.0), Score(3.0)])
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with ScoreStore(tmp_path, "toy", IDENTITY) as store:
            kept = [key for key in "abc" if key in store]
            assert kept == list("abc")[: max(0, whole[:size].count(b"\n") - 1)]
            missing = [key for key in "abc" if key not in store]
            store.add(missing, [Score(float("abc".index(key) + 1)) for key in missing])
        assert path.read_bytes() == whole


def test_damage_in_the_middle_is_told(tmp_path: Path) -> None:
    with ScoreStore(tmp_path, "toy", IDENTITY) as store:
        path = store.path
        store.add(["a"], [Score(1.0)])
    path.write_bytes(path.read_bytes() + b"garbage\n")
    with pytest.raises(RunError, match=r":3: a damaged line .* --no-resume"):
        ScoreStore(tmp_path, "toy", IDENTITY)


@pytest.mark.parametrize(
    "row", ['"value":"1.5","reason":null', '"value":null,"reason":null', '"value":1.0,"reason":"r"']
)
def test_rows_that_are_no_scores_are_damage(tmp_path: Path, row: str) -> None:
    with ScoreStore(tmp_path, "toy", IDENTITY) as store:
        path = store.path
    path.write_bytes(path.read_bytes() + ('{"key":"k",' + row + "}\n").encode())
    with pytest.raises(RunError, match="damaged"):
        ScoreStore(tmp_path, "toy", IDENTITY)
    path.write_bytes(b'{"other":"identity"}\n')
    with pytest.raises(RunError, match=":1: a damaged line"):
        ScoreStore(tmp_path, "toy", IDENTITY)


def test_only_finite_numbers_are_scores() -> None:
    assert as_score(1 / 3) == Score(0.3333333)
    for value in (math.nan, math.inf):
        score = as_score(value)
        assert score.value is None
        assert "finite" in (score.reason or "")
