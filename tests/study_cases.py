"""Students as train.py leaves them, and results of students made by hand."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.study.students import TrainedStudent, parsed
from evaluation.study.table import Graded
from seedkit.models import model_revision
from support import ROOT, offline
from training import planned_runs, student_run
from training.study_plan import Contrast, StudyPlan

BENCHMARKS = ["humaneval", "mbpp"]
LOWER, MIDDLE, HIGHER = (f"RQ1_COMPLEXITY_{tertile}" for tertile in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER"))
PLAN_HASH = "ab" * 32
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


def finished(script: str, *parts: object) -> "subprocess.CompletedProcess[str]":
    """A script of Code/ run to its end, as a user would, with one thread."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "Code" / script), *map(str, parts)],
        env={**offline(), "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def tertiles_and_student(folder: Path) -> tuple[Path, Path]:
    """The sample split in tertiles by complexity, and a student to train on them."""
    source = ["--input_file", "Datas/sample/EVOL.jsonl", "--source_name", "EVOL", "--output_dir", folder / "EVOL"]
    finished("RQ1_complexity/complexity_scorer.py", *source, "--scorer", "embedded", "--device", "cpu")
    finished("training/tiny_student.py", "--output_dir", folder / "tiny")
    return folder / "EVOL", folder / "tiny"


def train_flags(made: tuple[Path, Path], environment: str, runs: Path, *more: object) -> list[object]:
    """What train.py is called with for the tertiles and the student that `tertiles_and_student` made."""
    named = ["--partitions", made[0], "--student", made[1], "--output_dir", runs, "--environment", environment]
    return [*named, "--device", "cpu", "--batch_size", 4, "--cutoff_len", 256, *more]


def student(
    stem: str, *, source: str = "EVOL", seed: int = 42, model: str = "tiny-full", plan: str | None = None
) -> TrainedStudent:
    name = f"{source}_{stem}_seed{seed}"
    return TrainedStudent(model, name, Path(name), "sha256:0", *parsed(name, stem, seed), seed, plan)


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


def planned(
    *contrasts: tuple[str, str, str, str],
    benchmarks: Sequence[str] = ("humaneval",),
    students: Sequence[str] = ("tiny-full",),
    seeds: Sequence[int] = (42, 43, 44),
    margin: float = 5.0,
    controls: Sequence[str] = (),
) -> StudyPlan:
    """A plan of contrasts (rq, source, first, second), whose hash is PLAN_HASH."""
    named = tuple(Contrast(*one) for one in contrasts)
    return StudyPlan(
        "study_plan.yaml",
        PLAN_HASH,
        tuple(students),
        tuple(seeds),
        tuple(benchmarks),
        margin,
        tuple(controls),
        named,
    )
