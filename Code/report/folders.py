"""The finished folders that a report is made of: which kind each is, and that its files are what its manifest says."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from evaluation.study.students import TrainedStudent, find
from seedkit.errors import InputError, UsageError
from seedkit.files import file_facts
from seedkit.manifest import MANIFEST, documents, read_manifest
from seedkit.sources import readable
from seedkit.verify import file_faults
from training import student_run

THREADS = 2  # that read files for their hashes
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class FinishedOutput:
    """One output of a stage: its folder, the manifest that describes it, and that manifest's hash."""

    folder: Path
    stage: str
    manifest: dict[str, Any]
    sha256: str

    @property
    def name(self) -> str:
        """The folder as the command line named it."""
        return readable(str(self.folder))

    @property
    def source(self) -> str:
        return str(self.manifest.get("source", ""))

    @property
    def key(self) -> str:
        """What the page calls it in links; different for every output of a report."""
        return slug(f"{self.stage}-{self.source or self.folder.name}-{self.sha256[:6]}")


@dataclass(frozen=True, slots=True)
class FinishedRuns:
    """A folder of train.py and the students in it."""

    folder: Path
    students: Sequence[TrainedStudent]
    unfinished: Sequence[str]

    @property
    def name(self) -> str:
        return readable(str(self.folder))


def slug(text: str) -> str:
    """The text as an id: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def opened(folders: Sequence[Path]) -> tuple[list[FinishedOutput], list[FinishedRuns]]:
    """What is in the folders, every file of it checked against its manifest.

    Raises InputError where a folder is unfinished or not what its manifest says, and UsageError where two say the same.
    """
    outputs: list[FinishedOutput] = []
    runs: list[FinishedRuns] = []
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(
                f"{readable(str(folder))}: expected a finished folder, got {'a file' if folder.exists() else 'none'}"
            )
        if (folder / MANIFEST).exists() or not any(folder.rglob(student_run.RUN)):
            outputs += _outputs(folder)
        else:
            runs.append(_runs(folder))
    _check_different(outputs, runs)
    check([(output.folder, output.manifest) for output in outputs])
    return outputs, runs


def _outputs(folder: Path) -> list[FinishedOutput]:
    manifest = read_manifest(folder)
    sha256 = file_facts(folder / MANIFEST).sha256
    return [FinishedOutput(folder, str(one.get("stage", "")), one, sha256) for one in documents(manifest)]


def _runs(folder: Path) -> FinishedRuns:
    students, unfinished, damaged = find(folder)
    for label, reason in damaged.items():
        raise InputError(f"{label}: {reason}")
    return FinishedRuns(folder, students, unfinished)


def check(found: Sequence[tuple[Path, dict[str, Any]]]) -> None:
    """Raise InputError where a file is not what the manifest of its folder says; files are read in several threads."""
    jobs = [(folder, {"files": {name: facts}}) for folder, one in found for name, facts in one["files"].items()]
    with ThreadPoolExecutor(THREADS) as pool:
        for faults in pool.map(lambda job: list(file_faults(*job)), jobs):
            if faults:
                raise InputError(f"{faults[0]}; expected a folder as its manifest says")


def _check_different(outputs: Sequence[FinishedOutput], runs: Sequence[FinishedRuns]) -> None:
    """Raise UsageError where two folders say that they are about the same."""
    seen: dict[tuple[str, ...], str] = {}
    named = [(said, output.name) for output in outputs for said in _about(output)]
    named += [(("student", student.label), one.name) for one in runs for student in one.students]
    for said, name in named:
        if other := seen.get(said):
            raise UsageError(f"{name}: {' '.join(said)} is also in {other}; expected one folder of each, leave one out")
        seen[said] = name


def _about(output: FinishedOutput) -> Iterator[tuple[str, ...]]:
    """What no second output of a report may be about."""
    manifest = output.manifest
    if output.source:
        yield output.stage, output.source
    for one in manifest.get("results", []):
        yield output.stage, str(one.get("student")), str(one.get("name")), str(one.get("benchmark"))
    for names in manifest.get("reported", []):
        yield output.stage, *map(str, names)
    if not any(manifest.get(key) for key in ("source", "results", "reported")):
        yield output.stage, readable(str(output.folder.resolve()))


def rows(path: Path, kind: type[Row]) -> Iterator[Row]:
    """The lines of a JSON Lines file as `kind`, a msgspec Struct, which names the fields that are wanted.

    Raises InputError for a line that is none.
    """
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError as error:
                raise InputError(
                    f"{readable(str(path))}:{number}: expected a line of {kind.__name__}, got {error}"
                ) from None
