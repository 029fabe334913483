"""Several subsets against one baseline: against scipy's own Dunnett test, and Bonferroni's bounds."""

import numpy as np
import pytest
from evaluation.metrics.comparison import Difference, difference, equivalent, interval_at
from evaluation.metrics.dunnett import dunnett
from scipy import stats
from simulated_studies import Study, WholeStudy, drawn, false_claims, false_claims_of_mixes


def test_of_one_way_samples_it_is_scipys() -> None:
    """Pooled variance and its degrees of freedom: Dunnett's own case, with as many of each and with more of the baseline."""
    rng = np.random.default_rng(1)
    for baseline_size in (6, 12):
        baseline, *others = (rng.normal(0.3, 0.1, size) for size in (baseline_size, 6, 6, 6))
        theirs = stats.dunnett(*others, control=baseline, random_state=0)
        groups = [baseline, *others]
        df = sum(map(len, groups)) - len(groups)
        pooled = sum(float(((one - one.mean()) ** 2).sum()) for one in groups) / df
        found = []
        for one in others:
            error = (pooled * (1 / len(one) + 1 / len(baseline))) ** 0.5
            estimate = float(one.mean() - baseline.mean())
            p = float(2 * stats.t.sf(abs(estimate) / error, df))
            found.append(Difference(estimate, None, p, df, None, error))
        ours = dunnett(found, [6] * 3, baseline_size)
        assert [one.p for one in ours if one] == pytest.approx(list(theirs.pvalue), abs=2e-3)
        ends = theirs.confidence_interval(0.95)
        assert [one.interval.low for one in ours if one] == pytest.approx(list(ends.low), abs=2e-3)
        assert [one.interval.high for one in ours if one] == pytest.approx(list(ends.high), abs=2e-3)


def test_it_lies_between_the_difference_alone_and_bonferroni() -> None:
    rng = np.random.default_rng(2)
    found = [difference(*drawn(Study(0.4, 164, (3, 3), 0.01, difference=shown), rng)) for shown in (0, 0.04, 0.15)]
    for one, adjusted in zip(found, dunnett(found, [3] * 3, 3), strict=True):
        assert adjusted and one.p is not None and one.interval
        assert one.p <= adjusted.p <= 3 * one.p
        assert adjusted.interval.low < one.interval.low and adjusted.interval.high > one.interval.high
    assert dunnett(found, [3] * 3, 3) == dunnett(found, [3] * 3, 3)
    # one alone is the t-test, and what has no p has no adjusted one
    untested = Difference(0.1)
    alone, none = dunnett([found[0], untested], [3, 1], 3)
    assert alone and alone.p == pytest.approx(found[0].p, rel=0.05) and none is None
    assert dunnett([untested], [1], 1) == [None]


@pytest.mark.parametrize(
    ("estimate", "error", "expected"),
    [(0.0, 0.02, True), (0.0, 0.04, False), (0.03, 0.02, False), (-0.04, 0.001, True), (0.06, 0.001, False)],
)
def test_equivalence_is_two_one_sided_tests(estimate: float, error: float, expected: bool) -> None:
    found = Difference(estimate, None, 0.5, 20.0, None, error)
    assert equivalent(found, 0.05) is expected
    p = max(stats.t.sf((estimate + 0.05) / error, 20), stats.t.cdf((estimate - 0.05) / error, 20))
    assert expected is bool(p < 0.05)


def test_what_is_not_tested_is_not_equivalent() -> None:
    assert not equivalent(difference([[1, 0]], [[1, 0]]), 0.9)
    assert interval_at(Difference(0.1), 0.9) is None


def test_subsets_a_margin_apart_are_seldom_called_equivalent() -> None:
    """5 points apart with a margin of 5: at most 5% of studies, and most studies of equal subsets are called so."""
    rng = np.random.default_rng(3)
    shares = []
    for shown in (0.05, 0.0):
        study = Study(0.4, 591, (5, 5), difference=shown)
        shares.append(np.mean([equivalent(difference(*drawn(study, rng)), 0.05) for _ in range(300)]))
    assert shares[0] <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5 and shares[1] > 0.8


def test_false_claims_in_a_whole_study() -> None:
    """Somewhere among 24 tests p is below 5% in half of all studies, p (Holm) in at most 5%."""
    each, corrected = false_claims(WholeStudy(0.05, 2, 0.02), 60)
    assert each > 0.3 and corrected <= 0.05 + 3 * (0.05 * 0.95 / 60) ** 0.5


@pytest.mark.heavy
@pytest.mark.parametrize("run_sd", [0.0, 0.02])
@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("base", [0.05, 0.40])
def test_the_family_of_a_study_of_all_questions(base: float, seeds: int, run_sd: float) -> None:
    """The corners of the table of evaluation/README.md with fewer studies, 300 and 60 a cell."""
    study = WholeStudy(base, seeds, run_sd)
    _, corrected = false_claims(study, 300, seed=1)
    assert corrected <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5
    mixes = false_claims_of_mixes(study, 60, seed=1)
    assert max(mixes.values()) <= 0.05 + 3 * (0.05 * 0.95 / 60) ** 0.5, mixes
