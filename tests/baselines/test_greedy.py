import numpy as np
import pytest
from baselines.greedy import BLOCK, far_apart
from numpy.typing import NDArray

pytestmark = pytest.mark.usefixtures("one_thread")


def unit_vectors(count: int, dimension: int, clusters: int, seed: int = 0) -> NDArray[np.float32]:
    """Vectors around some centres, so that many are near to another; every tenth is a copy of an earlier one."""
    pick = np.random.default_rng(seed)
    centres = pick.normal(size=(clusters, dimension))
    vectors = centres[pick.integers(clusters, size=count)] + 0.35 * pick.normal(size=(count, dimension))
    vectors[9::10] = vectors[: len(vectors[9::10])]
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def one_at_a_time(vectors: NDArray[np.float32], order: NDArray[np.int64], size: int, distance: float) -> list[int]:
    taken: list[int] = []
    for row in order.tolist():
        wide = vectors[row].astype(np.float64)
        if len(taken) < size and all(1 - float(wide @ vectors[other]) >= distance for other in taken):
            taken.append(row)
    return taken


@pytest.mark.parametrize("distance", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("size", [60, 600, 2000])
def test_it_takes_what_a_comparison_one_by_one_takes(distance: float, size: int) -> None:
    vectors = unit_vectors(2000, 24, 90)
    order = np.random.default_rng(1).permutation(2000)
    expected = one_at_a_time(vectors, order, size, distance)
    found = far_apart(vectors, order, size, distance)
    assert found.rows.tolist() == expected
    assert len(expected) == size or found.looked_at == 2000


def test_blocks_that_follow_see_what_was_taken_before() -> None:
    vectors = unit_vectors(BLOCK + 700, 16, 300, seed=3)
    order = np.arange(len(vectors))[::-1].copy()
    found = far_apart(vectors, order, len(order), 0.15)
    assert found.rows.tolist() == one_at_a_time(vectors, order, len(order), 0.15)
    assert (found.rows < 600).any() and (found.rows > BLOCK).any()


def test_a_distance_that_float32_cannot_tell_from_the_limit_is_told_in_float64() -> None:
    pick = np.random.default_rng(5)
    base = pick.normal(size=64)
    base /= np.linalg.norm(base)
    side = pick.normal(size=(400, 64))
    side -= np.outer(side @ base, base)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    cosines = 0.9 + pick.normal(size=400) * 3e-8  # on both sides of the limit, nearer than rounding
    rest = cosines[:, None] * base + np.sqrt(1 - cosines**2)[:, None] * side
    vectors = np.concatenate([base[None], rest]).astype(np.float32)
    order = np.arange(401)
    found = far_apart(vectors, order, 401, 0.1).rows.tolist()
    assert found == one_at_a_time(vectors, order, 401, 0.1)
    assert 2 < len(found) < 401


def test_of_equal_vectors_one_is_taken_and_with_no_distance_all_others_too() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    assert far_apart(vectors, np.arange(12), 12, 0.1).rows.tolist() == [0, 4, 8]
    assert far_apart(vectors, np.arange(12), 12, 0.0).rows.tolist() == list(range(12))
    assert len(far_apart(vectors, np.arange(0), 3, 0.1).rows) == 0
