"""Farthest-point traversal against looking at all records before each choice, and the cover that it promises."""

import numpy as np
import pytest
from numpy.typing import NDArray
from RQ3_density import diversity, k_center
from RQ3_density.k_center import Traversal, farthest_first, third_in_parts


def unit(count: int, dimension: int, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    rows += np.float32(0.5)
    result: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


def one_by_one(rows: NDArray[np.float32], count: int) -> list[int]:
    """The same choices, all distances computed anew for each."""
    order = [int(np.round(rows.astype(np.float64) @ rows.mean(axis=0, dtype=np.float64), 6).argmax())]
    while len(order) < count:
        nearest = np.round(rows @ rows[order].T, 6).max(axis=1)
        nearest[order] = np.inf
        order.append(int(nearest.argmin()))
    return order


@pytest.mark.parametrize("candidates", [1, 4, 32, 1000])
def test_it_is_the_greedy_choice_whatever_is_looked_at_together(
    monkeypatch: pytest.MonkeyPatch, candidates: int
) -> None:
    monkeypatch.setattr(k_center, "CANDIDATES", candidates)
    monkeypatch.setattr(diversity, "BLOCK", 37)
    vectors = unit(200, 8, 1)
    vectors[[20, 30]] = vectors[10]  # the same text three times
    found = farthest_first(vectors, np.arange(200), 200)
    assert found.order[:190].tolist() == one_by_one(vectors, 190)
    assert sorted(found.order.tolist()) == list(range(200))
    assert (np.diff(found.distance[found.order]) <= 0).all()
    assert sorted(found.distance[[10, 20, 30]])[:2] == [0, 0]


def test_those_taken_first_cover_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(k_center, "CANDIDATES", 16)
    vectors = np.concatenate([np.full((3, 5), np.nan, dtype=np.float32), unit(300, 5, 2)])
    rows = np.arange(3, 303)
    found = farthest_first(vectors, rows, 100)
    assert len(set(found.order.tolist())) == 100
    taken = vectors[rows[found.order]]
    nearest = 1 - (vectors[rows] @ taken.T).max(axis=1)
    others = np.setdiff1d(np.arange(300), found.order)
    assert found.distance[others] == pytest.approx(nearest[others], abs=2e-6)
    assert found.distance[others].max() <= found.distance[found.order].min()
    drawn = np.random.default_rng(1).choice(300, 100, replace=False)
    assert nearest.max() < (1 - (vectors[rows] @ vectors[rows[drawn]].T).max(axis=1)).max()


def test_one_record_and_records_all_alike() -> None:
    alike = np.tile(unit(1, 4, 3), (9, 1))
    assert farthest_first(alike, np.arange(9), 3).order.tolist() == [0, 1, 2]
    assert farthest_first(alike, np.arange(9), 9).distance.tolist() == [0] * 9
    assert farthest_first(alike, np.arange(1), 1).order.tolist() == [0]


def test_a_third_in_parts_is_a_third_of_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.concatenate([np.full((3, 8), np.nan, dtype=np.float32), unit(401, 8, 4)])
    rows = np.arange(3, 404)
    whole, parts = third_in_parts(vectors, rows)
    assert parts == 1
    assert whole.tolist() == sorted(rows[farthest_first(vectors, rows, 133).order].tolist())

    searched = []

    def traversed(vectors: NDArray[np.float32], own: NDArray[np.int64], count: int, label: str = "") -> Traversal:
        searched.append(own)
        return farthest_first(vectors, own, count, label)

    monkeypatch.setattr(k_center, "PART", 100)
    monkeypatch.setattr(k_center, "farthest_first", traversed)
    third, parts = third_in_parts(vectors, rows)
    assert parts == 5 and len(third) == len(set(third.tolist())) == 133
    assert sorted(np.concatenate(searched).tolist()) == rows.tolist()
    assert {len(own) for own in searched} == {80, 81}  # so time grows with the number of records
    middle = diversity.centre(vectors, rows)
    drawn = np.random.default_rng(1).choice(rows, 133, replace=False)
    apart = [
        diversity.spread(vectors, np.sort(group), middle).mean_neighbour_distance for group in (drawn, third, whole)
    ]
    assert apart == sorted(apart)
