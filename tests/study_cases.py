"""Students as train.py leaves them, and results of students made by hand."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from evaluation.study.students import TrainedStudent, parsed
from evaluation.study.table import Graded
from seedkit.models import model_revision
from training import planned_runs, student_run

BENCHMARKS = ["humaneval", "mbpp"]
LOWER, MIDDLE, HIGHER = (f"RQ1_COMPLEXITY_{tertile}" for tertile in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER"))
ALG = "RQ2_COMPOSITION_ALG_{}_PRAC_{}_repeat{}"


def train(
    runs: Path,
    weights: Path,
    stem: str,
    *,
    source: str = "EVOL",
    seed: int = 42,
    rate: float = 1e-3,
    finetuning: str = "full",
    base: tuple[str, str] = ("tiny", "sha256:0"),
) -> Path:
    """A finished student with the plan and run.json that train.py writes, its weights those of a tiny model.

    `base` is the name and the revision of the model that it was trained from.
    """
    subset = planned_runs.Subset(f"{source}_{stem}", runs / f"{stem}.jsonl", "0" * 64, 3, "RQ1_complexity")
    settings = {"seed": seed, "template": "default", "learning_rate": rate}
    run = planned_runs.Run(f"{source}_{stem}_seed{seed}", subset, seed, 1, settings)
    folder = runs / f"tiny-{finetuning}" / run.name
    shutil.copytree(weights, folder / student_run.MODEL)
    files = {path.name: path.stat().st_size for path in (folder / student_run.MODEL).iterdir()}
    model = {"folder": student_run.MODEL, "revision": model_revision(str(folder / student_run.MODEL)), "files": files}
    plan = student_run.plan(run, {"model": base[0], "revision": base[1]}, 4)
    student_run.write_json(folder / student_run.RUN, {"format": 1, "run": run.name, "plan": plan, "model": model})
    return folder


def student(stem: str, *, source: str = "EVOL", seed: int = 42, model: str = "tiny-full") -> TrainedStudent:
    name = f"{source}_{stem}_seed{seed}"
    return TrainedStudent(model, name, Path(name), "sha256:0", *parsed(name, stem, seed), seed)


def graded(
    who: TrainedStudent,
    passes: Sequence[int | tuple[int, int]],
    *,
    benchmark: str = "humaneval",
    of: int = 4,
    first: int = 0,
    final: bool = True,
) -> Graded:
    """`passes` by problem: 1 or 0 of one sample, or (passing, samples)."""
    pairs = [one if isinstance(one, tuple) else (one, 1) for one in passes]
    return Graded(who, benchmark, {f"t/{first + n}": pair for n, pair in enumerate(pairs)}, of, final)


def two_subsets() -> list[Graded]:
    """ALG_80: 0.50, 0.25, 0.75 over its repeats; ALG_20: 1.00, 0.75, 0.50. Rates by problem: 1, 2/3, 1/3, 0 and 1, 1, 2/3, 1/3."""
    return [
        graded(student(ALG.format(share, 100 - share, repeat)), passes)
        for share, runs in (
            (80, [(1, 1, 0, 0), (1, 0, 0, 0), (1, 1, 1, 0)]),
            (20, [(1, 1, 1, 1), (1, 1, 1, 0), (1, 1, 0, 0)]),
        )
        for repeat, passes in enumerate(runs, 1)
    ]
