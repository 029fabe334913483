import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedkit.subsets import tertiles

numbers = st.lists(st.one_of(st.integers(0, 3).map(float), st.floats(-1e9, 1e9)), min_size=3, max_size=200)


@given(numbers)
def test_tertiles_are_complete_sized_ordered_and_stable(values: list[float]) -> None:
    array = np.array(values)
    thirds = tertiles(array)
    n = len(values)
    assert [int((thirds == k).sum()) for k in (1, 2, 3)] == [n // 3, n // 3, n - 2 * (n // 3)]
    for low, high in ((1, 2), (2, 3)):
        assert array[thirds == low].max() <= array[thirds == high].min()
    for value in set(values):  # among equals, the earlier ones are in the lower third
        assert (np.diff(thirds[array == value]) >= 0).all()
    # they depend on the order of the values, not on their size
    ranks = np.unique(array, return_inverse=True)[1].astype(float)
    assert (tertiles(ranks) == thirds).all()


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [1.0, 2.0, float("nan")], [1.0, 2.0, float("inf")]])
def test_what_cannot_be_split(values: list[float]) -> None:
    with pytest.raises(ValueError, match="three or more finite values"):
        tertiles(np.array(values))
