"""The last steps of train.py: train one student after another, then show their losses."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.errors import InputError, RunError
from seedkit.files import require_writable, write_atomic
from seedkit.models import model_label

from training import student_run
from training.launching import GRACE_S, train
from training.losses import Curve, curves, log_rows, losses_table
from training.planned_runs import Run, answer_tokens_seen
from training.train_steps import Study, state

LOG_LINES = 12  # shown of a failed run
FIGURE = "losses"


def train_all(study: Study, *, redo: bool) -> None:
    """Train every student that is not finished, whether another one fails or not; RunError at the end if one did."""
    failed = []
    with _locked(study.folder) as lock:
        states = {run.name: state(study, run, redo) for run in study.runs}
        runs = [_with_revision(study, run) for run in study.runs]
        for run in runs:
            if states[run.name] == "new":  # so that all settings are there, should one want to run them by hand
                student_run.begin(study.folder / run.name, run, study.plan(run), study.placement.stage)
        for number, run in enumerate(runs, 1):
            label = f"{number}/{len(study.runs)} {run.name}"
            folder = study.folder / run.name
            if states[run.name] == "finished":
                say(f"{label}: finished earlier, skipped")
            else:
                if states[run.name] == "other":
                    say(f"{label}: made with other data or settings, or damaged; replaced (--redo)")
                    (folder / student_run.RUN).unlink(missing_ok=True)  # first, so that a kill leaves it unfinished
                    shutil.rmtree(folder)
                try:
                    done = _train_one(study, run, label, lock)
                    say(f"{label}: finished in {done['seconds']:,.0f} s, final loss {done['loss']['final']:.4f}")
                except RunError as error:
                    failed.append(run.name)
                    say(f"{label}: FAILED: {error}")
                    continue
            student_run.clear(folder)
        results = {
            run.name: student_run.result(study.folder / run.name) for run in study.runs if run.name not in failed
        }
        if results:
            shown = [
                Curve(
                    run.subset.name, run.seed, run.subset.records, log_rows(study.folder / run.name / student_run.MODEL)
                )
                for run in study.runs
                if run.name in results
            ]
            title = f"{model_label(study.student.model)}, {study.student.finetuning}"
            for end, image in curves(title, shown).items():
                write_atomic(study.folder / f"{FIGURE}{end}", [image])
            print(losses_table(results))
            say(f"curves in {study.folder / FIGURE}.png and .svg")
    if failed:
        raise RunError(
            f"{len(failed)} of {len(study.runs)} students are not trained: {', '.join(failed)}; "
            "what is finished is kept, run again to go on"
        )


def _with_revision(study: Study, run: Run) -> Run:
    """The run with the hub's commit, which only this command knows."""
    if not study.revision or not study.revision.startswith("commit:"):
        return run
    return replace(run, settings={**run.settings, "model_revision": study.revision.removeprefix("commit:")})


def _train_one(study: Study, run: Run, label: str, lock: int) -> dict[str, Any]:
    """Train one student and check it; returns its run.json. RunError if LLaMA-Factory failed."""
    assert study.environment is not None
    folder, stage = study.folder / run.name, study.placement.stage
    resumed = student_run.begin(folder, run, study.plan(run), stage)
    where = f", from step {resumed:,}" if resumed else ""
    say(f"{label}: {run.subset.records:,} records, {run.steps:,} steps{where}")
    start, log = time.monotonic(), folder / student_run.LOG
    code = train(
        study.environment,
        folder / student_run.YAML,
        log,
        folder / student_run.MODEL,
        label,
        gpus=study.placement.gpus,
        torchrun=study.placement.gpus > 1 or stage is not None,
        lock=lock,
    )
    seconds = time.monotonic() - start
    if code:
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        for line in lines[-LOG_LINES:]:
            say(f"    {line[:300]}")
        raise RunError(f"llamafactory-cli ended with code {code}; its last lines are shown above, all are in {log}")
    facts = {
        "seconds": round(seconds, 1),  # since the step that was resumed from
        "resumed_from_step": resumed,
        "versions": study.environment.versions,
        "hardware": study.environment.hardware(study.placement.gpus),
        "zero_stage": stage,
        "answer_tokens": run.subset.answer_tokens,  # of one pass, after the cutoff
        "answer_tokens_seen": answer_tokens_seen(run, study.student.settings["batch_size"]),
    }
    return student_run.finish(folder, run, study.plan(run), facts)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Hold the lock of the study's folder, which is made if need be; yields the lock's file descriptor.

    A trainer that a killed command left behind gets the time to end before InputError says that the folder is in use.
    """
    require_writable(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror}") from None
    fd = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + 2 * GRACE_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise InputError(f"{folder}: another run is training here; wait for it to end") from None
                time.sleep(0.5)
        yield fd
    finally:
        os.close(fd)
