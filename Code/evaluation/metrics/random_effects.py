"""How far a mean over runs and problems may be off, when both are a sample of those that could have been drawn.

A run is a student: a training with its own seed or draw of the data. All runs answer the same problems, so runs and problems
are crossed. A run that went well did so on all problems together, which no interval over problems alone can see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import numpy.typing as npt
from seedkit.errors import InputError

Floats = npt.NDArray[np.float64]
Strata = Sequence[Floats]  # tables (runs, problems) of the same runs on different problems; a mean is the sum of theirs


@dataclass(frozen=True, slots=True)
class EstimatedVariance:
    """The variance of a mean over runs and problems, its Satterthwaite degrees of freedom, and the part of it due to runs."""

    value: float
    df: float
    runs: float  # at least 0

    def quantile(self, level: float) -> float:
        """Student's t: a number of this distribution lies between -t and t with the chance `level`."""
        from scipy.special import stdtrit

        return float(stdtrit(self.df, (1 + level) / 2))

    def p(self, mean: float) -> float:
        """The two-sided p-value of `mean` where its expectation is 0."""
        from scipy.special import stdtr

        return float(2 * stdtr(self.df, -abs(mean) / sqrt(self.value)))


def estimated_variance(
    problems: Sequence[tuple[float, int]],
    subsets: Sequence[Strata],
    *,
    factor: float | None = None,
    share: float = 1.0,
) -> EstimatedVariance:
    """The variance of a mean, or of a difference of two subsets' means, over runs and problems.

    The rate of run r of subset s on problem j is  mu_s + problem_j + (subset x problem)_sj + run_r + error_rj,  where all but
    mu are random, independent, and have the same variance in every subset. With A_r the mean of run r over n problems,
    k_s runs of subset s, and f = sum over s of (k_s - 1),

        variance = P + C max(S - E, 0),    C = sum over s of 1 / k_s

    P: the variance over problems of what is averaged (of a difference: of the problems' differences of means over runs),
        divided by n, n - 1 degrees of freedom; it holds the error of the runs at hand
    S: the variance of A_r within the subsets, pooled, f degrees of freedom; its expectation is var(run) + var(error) / n
    E: the mean square of the error (run x problem within the subsets) divided by n, f (n - 1) degrees of freedom

    For two subsets of k runs this is 2 / (nk) [MS_subset:problem + max(MS_run - MS_error, 0)]. With different k_s it is
    unbiased as well, before the cut at 0. The degrees of freedom are Satterthwaite's (1946), Biometrics Bulletin 2:

        df = variance^2 / (P^2 / (n - 1) + (C S)^2 / f + (C E)^2 / (f (n - 1)))

    with the first term alone where S <= E. Several strata of problems add up in P and E, each with its own n.

    Args:
        problems: P and n of each stratum.
        subsets: the strata of each subset; a sum of means is what is measured, so weights are in the tables. There may be more
            subsets than are compared, which say how runs vary.
        factor: C, where it is not the sum over these subsets.
        share: of the degrees of freedom of runs, f, what is left where the tables have lost a mean that they shared.
    """
    f = share * sum(len(strata[0]) - 1 for strata in subsets)
    variance = sum(part for part, _ in problems)
    squares = sum(part * part / max(n - 1, 1) for part, n in problems)
    between = error = 0.0
    errors = [0.0] * len(problems)
    if f:
        factor = sum(1 / len(strata[0]) for strata in subsets) if factor is None else factor
        for strata in subsets:
            each = sum((table.mean(axis=1) for table in strata), np.zeros(len(strata[0])))
            between += float(np.square(each - each.mean()).sum())
            for at, table in enumerate(strata):
                rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
                errors[at] += float(np.square(rest).sum())
        between *= factor / f
        sizes = [(f * max(n - 1, 1), n) for _, n in problems]
        errors = [factor * total / (df * n) for total, (df, n) in zip(errors, sizes, strict=True)]
        error = sum(errors)
        if between > error:
            squares += between**2 / f + sum(one**2 / df for one, (df, _) in zip(errors, sizes, strict=True))
    runs = max(between - error, 0.0)
    variance += runs
    return EstimatedVariance(variance, variance**2 / squares if squares else inf, runs)


def checked_rates(rates: npt.ArrayLike, most: float = 1.0) -> Floats:
    """`rates` as float64 of shape (runs, problems), from 0 to `most`.

    Raises:
        InputError: there is no run or no problem.
    """
    table = np.asarray(rates, dtype=np.float64)
    if table.ndim != 2 or not ((table >= 0) & (table <= most)).all():
        raise ValueError(f"expected numbers from 0 to {most:g} of shape (runs, problems), got shape {table.shape}")
    if not table.size:
        raise InputError(f"rates: expected at least one run and one problem, got {table.shape[0]} and {table.shape[1]}")
    return table
