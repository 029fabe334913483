"""The closed forms against what they stand for, computed pair by pair."""

import numpy as np
import pytest
from numpy.typing import NDArray
from RQ3_density import diversity as module
from RQ3_density.diversity import (
    centre,
    diversity,
    mean_pairwise_cosine,
    neighbour_distances,
    principal_plane,
    spread,
    vendi_score,
)


def unit(count: int, dimension: int, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(0.3, 1, (count, dimension))
    result: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return result


def cosines(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """All pairs, NaN where a row meets itself."""
    wide = vectors.astype(np.float64)
    result: NDArray[np.float64] = wide @ wide.T
    np.fill_diagonal(result, np.nan)
    return result


def test_diversity_is_one_minus_the_mean_cosine_with_all_others() -> None:
    vectors = unit(2000, 96)
    expected = 1 - np.nanmean(cosines(vectors), axis=1)
    assert diversity(vectors, np.arange(2000)) == pytest.approx(expected, abs=1e-6)


def test_rows_choose_who_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(50, 8)
    vectors[7] = np.nan
    rows = np.delete(np.arange(50), 7)
    whole = diversity(vectors, rows)
    assert whole == pytest.approx(1 - np.nanmean(cosines(vectors[rows]), axis=1), abs=1e-6)
    monkeypatch.setattr(module, "BLOCK", 3)
    assert diversity(vectors, rows) == pytest.approx(whole, abs=1e-12)


def test_hand_computed() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    rows = np.arange(3)
    assert diversity(vectors, rows).tolist() == [0.5, 0.5, 1.0]
    assert mean_pairwise_cosine(vectors, rows) == pytest.approx(1 / 3)
    assert neighbour_distances(vectors, rows, rows).tolist() == [0, 0, 1]
    # eigenvalues of K / 3 are 2/3 and 1/3
    assert vendi_score(vectors, rows) == pytest.approx(np.exp(-(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3))))
    assert vendi_score(np.eye(4, dtype=np.float32), np.arange(4)) == pytest.approx(4)
    assert vendi_score(np.ones((5, 1), dtype=np.float32), np.arange(5)) == pytest.approx(1)


@pytest.mark.parametrize("block", [7, 2048])
def test_neighbours_and_pairs_against_all_pairs(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    vectors, rows = unit(60, 6), np.arange(0, 60, 2)
    pairs = cosines(vectors[rows])
    assert neighbour_distances(vectors, rows, rows[3:9]) == pytest.approx(1 - np.nanmax(pairs, axis=1)[3:9], abs=1e-6)
    assert mean_pairwise_cosine(vectors, rows) == pytest.approx(np.nanmean(pairs), abs=1e-7)


def test_the_centred_vendi_score_is_that_of_directions_from_the_centre() -> None:
    vectors, rows = unit(90, 7) + np.float32(0.5), np.arange(5, 85)  # all have a direction in common
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    middle = centre(vectors, rows)
    assert middle == pytest.approx(vectors[rows].astype(np.float64).mean(axis=0))
    moved = vectors[rows].astype(np.float64) - middle
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(moved @ moved.T / len(rows))
    values = values[values > 1e-12]
    expected = np.exp(-(values * np.log(values)).sum())
    found = spread(vectors, rows, middle)
    assert found.centred_vendi_score == pytest.approx(expected)
    assert found.vendi_score < found.centred_vendi_score
    assert vendi_score(np.ones((3, 2), dtype=np.float32), np.arange(3), np.ones(2)) == pytest.approx(
        1
    )  # no direction at all


def test_large_groups_ask_a_sample_for_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT_NEIGHBOURS", 1000)
    monkeypatch.setattr(module, "NEIGHBOUR_SAMPLE", 400)
    vectors, rows = unit(1200, 12), np.arange(1200)
    found = spread(vectors, rows, centre(vectors, rows), 100)
    assert (found.neighbours_of, found.vendi_sample) == (400, 100)
    exact = float(np.mean(neighbour_distances(vectors, rows, rows)))
    assert found.mean_neighbour_distance == pytest.approx(exact, rel=0.05)
    assert spread(vectors, rows, centre(vectors, rows), 100) == found


def test_the_plane_is_that_of_the_singular_vectors() -> None:
    vectors, rows = unit(200, 10), np.arange(20, 200)
    points, shares = principal_plane(vectors, rows)
    centred = vectors[rows] - vectors[rows].mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(points) == pytest.approx(np.abs(centred @ directions[:2].T), abs=1e-5)
    assert shares == pytest.approx(values[:2] ** 2 / (values**2).sum(), abs=1e-6)
