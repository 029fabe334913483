"""Comparisons of two students, against values by hand and scipy."""

from math import comb

import numpy as np
import pytest
from evaluation.metrics.comparison import holm, mcnemar, paired_difference
from evaluation.metrics.intervals import difference_interval
from seedkit.errors import InputError


def results(both: int, first: int, second: int, neither: int) -> tuple[list[int], list[int]]:
    """Two students' results, from the four cells of the table."""
    return [1] * (both + first) + [0] * (second + neither), [1] * both + [0] * first + [1] * second + [0] * neither


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (3, 3, 1.0),
        (0, 5, 2 / 32),
        (5, 0, 2 / 32),
        (1, 7, 2 * 9 / 256),
        (10, 2, 2 * (1 + 12 + 66) / 4096),
    ],
)
def test_mcnemar_by_hand(first: int, second: int, p: float) -> None:
    result = mcnemar(*results(20, first, second, 30))
    assert (result.only_first, result.only_second) == (first, second)
    assert result.p == pytest.approx(p, rel=1e-12)


def test_mcnemar_is_the_tail_of_the_binomial() -> None:
    for b in range(12):
        for c in range(12):
            tail = sum(comb(b + c, i) for i in range(min(b, c) + 1)) / 2 ** (b + c)
            assert mcnemar(*results(3, b, c, 4)).p == pytest.approx(min(1, 2 * tail), rel=1e-12)


def test_mcnemar_of_several_samples_takes_the_majority() -> None:
    first = [2 / 3, 1 / 3, 0.5, 1.0, 0.0, 0.51]
    second = [1 / 3, 2 / 3, 1.0, 0.5, 0.49, 1.0]
    result = mcnemar(first, second)  # solved: 1 0 0 1 0 1 and 0 1 1 0 0 1
    assert (result.only_first, result.only_second, result.p) == (2, 2, 1.0)


def test_mcnemar_false_alarms_stay_below_the_level() -> None:
    rng = np.random.default_rng(0)
    alarms = sum(mcnemar(*(rng.random((2, 164)) < 0.4)).p <= 0.05 for _ in range(400))
    assert alarms / 400 <= 0.06


def test_difference_is_paired() -> None:
    rng = np.random.default_rng(0)
    hardness = rng.random(200)
    first, second = hardness * 0.9, hardness * 0.9 + 0.1
    result = paired_difference(first, second)
    assert result.estimate == pytest.approx(0.1)
    assert result.interval == difference_interval(second - first)
    assert 0.08 < result.interval.low < 0.1 < result.interval.high < 0.12  # apart, each is +- 0.04
    back = paired_difference(second, first)
    assert back.estimate == pytest.approx(-result.estimate)


def test_difference_of_single_samples() -> None:
    first, second = results(20, 6, 15, 30)
    result = paired_difference(first, second)
    assert result.estimate == pytest.approx(9 / 71)
    spread = np.std(np.subtract(second, first)) / np.sqrt(71) * 1.96
    assert (result.interval.low, result.interval.high) == pytest.approx((9 / 71 - spread, 9 / 71 + spread), abs=0.02)


def test_difference_agrees_with_scipys_bootstrap() -> None:
    from scipy.stats import bootstrap

    rng = np.random.default_rng(1)
    first, second = rng.random(1500), rng.random(1500)
    ours = paired_difference(first, second).interval
    theirs = bootstrap(
        (second - first,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.02, 0.021, 0.022], [0.06, 0.06, 0.06]),
        ([0.5, 0.9, 0.4], [1.0, 1.0, 1.0]),
        ([0.04, 0.01, 0.01], [0.04, 0.03, 0.03]),
        ([1.0, 0.0], [1.0, 0.0]),
    ],
)
def test_holm_by_hand(p: list[float], adjusted: list[float]) -> None:
    assert holm(p) == pytest.approx(adjusted)


def test_holm_is_the_step_down_procedure() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        p = list(rng.random(8) ** 3)
        adjusted = holm(p)
        for level in (0.01, 0.05, 0.2):
            rejected = set()
            for step, index in enumerate(np.argsort(p)):
                if p[index] > level / (len(p) - step):
                    break
                rejected.add(int(index))
            assert {i for i, value in enumerate(adjusted) if value <= level} == rejected
        assert all(a >= b for a, b in zip(adjusted, p, strict=True))


def test_what_cannot_be_compared() -> None:
    with pytest.raises(InputError, match="at least one problem"):
        mcnemar([], [])
    with pytest.raises(ValueError, match="shape"):
        paired_difference([1, 0], [1])
    with pytest.raises(ValueError, match="from 0 to 1"):
        mcnemar([2], [1])
    with pytest.raises(ValueError, match="p-values"):
        holm([0.5, float("nan")])
