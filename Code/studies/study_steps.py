"""The commands of a study one after the other, with what each took: the steps of study.py."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from benchmarks import open_benchmark
from evaluation.flags import expanded
from seedkit.cli import say
from seedkit.display import table
from seedkit.errors import InputError, RunError, UsageError
from seedkit.manifest import documents, read_manifest
from seeds.problem_texts import benchmark_files, read_problems, without_evalplus
from training.launching import guarded

from studies.planning import CODE, StudyRecipe, StudyStage
from studies.settings import Settings

LOG = "log.jsonl"
SECONDS_AN_HOUR = 3600


def described(study: StudyRecipe, settings: Settings) -> str:
    """The commands, and what is known of their hours."""
    rows = []
    for stage in study.stages:
        hours = "-" if stage.seconds is None else f"{stage.seconds / SECONDS_AN_HOUR:.1f}"
        rows.append([stage.name, hours])
    known = [stage.seconds for stage in study.stages if stage.seconds is not None]
    lines = [_shown(stage, study.folder) for stage in study.stages]
    total = f"about {sum(known) / SECONDS_AN_HOUR:.1f} hours of training and answering by the settings' estimates"
    if not known:
        total = "hours unknown, since the settings have no estimates (train.py --dry_run has some of its own)"
    return "\n".join([*lines, "", table(["stage", "hours"], rows), "", f"{settings.name}: {total}; nothing was run"])


def _shown(stage: StudyStage, folder: Path) -> str:
    """The command as a person would type it in the repository's root."""
    words = ["python", *stage.command[1:]]
    return " ".join(word.replace(f"{CODE.parent}/", "").replace(str(folder), "$OUTPUT_DIR") for word in words)


def check_benchmarks(settings: Settings, files: Mapping[str, Path], looked_for: Sequence[Path]) -> None:
    """Load every benchmark that is asked or looked for in the seeds, so that one that cannot be had stops the study before its first hour.

    Raises:
        InputError: the problems are not what was expected, or neither here nor to be had from the hub.
        UsageError: there is no such benchmark.
    """
    if unknown := [name for name in files if name not in settings.benchmarks]:
        raise UsageError(f"--benchmark_file {unknown[0]}: expected one of {', '.join(settings.benchmarks)}")
    for name in settings.benchmarks:
        for one in expanded(name):
            open_benchmark(one).load(files.get(name))
    if looked_for:
        read_problems(without_evalplus(benchmark_files(looked_for)))


class StudyLog:
    """Runs stages, and remembers which ended well."""

    def __init__(self, study: StudyRecipe) -> None:
        self._folder, self._file = study.folder, study.folder / LOG
        self._ended = self._earlier()
        self._changed = False  # a stage ran: those behind it may have something new to read

    def _earlier(self) -> dict[str, list[str]]:
        """By stage, the command of its last run that ended well."""
        found = {}
        if self._file.exists():
            for line in self._file.read_bytes().splitlines():
                try:
                    row = orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue  # a line that a killed run did not finish
                if row["ended_well"]:
                    found[row["stage"]] = row["command"]
        return found

    def run(self, stage: StudyStage) -> None:
        """Run a stage unless it is finished. Raises RunError or UsageError, as its exit code says, where it fails."""
        if not self._changed and stage.output.exists() and self._ended.get(stage.name) == list(stage.command):
            say(f"{stage.name}: finished earlier")
            return
        if stage.name == "plan" and stage.output.exists():
            say(f"plan: {stage.output} is there already and stays as it is")
            return
        self._changed = True
        print(f"\n== {stage.name}\n{_shown(stage, self._folder)}", flush=True)
        started = time.monotonic()
        with (self._folder / "logs" / f"{stage.name.replace(' ', '_')}.log").open("ab") as log:
            code = _streamed(stage.command, log)
        seconds = round(time.monotonic() - started, 1)
        well = code in stage.accepted
        row = {
            "stage": stage.name,
            "exit_code": code,
            "ended_well": well,
            "seconds": seconds,
            **_records(stage),
            "command": stage.command,
        }
        half = self._file.exists() and not self._file.read_bytes().endswith(b"\n")  # a killed run's last line
        with self._file.open("ab") as file:
            file.write(b"\n" * half)
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
        print(f"-- {stage.name}: {seconds:,.0f} s", flush=True)
        if not well:
            why = f"{stage.name} ended with exit code {code}, after {seconds:,.0f} s; what it finished is kept: start the study again"
            raise UsageError(why) if code == 2 else RunError(why)


def _streamed(command: Sequence[str], log: BinaryIO) -> int:
    """Run a command; what it prints goes to the terminal and the log as it comes. Returns its exit code.

    It ends when this process ends, however that happens, so that a study that is started again finds nobody at work.
    """
    with guarded(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=CODE.parent) as process:
        assert process.stdout is not None
        with process.stdout as printed:
            for line in printed:
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
                log.write(line)
                log.flush()
        return process.wait()


def _records(stage: StudyStage) -> dict[str, Any]:
    """How many records the stage's manifest counts, where it says."""
    try:
        first = documents(read_manifest(stage.output))[0]
    except InputError:
        return {}
    records = first.get("counts", {}).get("records")
    return {"records": records} if isinstance(records, int) else {}


@contextmanager
def opened(study: StudyRecipe) -> Iterator[StudyLog]:
    """The study's folder, locked for this run. Raises InputError where it cannot be used or another run has it."""
    try:
        (study.folder / "logs").mkdir(parents=True, exist_ok=True)
        lock = os.open(study.folder, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"{study.folder}: cannot be made: {error.strerror}") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{study.folder}: another run of this study is at work; wait for it") from None
        yield StudyLog(study)
    finally:
        os.close(lock)
