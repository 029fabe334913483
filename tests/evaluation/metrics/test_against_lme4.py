"""The variance of a difference against lme4's REML estimate of the same model, (1|problem) + (1|problem:subset) + (1|run)."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from evaluation.metrics.comparison import difference
from scipy.special import stdtrit
from simulated_studies import Rates, Study, drawn

FIT = """
suppressMessages(library(lme4))
for (file in commandArgs(trailingOnly = TRUE)) {
  rates <- read.csv(file, stringsAsFactors = TRUE)
  quiet <- lmerControl(check.conv.singular = "ignore", optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9))
  fit <- lmer(rate ~ subset + (1 | problem) + (1 | problem:subset) + (1 | run), rates, control = quiet)
  cat(fixef(fit)[["subsetsecond"]], sqrt(vcov(fit)[2, 2]), isSingular(fit), "\\n")
}
"""


@pytest.fixture(scope="session")
def rscript() -> str:
    found = shutil.which("Rscript")
    if not found or subprocess.run([found, "-e", "library(lme4)"], capture_output=True, check=False).returncode:
        pytest.skip("no lme4 in R: bash tests/run.sh --all installs it (Debian's r-cran-lme4)")
    return found


def written(path: Path, first: Rates, second: Rates) -> Path:
    """A line for each run and problem: rate, subset, problem, run."""
    lines = ["rate,subset,problem,run\n"]
    for subset, rates in (("first", first), ("second", second)):
        for (run, problem), rate in np.ndenumerate(rates):
            lines.append(f"{float(rate)!r},{subset},p{problem},{subset}{run}\n")
    path.write_text("".join(lines))
    return path


@pytest.mark.heavy
def test_twenty_simulated_studies(tmp_path: Path, rscript: str) -> None:
    """Of equal numbers of runs both are the same where REML cuts nothing at 0; of unequal ones they agree closely."""
    rng = np.random.default_rng(7)
    designs = [Study(0.4, 164, (3, 3), 0.03, samples=2), Study(0.4, 164, (5, 5), 0.03, difference=0.05)]
    designs += [Study(0.2, 164, (2, 6), 0.03, samples=2), Study(0.4, 164, (2, 3), 0.03)]
    studies = [drawn(design, rng) for design in designs for _ in range(5)]
    files = [written(tmp_path / f"{number}.csv", *rates) for number, rates in enumerate(studies)]
    (tmp_path / "fit.R").write_text(FIT)
    done = subprocess.run([rscript, tmp_path / "fit.R", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    fits = [line.split() for line in done.stdout.splitlines()]
    assert len(fits) == len(studies) == 20
    for (first, second), (estimate, error, singular) in zip(studies, fits, strict=True):
        found = difference(first, second)
        assert found.interval and found.df
        assert found.estimate == pytest.approx(float(estimate), abs=1e-6)
        ours = (found.interval.high - found.interval.low) / 2 / stdtrit(found.df, 0.975)
        equal = len(first) == len(second)
        # lme4 prints seven digits; where it sets a variance to 0, it estimates the others anew
        assert ours == pytest.approx(float(error), rel=1e-5 if equal and singular == "FALSE" else 0.05)
    assert sum(singular == "FALSE" for _, _, singular in fits[:10]) >= 8
