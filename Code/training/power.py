"""Before the GPUs: the smallest difference between two subsets that a study of so many runs and problems can see.

The assumptions are those under which the comparison of evaluation/metrics was simulated: a student solves a problem by a
latent probit, with a standard deviation of 1 for the error, PROBLEM_SD for the problems and SUBSET_SD for what a subset changes
on a problem, and every run has an effect of its own on all problems.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

PROBLEM_SD, SUBSET_SD = 2.5, 0.5
POWER, LEVEL = 0.80, 0.95
MOST_RUNS = 50  # that runs_needed looks at

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Design:
    """Two subsets, each of `runs` students, on the same problems, in a study that may have further such subsets."""

    base: float  # pass@1 of the first subset, a fraction
    problems: int
    runs: int  # of a subset, at least 2
    run_sd: float = 0.0  # the standard deviation of a run's own effect on pass@1, a fraction
    samples: int = 1  # of a problem
    subsets: int = 2  # whose runs vary alike, from which the comparison estimates by how much


def power(design: Design, difference: float) -> float:
    """The chance that the two subsets are told apart at 5% if the second's pass@1 is `difference` above the first's.

    D is normal with the variance V = 2 / (nk) [MS_subset:problem + MS_run - MS_error] at the expected mean squares. It is
    told from 0 by Student's t with the V and the degrees of freedom that a study estimates: MS_run, on k - 1 degrees of freedom
    for each subset, is averaged over 400 quantiles of its distribution; the others vary so little that they stand for themselves.
    """
    from scipy.special import gammaincinv, ndtr, stdtrit

    n, k, f = design.problems, design.runs, design.subsets * (design.runs - 1)
    error, interaction = np.mean([_variances(rate) for rate in (design.base, design.base + difference)], axis=0)
    error = error / design.samples
    scale = 2 / (n * k)
    problems, rest = scale * (error + k * interaction), scale * error
    expected = rest + 2 * design.run_sd**2 / k
    found: Floats = expected * gammaincinv(f / 2, (np.arange(400) + 0.5) / 400) * 2 / f
    above = np.maximum(found - rest, 0.0)
    variance = problems + above
    runs_part = np.where(above > 0, found**2 / f + rest**2 / (f * (n - 1)), 0.0)
    half = stdtrit(variance**2 / (problems**2 / (n - 1) + runs_part), (1 + LEVEL) / 2) * np.sqrt(variance)
    sd = np.sqrt(problems + expected - rest)
    return float((ndtr((difference - half) / sd) + ndtr((-difference - half) / sd)).mean())


def smallest_difference(design: Design, chance: float = POWER) -> float | None:
    """The difference, a fraction, that is seen with this chance; None where even one up to a pass@1 of 99.9% is not."""
    from scipy.optimize import brentq

    most = 0.999 - design.base
    if design.runs < 2 or power(design, most) < chance:
        return None
    return float(brentq(lambda difference: power(design, difference) - chance, 1e-6, most, xtol=1e-6))


def runs_needed(design: Design, difference: float, chance: float = POWER) -> int | None:
    """The fewest runs of each subset with which `difference` is seen with this chance; None where MOST_RUNS are too few."""
    for runs in range(2, MOST_RUNS + 1):
        if power(replace(design, runs=runs), difference) >= chance:
            return runs
    return None


def _variances(rate: float) -> tuple[float, float]:
    """Of one run's sample on a problem, where pass@1 is `rate`: the variance of the error, and that of subset x problem.

    With P(problem, subset) = Phi(mu + problem + subset) they are E[P (1 - P)] and E[Var(P | problem)], by Gauss and Hermite.
    """
    from scipy.special import ndtr, ndtri

    points, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    mu = ndtri(rate) * np.sqrt(1 + PROBLEM_SD**2 + SUBSET_SD**2)
    chance = ndtr(mu + PROBLEM_SD * points[:, None] + SUBSET_SD * points)
    error = weights @ (chance * (1 - chance)) @ weights
    interaction = weights @ (chance**2 @ weights - (chance @ weights) ** 2)
    return float(error), float(interaction)
