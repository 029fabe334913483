"""Several subsets against one baseline: intervals and p that hold for all of them together (Dunnett 1955, JASA 50)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.comparison import Difference, ends
from evaluation.metrics.intervals import LEVEL, Interval
from evaluation.metrics.random_effects import Floats


@dataclass(frozen=True, slots=True)
class Simultaneous:
    """Of one difference among several from the same baseline."""

    p: float  # adjusted: the chance that some difference of equal subsets is as clear as this one
    interval: Interval  # with the chance LEVEL all intervals hold their truths


def dunnett(found: Sequence[Difference], runs: Sequence[int], baseline_runs: int) -> list[Simultaneous | None]:
    """Each difference from the baseline with its interval and p, adjusted for the others; None for one without a p.

    Args:
        found: the difference of each subset from the baseline.
        runs: of each subset.
    """
    from scipy.optimize import brentq
    from scipy.stats import t

    correlation, tail = _correlation(found, runs, baseline_runs), 1 - LEVEL
    adjusted: list[Simultaneous | None] = []
    for one, p in zip(found, adjusted_p(found, runs, baseline_runs), strict=True):
        if p is None or one.df is None:
            adjusted.append(None)
            continue
        df, size = one.df, len(correlation)
        quantile = t.isf(tail / 2, df)
        if size > 1:  # between that of one difference alone and Bonferroni's
            most = 1.01 * t.isf(tail / 2 / size, df)
            quantile = brentq(lambda limit, df=df: _beyond(limit, df, correlation) - tail, quantile, most, xtol=1e-3)
        adjusted.append(Simultaneous(p, ends(one, float(quantile))))
    return adjusted


def adjusted_p(found: Sequence[Difference], runs: Sequence[int], baseline_runs: int) -> list[float | None]:
    """The p of each difference, adjusted for the others: at least its own, at most Bonferroni's. Arguments as for `dunnett`.

    The differences have a multivariate t distribution: they share the baseline's runs and answers, so that two of them have the
    correlation l_i l_j, l_i = sqrt(k_i / (k_0 + k_i)) for k_i runs of subset i and k_0 of the baseline, as in Dunnett (1964),
    Biometrics 20; 1/2 with as many runs each. For each difference the degrees of freedom are its own. scipy integrates the
    distribution, to about 1e-4.
    """
    correlation = _correlation(found, runs, baseline_runs)
    adjusted: list[float | None] = []
    for one in found:
        if one.p is None or one.df is None or not one.standard_error:
            adjusted.append(None)
            continue
        beyond = _beyond(abs(one.estimate) / one.standard_error, one.df, correlation)
        adjusted.append(min(1.0, len(correlation) * one.p, max(one.p, beyond)))
    return adjusted


def _correlation(found: Sequence[Difference], runs: Sequence[int], baseline_runs: int) -> Floats:
    """Of the differences that have a p, shape (tested, tested)."""
    shares = np.sqrt([k / (baseline_runs + k) for one, k in zip(found, runs, strict=True) if one.p is not None])
    correlation = np.outer(shares, shares)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _beyond(limit: float, df: float, correlation: Floats) -> float:
    """The chance that one difference or more of equal subsets is so many standard errors from 0."""
    from scipy.stats import multivariate_t, t

    if len(correlation) == 1:
        return float(2 * t.sf(limit, df))
    limits = np.full(len(correlation), limit)
    # a generator of its own each time, so that the same figures come out of the same tables
    drawn = np.random.default_rng(0)
    inside = multivariate_t.cdf(limits, shape=correlation, df=df, lower_limit=-limits, random_state=drawn)
    return 1 - float(inside)
