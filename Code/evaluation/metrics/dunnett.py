"""Several subsets against one baseline: intervals and p that hold for all of them together (Dunnett 1955, JASA 50)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.comparison import Difference, ends
from evaluation.metrics.intervals import LEVEL, Interval


@dataclass(frozen=True, slots=True)
class Simultaneous:
    """Of one difference among several from the same baseline."""

    p: float  # adjusted: the chance that some difference of equal subsets is as clear as this one
    interval: Interval  # with the chance LEVEL all intervals hold their truths


def dunnett(found: Sequence[Difference], runs: Sequence[int], baseline_runs: int) -> list[Simultaneous | None]:
    """Each difference from the baseline, adjusted for the others; None for one without a p.

    The differences have a multivariate t distribution: they share the baseline's runs and answers, so that two of them have the
    correlation l_i l_j, l_i = sqrt(k_i / (k_0 + k_i)) for k_i runs of subset i and k_0 of the baseline, as in Dunnett (1964),
    Biometrics 20; 1/2 with as many runs each. Degrees of freedom are those of the difference that has the fewest, which is on
    the safe side. scipy integrates the distribution to about 1e-4; p is kept between that of the difference alone and
    Bonferroni's.

    Args:
        found: the difference of each subset from the baseline.
        runs: of each subset.
    """
    from scipy.optimize import brentq
    from scipy.stats import multivariate_t, t

    tested = [(one, k) for one, k in zip(found, runs, strict=True) if one.p is not None and one.standard_error]
    if not tested:
        return [None] * len(found)
    size, df = len(tested), min(one.df or 1.0 for one, _ in tested)
    shares = np.sqrt([k / (baseline_runs + k) for _, k in tested])
    correlation = np.outer(shares, shares)
    np.fill_diagonal(correlation, 1.0)
    together = multivariate_t(shape=correlation, df=df)

    def beyond(limit: float) -> float:
        """The chance that one difference or more of equal subsets is so many standard errors from 0."""
        if size == 1:
            return float(2 * t.sf(limit, df))
        limits = np.full(size, limit)
        # a generator of its own each time, so that the same figures come out of the same tables
        return 1 - float(together.cdf(limits, lower_limit=-limits, random_state=np.random.default_rng(0)))

    alone, at_most = t.isf((1 - LEVEL) / 2, df), t.isf((1 - LEVEL) / 2 / size, df)
    quantile = (
        alone if size == 1 else brentq(lambda limit: beyond(limit) - (1 - LEVEL), alone, 1.01 * at_most, xtol=1e-3)
    )
    adjusted: list[Simultaneous | None] = []
    for one in found:
        if one.p is None or not one.standard_error:
            adjusted.append(None)
            continue
        p = min(1.0, size * one.p, max(one.p, beyond(abs(one.estimate) / one.standard_error)))
        adjusted.append(Simultaneous(p, ends(one, float(quantile))))
    return adjusted
