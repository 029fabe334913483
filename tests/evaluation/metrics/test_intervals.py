"""Intervals against scipy, published figures and simulations, and what they say where all problems are alike."""

from math import sqrt

import numpy as np
import pytest
from evaluation.metrics.intervals import difference_interval, mean_interval
from scipy.stats import binom, binomtest
from seedkit.errors import InputError

SHARES = np.linspace(0.02, 0.98, 97)  # of problems that are solved


def singles(solved: int, problems: int) -> list[int]:
    """One sample a problem."""
    return [1] * solved + [0] * (problems - solved)


@pytest.mark.parametrize("problems", [1, 2, 5, 20, 164])
def test_one_sample_a_problem_is_wilsons_interval(problems: int) -> None:
    for solved in range(problems + 1):
        theirs = binomtest(solved, problems).proportion_ci(0.95, method="wilson")
        ours = mean_interval(singles(solved, problems))
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_none_and_all_of_five_are_not_certain() -> None:
    none, both = mean_interval(singles(0, 5)), mean_interval(singles(5, 5))
    assert (none.low, both.high) == (0.0, 1.0)
    assert (none.high, both.low) == pytest.approx((0.4345, 0.5655), abs=1e-4)
    # ten samples of each of the five say no more about a sixth problem
    assert mean_interval([0.0] * 5) == none


def test_of_164_problems_it_holds_the_true_share_in_93_percent_or_more() -> None:
    found = [mean_interval(singles(solved, 164)) for solved in range(165)]
    for share in SHARES:
        chances = binom.pmf(range(165), 164, share)
        covered = sum(chance for one, chance in zip(found, chances, strict=True) if one.low <= share <= one.high)
        assert covered >= 0.93, share


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("alike", [0.3, 2.0, 50.0])
@pytest.mark.parametrize("samples", [3, 10])
def test_of_several_samples_it_holds_the_mean_over_problems(samples: int, alike: float, share: float) -> None:
    """Problems of which a share Beta(alike * share, alike * (1 - share)) of the samples passes."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        rates = rng.binomial(samples, rng.beta(alike * share, alike * (1 - share), size=164)) / samples
        one = mean_interval(rates)
        covered += one.low <= share <= one.high
    assert covered / 300 >= 0.92


def test_several_samples_narrow_it_and_never_widen_it() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        rates = rng.binomial(10, rng.random(30)) / 10
        one = mean_interval(rates)
        theirs = binomtest(round(float(rates.sum())), 30).proportion_ci(0.95, method="wilson")
        assert one.low <= rates.mean() <= one.high
        assert one.high - one.low < theirs.high - theirs.low
    # one of 1,640 samples that passes changes next to nothing against none
    none, lone = mean_interval([0.0] * 164), mean_interval([0.1] + [0.0] * 163)
    assert 0 < lone.low < 0.001 and lone.high > none.high


def test_values_without_spread_have_an_interval() -> None:
    one = mean_interval([0.25] * 30)
    assert one.low < 0.25 < one.high and 0.05 < one.high - one.low < 0.3
    assert mean_interval([0.25]).high - mean_interval([0.25]).low > 0.5


def wald(plus: int, minus: int, problems: int) -> tuple[float, float]:
    """Bonett and Price (2012), equation 2: one more of each kind of discordant problem, in two problems more."""
    n = problems + 2
    p, q = (plus + 1) / n, (minus + 1) / n
    half = 1.959963984540054 * sqrt((p + q - (p - q) ** 2) / n)
    return max(-1.0, p - q - half), min(1.0, p - q + half)


@pytest.mark.parametrize(("plus", "minus", "problems"), [(0, 0, 5), (3, 0, 3), (0, 5, 5), (9, 4, 40), (164, 0, 164)])
def test_one_sample_a_problem_is_the_interval_of_bonett_and_price(plus: int, minus: int, problems: int) -> None:
    values = [1] * plus + [-1] * minus + [0] * (problems - plus - minus)
    one = difference_interval(values)
    assert (one.low, one.high) == pytest.approx(wald(plus, minus, problems), abs=1e-12)
    assert one.low <= np.mean(values) <= one.high


def test_no_difference_in_five_problems_is_not_certain() -> None:
    one = difference_interval([0] * 5)
    assert (one.low, one.high) == pytest.approx((-0.396, 0.396), abs=1e-3)


@pytest.mark.parametrize("problems", [20, 164])
@pytest.mark.parametrize(
    ("worse", "better"), [(0.0, 0.0), (0.02, 0.02), (0.0, 0.05), (0.1, 0.3), (0.3, 0.3), (0.01, 0.9)]
)
def test_it_holds_the_true_difference(problems: int, worse: float, better: float) -> None:
    rng = np.random.default_rng(0)
    drawn = rng.random((500, problems))
    differences = (drawn < better).astype(int) - (drawn > 1 - worse)
    found = [difference_interval(row) for row in differences]
    assert sum(one.low <= better - worse <= one.high for one in found) / 500 >= 0.93


def test_levels() -> None:
    for interval in (mean_interval, difference_interval):
        half, most = interval(singles(8, 20), level=0.5), interval(singles(8, 20))
        assert most.low < half.low < 0.4 < half.high < most.high


def test_what_has_no_interval() -> None:
    for interval in (mean_interval, difference_interval):
        with pytest.raises(InputError, match="at least one problem"):
            interval([])
        with pytest.raises(ValueError, match="from"):
            interval([0.5, float("nan")])
        with pytest.raises(ValueError, match="shape"):
            interval([[0.5]])
    with pytest.raises(ValueError, match="from 0 to 1"):
        mean_interval([-0.5])
    assert difference_interval([-0.5]).low < 0
