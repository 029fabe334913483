"""The steps of report.py: from folders to parts, from parts to a page."""

from collections.abc import Callable, Sequence
from pathlib import Path

from seedkit.cli import say
from seedkit.errors import InputError, UsageError
from seedkit.files import require_writable, write_atomic
from seedkit.manifest import MANIFEST
from seedkit.sources import named, readable

from report.blocks import PageData, PagePart
from report.folders import FinishedOutput, opened, slug
from report.page import BEGINNING, rendered
from report.parts import (
    baselines,
    breadth,
    complexity,
    composition,
    density,
    diagnoses,
    evaluation,
    leakage,
    lineage,
    methods,
    other,
    teacher,
    training,
)

SECTIONS: dict[str, Callable[[FinishedOutput], PagePart]] = {
    complexity.STAGE: complexity.section,
    composition.CLASSIFICATION: composition.section,
    composition.COMPOSITION: composition.section,
    density.STAGE: density.section,
    breadth.STAGE: breadth.section,
    baselines.STAGE: baselines.section,
    teacher.ANSWERED: teacher.section,
    teacher.VERIFIED: teacher.section,
    leakage.CONTAMINATION: leakage.section,
    leakage.REPORT: leakage.section,
    evaluation.STAGE: evaluation.section,
}
ORDER = tuple(SECTIONS)


def gather(folders: Sequence[Path], doctor: Path | None, title: str) -> PageData:
    """Read every folder into a part of the page; evaluations and the training stand before the partitions.

    Raises InputError where a folder is unfinished, damaged or not what its manifest says, UsageError where two are the same.
    """
    outputs, runs = opened(folders)
    outputs = sorted(
        outputs, key=lambda one: (ORDER.index(one.stage) if one.stage in ORDER else len(ORDER), one.source, one.name)
    )
    parts = [_section(output) for output in outputs]
    trained = [training.section(one) for one in runs]
    if doctor is not None:
        trained.append(diagnoses.section(doctor))
    scores = [part for part in parts if part.template == "evaluation"]
    rest = [part for part in parts if part.template != "evaluation"]
    keys = {one.name: slug(f"runs-{one.name}") for one in runs}
    return PageData(
        title,
        lineage.picture(outputs, runs, keys),
        lineage.flow(outputs),
        [*scores, *trained, *rest],
        methods.sentences(outputs, runs),
        methods.models(outputs, runs),
        methods.versions(outputs, runs),
    )


def _section(output: FinishedOutput) -> PagePart:
    say(f"{output.name}: {output.stage}")
    try:
        return SECTIONS.get(output.stage, other.section)(output)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"{output.folder / MANIFEST}: expected what {output.stage or 'a stage'} writes, got {type(error).__name__}: {error}"
        ) from None
    except FileNotFoundError as error:
        raise InputError(
            f"{readable(str(error.filename))}: no such file, expected what {output.stage} writes"
        ) from None


def write(path: Path, study: PageData) -> None:
    """Write the page whole or not at all. Raises UsageError where another file than an earlier page would be replaced."""
    named(path)
    if path.is_dir():
        raise UsageError(f"--output {path}: expected a file to write, got a folder")
    if not path.parent.is_dir():
        raise UsageError(f"--output {path}: expected a file in a folder that exists, there is no {path.parent}")
    require_writable(path.parent)
    if path.exists():
        with path.open("rb") as file:
            if file.read(len(BEGINNING)) != BEGINNING:
                raise UsageError(
                    f"--output {path}: expected a new file or an earlier page of report.py, got another file"
                )
    facts = write_atomic(path, [rendered(study)])
    say(f"{path}: {facts.bytes:,} bytes, {len(study.parts)} parts")
