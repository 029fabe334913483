"""Studies whose truth is known: students that solve problems by a latent probit, and how often their intervals hold the truth.

python tests/simulated_studies.py --studies 2000      # the table of evaluation/README.md, about a minute
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from evaluation.metrics.comparison import difference
from evaluation.metrics.intervals import score_interval
from seedkit.display import table

Rates = npt.NDArray[np.float64]

# standard deviations beside that of the error, which is 1: of the problems, and of the subsets on a problem
PROBLEM_SD, SUBSET_SD = 2.5, 0.5


@dataclass(frozen=True)
class Study:
    """A study of two subsets. A run passes problem j where mu_s + problem_j + (subset x problem)_sj + draw_i + run_r + error > 0."""

    base: float  # the chance to pass, of the first subset
    problems: int
    runs: tuple[int, int]
    run_sd: float = 0.0  # the sd of a run's pass@1 that is its own, as a fraction
    difference: float = 0.0  # second minus first
    samples: int = 1  # a problem and run
    draw_sd: float = 0.0  # as run_sd, of what run i of both subsets shares


def drawn(study: Study, rng: np.random.Generator) -> tuple[Rates, Rates]:
    """pass@1 by run and problem of both subsets, each (runs, problems)."""
    from scipy.special import ndtri

    problem = PROBLEM_SD * rng.standard_normal(study.problems)
    draws = rng.standard_normal(max(study.runs))
    found = []
    for runs, base in zip(study.runs, (study.base, study.base + study.difference), strict=True):
        fixed = 1 + PROBLEM_SD**2 + SUBSET_SD**2
        slope = np.exp(-(ndtri(base) ** 2) / 2) / np.sqrt(2 * np.pi * fixed)  # of the chance to pass, by mu
        run_sd, draw_sd = study.run_sd / slope, study.draw_sd / slope
        run = run_sd * rng.standard_normal(runs) + draw_sd * draws[:runs]
        subset = SUBSET_SD * rng.standard_normal(study.problems)
        mu = ndtri(base) * np.sqrt(fixed + run_sd**2 + draw_sd**2)
        latent = mu + problem + subset + run[:, None]
        error = rng.standard_normal((study.samples, runs, study.problems))
        found.append((latent + error > 0).mean(axis=0))
    return found[0], found[1]


def coverage(study: Study, studies: int, *, paired: bool = False, seed: int = 0) -> float:
    """How many of so many studies have a 95% interval that holds the true difference."""
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(studies):
        found = difference(*drawn(study, rng), paired=paired)
        assert found.interval is not None
        held += found.interval.low <= study.difference <= found.interval.high
    return held / studies


def cells(paired: bool = False) -> list[Study]:
    """The designs of the table, without a difference."""
    designs = [(2, 2), (3, 3), (5, 5)] + ([] if paired else [(2, 3), (2, 6)])
    return [
        Study(base, problems, runs, run_sd, draw_sd=0.01 if paired else 0.0)
        for base in (0.05, 0.40)
        for problems in (164, 591)
        for runs in designs
        for run_sd in (0.0, 0.005, 0.01, 0.02)
    ]


def score_coverage(study: Study, studies: int, seed: int = 0) -> float:
    """How many of so many scores of the first subset have a 95% interval that holds its base rate."""
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(studies):
        found = score_interval([drawn(study, rng)[0]], [1.0])
        held += found.low <= study.base <= found.high
    return held / studies


def main(studies: int, paired: bool, scores: bool) -> None:
    """Print by base, problems and runs (rows) and run effect (columns) the type-I error, or the coverage of single scores."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for study in cells(paired):
        if scores and study.runs[0] != study.runs[1]:
            continue
        key = f"{study.base:.0%}", str(study.problems), "{} and {}".format(*study.runs)
        share = score_coverage(study, studies) if scores else 1 - coverage(study, studies, paired=paired)
        rows.setdefault(key, []).append(f"{share:.1%}")
    header: Sequence[str] = ("base", "problems", "runs", "0", "0.5", "1", "2 points")
    print(table(header, [[*key, *values] for key, values in rows.items()]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--paired", action="store_true")
    parser.add_argument("--scores", action="store_true", help="coverage of single scores instead of false differences")
    args = parser.parse_args()
    main(args.studies, args.paired, args.scores)
