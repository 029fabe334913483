"""The last steps of train.py: train one student after another, then show their losses."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from seedkit.claims import CLAIMS, Claim, each_claimed, in_hands, share_first, take
from seedkit.cli import say
from seedkit.errors import InputError, RunError
from seedkit.files import require_writable, write_atomic
from seedkit.models import model_label

from training import student_run
from training.launching import GRACE_S, TAKEN_OVER, train
from training.losses import Curve, curves, log_rows, losses_table
from training.planned_runs import Run, answer_tokens_seen, epochs
from training.train_steps import Study, state

LOG_LINES = 12  # shown of a failed run
FIGURE = "losses"


def train_all(study: Study, *, redo: bool, share: tuple[int, int] | None = None) -> None:
    """Train every student that is not finished, whether another one fails or not; RunError at the end if one did.

    With a share (I, N), other commands train in the same folder at the same time: every student is claimed first, this command
    begins with the I-th of every N, the longest first, and goes on with what nobody else has.
    """
    failed: list[str] = []
    with _locked(study.folder, shared=share is not None) as lock:
        # locks do not reach every machine, claims do
        if share is None and (others := in_hands(study.folder / CLAIMS)):
            raise InputError(f"{study.folder}: commands with --share have {', '.join(others)}; wait for them to end")
        states = {run.name: state(study, run, redo) for run in study.runs}
        runs = {run.name: _with_revision(study, run) for run in study.runs}
        labels = {name: f"{number}/{len(runs)} {name}" for number, name in enumerate(runs, 1)}
        for name in runs:
            if states[name] == "finished":
                say(f"{labels[name]}: finished earlier, skipped")
                student_run.clear(study.folder / name)
        ours: Iterable[tuple[str, Claim | None]]
        if share:
            ours = each_claimed(study.folder / CLAIMS, share_order(study, share), lambda name: _finished(study, name))
        else:
            for name, run in runs.items():
                if states[name] == "new":  # so that all settings are there, should one want to run them by hand
                    student_run.begin(study.folder / name, run, study.plan(run), study.placement.stage)
            ours = ((name, None) for name in runs if states[name] != "finished")
        for name, claim in ours:
            folder = study.folder / name
            try:
                if state(study, runs[name], redo) == "other":
                    say(f"{labels[name]}: made with other data or settings, or damaged; replaced (--redo)")
                    (folder / student_run.RUN).unlink(missing_ok=True)  # first, so that a kill leaves it unfinished
                    shutil.rmtree(folder)
                done = _train_one(study, runs[name], labels[name], lock, claim)
                say(f"{labels[name]}: finished in {done['seconds']:,.0f} s, final loss {done['loss']['final']:.4f}")
                student_run.clear(folder)
            except RunError as error:
                failed.append(name)
                say(f"{labels[name]}: FAILED: {error}")
        results = {name: student_run.result(study.folder / name) for name in runs if _finished(study, name)}
        if share and len(results) < len(runs):
            say(f"{len(results)} of {len(runs)} students are finished; the table and the curves come with the last one")
        elif results:
            _show(study, results)
    if failed:
        raise RunError(
            f"{len(failed)} of {len(study.runs)} students are not trained: {', '.join(failed)}; "
            "what is finished is kept, run again to go on"
        )


def share_order(study: Study, share: tuple[int, int]) -> list[str]:
    """The names of the runs in the order in which that share tries to claim them: its own first, of these the longest first."""
    batch = study.student.settings["batch_size"]
    sizes = {run.name: (run.subset.tokens or 0) * epochs(run, batch) or float(run.steps) for run in study.runs}
    return share_first(sorted(sizes, key=lambda name: -sizes[name]), share)


def _finished(study: Study, name: str) -> bool:
    """Whether the student is there: run.json, which is written last, made from the same plan."""
    run = next(run for run in study.runs if run.name == name)
    return state(study, run, redo=True) == "finished"


def _show(study: Study, results: Mapping[str, dict[str, Any]]) -> None:
    """The table of losses, and the curves."""
    shown = [
        Curve(run.subset.name, run.seed, run.subset.records, log_rows(study.folder / run.name / student_run.MODEL))
        for run in study.runs
        if run.name in results
    ]
    title = f"{model_label(study.student.model)}, {study.student.finetuning}"
    with take(study.folder / CLAIMS, FIGURE) or nullcontext():  # of two that end at once, the second draws the same
        for end, image in curves(title, shown).items():
            write_atomic(study.folder / f"{FIGURE}{end}", [image])
    print(losses_table(results))
    say(f"curves in {study.folder / FIGURE}.png and .svg")


def _with_revision(study: Study, run: Run) -> Run:
    """The run with the hub's commit, which only this command knows."""
    if not study.revision or not study.revision.startswith("commit:"):
        return run
    return replace(run, settings={**run.settings, "model_revision": study.revision.removeprefix("commit:")})


def _train_one(study: Study, run: Run, label: str, lock: int, claim: Claim | None) -> dict[str, Any]:
    """Train one student and check it; returns its run.json. RunError if LLaMA-Factory failed, or the claim was lost."""
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
        unwanted=lambda: claim is not None and claim.lost,
    )
    seconds = time.monotonic() - start
    if claim and not claim.held():  # what the trainer left may be another's by now
        raise RunError(TAKEN_OVER)
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
def _locked(folder: Path, *, shared: bool) -> Iterator[int]:
    """Hold the lock of the study's folder, which is made if need be; yields the lock's file descriptor.

    Commands with a share hold it together, which keeps out those without one, as far as the file system's locks reach.
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
                fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    other = "a command without --share" if shared else "another run"
                    raise InputError(f"{folder}: {other} is training here; wait for it to end") from None
                time.sleep(0.5)
        yield fd
    finally:
        os.close(fd)
