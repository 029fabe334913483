"""The smallest difference that a study sees: against published figures, the real comparison, and what must hold."""

from dataclasses import replace

import numpy as np
import pytest
from evaluation.metrics.comparison import difference
from simulated_studies import PROBLEM_SD, SUBSET_SD, Study, drawn
from training import power as module
from training.power import Design, power, runs_needed, smallest_difference


@pytest.mark.parametrize(
    ("base", "problems", "points"), [(0.40, 591, (3.7, 4.7, 7.2)), (0.05, 164, (4.3, 5.2, 7.5))], ids=str
)
def test_figures_of_an_independent_simulation(base: float, problems: int, points: tuple[float, ...]) -> None:
    """Three runs of each subset that vary by 0, 1 and 2 points; those figures counted studies, with rates that are not normal."""
    for run_sd, expected in zip((0.0, 0.01, 0.02), points, strict=True):
        found = smallest_difference(Design(base, problems, 3, run_sd))
        assert found and 100 * found == pytest.approx(expected, abs=0.25)


@pytest.mark.parametrize(
    "design",
    [
        Design(0.40, 591, 3, 0.01),
        Design(0.05, 164, 3, 0.02),
        Design(0.4, 164, 5, samples=4),
        Design(0.055, 164, 2, 0.01, subsets=6),
        Design(0.055, 164, 2, 0.02, subsets=6),
    ],
    ids=str,
)
def test_the_comparison_sees_it_in_80_percent_of_studies(design: Design) -> None:
    assert (module.PROBLEM_SD, module.SUBSET_SD) == (PROBLEM_SD, SUBSET_SD)
    shown = smallest_difference(design)
    assert shown
    rng = np.random.default_rng(0)
    study = Study(design.base, design.problems, (design.runs,) * 2, design.run_sd, shown, design.samples)
    further = replace(study, difference=0.0)
    found = []
    for _ in range(500):
        others = [one for _ in range(design.subsets // 2 - 1) for one in drawn(further, rng)]
        found.append(difference(*drawn(study, rng), others=others).p)
    assert np.mean([p is not None and p <= 0.05 for p in found]) == pytest.approx(0.80, abs=0.06)


def test_more_of_anything_but_noise_sees_less() -> None:
    one = smallest_difference(Design(0.4, 164, 3, 0.01))
    assert one
    for better in (
        Design(0.4, 164, 4, 0.01),
        Design(0.4, 165, 3, 0.01),
        Design(0.4, 164, 3, 0.009),
        Design(0.4, 164, 3, 0.01, 2),
        Design(0.4, 164, 3, 0.01, subsets=3),
    ):
        found = smallest_difference(better)
        assert found and found < one


def test_without_a_difference_the_chance_is_that_of_a_false_alarm() -> None:
    for runs in (2, 3, 5):
        for run_sd in (0.0, 0.01, 0.02):
            assert 0.025 < power(Design(0.4, 591, runs, run_sd), 0.0) < 0.075


def test_runs_needed_is_the_fewest() -> None:
    design = Design(0.4, 591, 2, 0.01)
    needed = runs_needed(design, 0.04)
    assert needed and power(Design(0.4, 591, needed, 0.01), 0.04) >= 0.8 > power(
        Design(0.4, 591, needed - 1, 0.01), 0.04
    )
    assert runs_needed(design, 0.001) is None


def test_what_no_difference_can_show() -> None:
    assert smallest_difference(Design(0.4, 591, 1)) is None  # one run each
    assert smallest_difference(Design(0.98, 10, 2, 0.05)) is None
