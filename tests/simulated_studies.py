"""Studies whose truth is known: students that solve problems by a latent probit, and how often their intervals hold the truth.

python tests/simulated_studies.py --studies 2000      # the table of evaluation/README.md, about a minute
python tests/simulated_studies.py --studies 1000 --families     # false claims anywhere in a study of RQ1 to RQ4
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from evaluation.metrics.comparison import Difference, difference, holm
from evaluation.metrics.dunnett import adjusted_p
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


@dataclass(frozen=True)
class WholeStudy:
    """RQ1 to RQ4 on one source and one student, as study_plan.py proposes them, with no subset better than another.

    Per benchmark 12 primary contrasts: T3 against T1 for RQ1 and RQ3, four mixes against the one of equal parts (three draws, which all
    mixes share), six mixes of three draws against the code alone, which has one. A run's effect is the same on all benchmarks.
    """

    base: float
    seeds: int
    run_sd: float
    draw_sd: float = 0.01  # of what a draw of RQ2 gives all its mixes
    benchmarks: tuple[int, ...] = (164, 427)  # problems
    sources: int = 1


def whole_study(study: WholeStudy, rng: np.random.Generator) -> list[tuple[str, list[Difference], tuple[int, int]]]:
    """By question, source and benchmark: the differences of its contrasts, and the runs of the first and of the others."""
    from scipy.special import ndtri

    fixed = 1 + PROBLEM_SD**2 + SUBSET_SD**2
    slope = np.exp(-(ndtri(study.base) ** 2) / 2) / np.sqrt(2 * np.pi * fixed)
    run_sd, draw_sd = study.run_sd / slope, study.draw_sd / slope
    problems = [PROBLEM_SD * rng.standard_normal(size) for size in study.benchmarks]

    def subset(runs: int, draws: Rates | float = 0.0) -> list[Rates]:
        """pass@1 by run and problem on each benchmark, shape (runs, problems); `draws` are the effects of the draws by run."""
        run = run_sd * rng.standard_normal(runs) + draws
        sd = np.sqrt(run_sd**2 + (draw_sd**2 if np.ndim(draws) else 0.0))
        found = []
        for problem in problems:
            own = ndtri(study.base) * np.sqrt(fixed + sd**2) + problem + SUBSET_SD * rng.standard_normal(len(problem))
            found.append((own + run[:, None] + rng.standard_normal((runs, len(problem))) > 0).astype(float))
        return found

    k, found = study.seeds, []
    sources = []
    for _ in range(study.sources):
        draws = np.repeat(draw_sd * rng.standard_normal(3), k)
        sources.append(
            {
                "RQ1": [subset(k) for _ in range(3)],
                "RQ2": [subset(3 * k, draws) for _ in range(5)],
                "RQ3": [subset(k) for _ in range(3)],
                "RQ4": [subset(k), *(subset(3 * k) for _ in range(6))],
            }
        )
    for at in range(len(problems)):
        tertiles = [table[at] for parts in sources for rq in ("RQ1", "RQ3") for table in parts[rq]]
        for rq, subsets in (pair for parts in sources for pair in parts.items()):
            tables = [table[at] for table in subsets]
            runs = len(tables[0]), len(tables[-1])
            if rq == "RQ2":  # seeds of a draw are one run of a pair, as in study/comparisons.py
                tables = [table.reshape(3, k, -1).mean(axis=1) for table in tables]
            pool = tertiles if rq in ("RQ1", "RQ3") else tables
            first, *others = tables[::2] if rq in ("RQ1", "RQ3") else tables
            differences = [
                difference(
                    first,
                    other,
                    paired=rq == "RQ2",
                    others=[one for one in pool if one is not first and one is not other],
                )
                for other in others
            ]
            found.append((rq, differences, runs))
    return found


def false_claims(study: WholeStudy, studies: int, seed: int = 0) -> tuple[float, float]:
    """In how many of so many studies without a difference some contrast is called different at 5%: by its p alone, by Holm's p."""
    rng = np.random.default_rng(seed)
    counts = np.zeros(2)
    for _ in range(studies):
        p = [one.p for _, differences, _ in whole_study(study, rng) for one in differences if one.p is not None]
        counts += min(p) < 0.05, min(holm(p)) < 0.05
    return float(counts[0] / studies), float(counts[1] / studies)


def false_claims_of_mixes(study: WholeStudy, studies: int, seed: int = 0) -> dict[str, float]:
    """The same by Dunnett's p, within the contrasts of RQ2 and of RQ4 on the first benchmark."""
    rng = np.random.default_rng(seed)
    counts = {"RQ2": 0, "RQ4": 0}
    for _ in range(studies):
        found = {rq: (differences, runs) for rq, differences, runs in reversed(whole_study(study, rng))}
        for rq in counts:
            differences, (first, others) = found[rq]
            found_p = adjusted_p(differences, [others] * len(differences), first)
            counts[rq] += min(p for p in found_p if p is not None) < 0.05
    return {rq: count / studies for rq, count in counts.items()}


def print_families(studies: int) -> None:
    """Print the share of studies with a false claim by base, seeds and what runs add; by Dunnett's p of a fifth as many studies."""
    rows = []
    for base in (0.05, 0.40):
        for seeds in (2, 3):
            for run_sd in (0.0, 0.01, 0.02):
                study = WholeStudy(base, seeds, run_sd)
                each, corrected = false_claims(study, studies)
                mixes = false_claims_of_mixes(study, studies // 5)
                cells = f"{base:.0%}", str(seeds), f"{100 * run_sd:g}"
                rows.append([*cells, *(f"{share:.1%}" for share in (each, corrected, mixes["RQ2"], mixes["RQ4"]))])
    print(table(("base", "seeds", "run effect", "p alone", "Holm", "Dunnett RQ2", "Dunnett RQ4"), rows))


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
    parser.add_argument("--families", action="store_true", help="false claims anywhere in a study of RQ1 to RQ4")
    args = parser.parse_args()
    print_families(args.studies) if args.families else main(args.studies, args.paired, args.scores)
