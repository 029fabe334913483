import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedkit.subsets import in_tertiles, matched_tertiles, mixed, shuffled, unshuffled

numbers = st.lists(st.one_of(st.integers(0, 3).map(float), st.floats(-1e9, 1e9)), min_size=3, max_size=200)


@given(numbers)
def test_tertiles_are_complete_sized_ordered_and_stable(values: list[float]) -> None:
    array = np.array(values)
    found = in_tertiles(array)
    n = len(values)
    assert [int((found == k).sum()) for k in (1, 2, 3)] == [n // 3, n // 3, n - 2 * (n // 3)]
    for low, high in ((1, 2), (2, 3)):
        assert array[found == low].max() <= array[found == high].min()
    for value in set(values):  # of equal values the earlier ones are in the lower tertile
        assert (np.diff(found[array == value]) >= 0).all()
    # they depend on the order of the values, not on their size
    ranks = np.unique(array, return_inverse=True)[1].astype(float)
    assert (in_tertiles(ranks) == found).all()


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [1.0, 2.0, float("nan")], [1.0, 2.0, float("inf")]])
def test_what_cannot_be_split(values: list[float]) -> None:
    with pytest.raises(ValueError, match="three or more finite values"):
        in_tertiles(np.array(values))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 9), st.data())
def test_mixes_are_exact_nested_and_depend_on_their_key_alone(
    first: int, second: int, seed: int, data: st.DataObject
) -> None:
    decks = [shuffled(first, seed, 1, 0), shuffled(second, seed, 1, 1)]
    small = [data.draw(st.integers(0, size)) for size in (first, second)]
    large = [data.draw(st.integers(count, size)) for count, size in zip(small, (first, second), strict=True)]
    drawn = [[tuple(pair) for pair in mixed(decks, counts).tolist()] for counts in (small, large)]
    for pairs, counts in zip(drawn, (small, large), strict=True):
        assert [sum(which == deck for which, _ in pairs) for deck in (0, 1)] == counts
        assert len(set(pairs)) == len(pairs)
    kept = set(drawn[0])
    assert [pair for pair in drawn[1] if pair in kept] == drawn[0]  # nested, and in the same order
    again = shuffled(first, seed, 1, 0)
    assert (again.order == decks[0].order).all()
    assert (again.key == decks[0].key).all()


def test_repeats_pools_and_seeds_differ() -> None:
    orders = {tuple(shuffled(50, *key).order.tolist()) for key in ((0, 1, 0), (0, 2, 0), (1, 1, 0), (0, 1, 1))}
    assert len(orders) == 4


def test_no_more_can_be_drawn_than_there_is() -> None:
    with pytest.raises(ValueError, match="4 records cannot be drawn from 3"):
        mixed([shuffled(3, 0)], [4])


def test_unshuffled_decks_keep_the_inputs_order_one_after_the_other() -> None:
    decks = [unshuffled(3, 0), unshuffled(0, 1), unshuffled(2, 2)]
    assert mixed(decks, [2, 0, 2]).tolist() == [[0, 0], [0, 1], [2, 0], [2, 1]]


def test_matched_tertiles_are_those_of_each_bin() -> None:
    pick = np.random.default_rng(3)
    lengths = pick.integers(1, 1000, 3000)
    values = lengths / 1000 + pick.normal(0, 0.3, 3000)
    plain, matched = in_tertiles(values), matched_tertiles(values, lengths, 20)
    assert np.bincount(matched).tolist() == np.bincount(plain).tolist()
    means = [[lengths[found == tertile].mean() for tertile in (1, 2, 3)] for found in (plain, matched)]
    assert max(means[0]) / min(means[0]) > 2
    assert max(means[1]) / min(means[1]) < 1.02
    assert values[matched == 1].mean() + 0.3 < values[matched == 3].mean()
    order = np.argsort(lengths, kind="stable")
    for members in np.array_split(order, 20):  # of 150 records each
        assert matched[np.sort(members)].tolist() == in_tertiles(values[np.sort(members)]).tolist()


@pytest.mark.parametrize("size", [3, 4, 5, 59, 60, 61, 62, 100])
def test_matched_tertiles_have_the_sizes_of_tertiles(size: int) -> None:
    values = np.random.default_rng(size).random(size)
    matched = matched_tertiles(values, np.arange(size)[::-1].copy(), 20)
    assert np.bincount(matched).tolist() == np.bincount(in_tertiles(values)).tolist()
    assert matched_tertiles(values, np.arange(size), 1).tolist() == in_tertiles(values).tolist()
