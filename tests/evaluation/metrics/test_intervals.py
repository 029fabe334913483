"""Intervals against scipy, published figures and simulations, and what they say where all problems are alike."""

from math import sqrt

import numpy as np
import pytest
from evaluation.metrics.intervals import mean_interval, score_interval
from scipy.stats import binom, binomtest, norm, t
from seedkit.errors import InputError
from simulated_studies import Study, score_coverage

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
    assert covered / 300 >= 0.93


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


def test_what_runs_add_by_hand() -> None:
    """Four problems, runs of 1, 3/4 and 1/2."""
    rates = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0]], dtype=float)
    z = float(norm.ppf(0.975))
    values, pseudo = np.array([1, 1, 2 / 3, 1 / 3]), z * z / 2
    q = (3 + pseudo) / (4 + 2 * pseudo)
    problems = ((values**2).sum() + pseudo) / (4 + 2 * pseudo) / 4 - q * q / 4
    runs = 1 / 16 / 3  # the variance of 1, 3/4, 1/2, over three
    rest = rates - values - np.array([[1], [3 / 4], [1 / 2]]) + 3 / 4
    error = (rest**2).sum() / (2 * 3) / (3 * 4)
    variance = problems + runs - error
    df = variance**2 / (problems**2 / 3 + runs**2 / 2 + error**2 / 6)
    n = q * (1 - q) / variance * (z / t.ppf(0.975, df)) ** 2
    middle, half = 0.75 + z * z / (2 * n), z * sqrt(0.75 * 0.25 / n + z * z / (4 * n * n))
    one = score_interval([rates], [1.0])
    assert (one.low, one.high) == pytest.approx([(middle + sign * half) / (1 + z * z / n) for sign in (-1, 1)])


@pytest.mark.parametrize(
    ("study", "fewest"),
    [
        (Study(0.02, 164, (3, 1), 0.005), 0.93),
        (Study(0.05, 591, (3, 1), 0.01), 0.93),
        (Study(0.40, 591, (3, 1), 0.02), 0.93),
        (Study(0.98, 164, (3, 1), samples=4), 0.93),
        (Study(0.05, 591, (5, 1), 0.02), 0.93),
    ],
    ids=str,
)
def test_of_several_runs_it_holds_the_mean_over_runs_and_problems(study: Study, fewest: float) -> None:
    """Over problems alone, runs that vary by 2 points of 5 left 80% of these."""
    assert score_coverage(study, 400) >= fewest - 2.5 * sqrt(0.07 * 0.93 / 400)


def test_tables_add_up() -> None:
    """Two halves of the same size as one table; the spread within a half is all that counts."""
    rng = np.random.default_rng(4)
    rates = (rng.random((3, 200)) < 0.4).astype(float)
    whole, halves = score_interval([rates], [1.0]), score_interval([rates[:, :100], rates[:, 100:]], [0.5, 0.5])
    assert (halves.low, halves.high) == pytest.approx((whole.low, whole.high), abs=0.005)


def test_levels() -> None:
    half, most = mean_interval(singles(8, 20), level=0.5), mean_interval(singles(8, 20))
    assert most.low < half.low < 0.4 < half.high < most.high


def test_what_has_no_interval() -> None:
    with pytest.raises(InputError, match="at least one run and one problem, got 1 and 0"):
        mean_interval([])
    with pytest.raises(ValueError, match="from 0 to 1"):
        mean_interval([0.5, float("nan")])
    with pytest.raises(ValueError, match="shape"):
        mean_interval([[0.5]])
    with pytest.raises(ValueError, match="from 0 to 1"):
        mean_interval([-0.5])
