"""What a study is to decide, written before anything is trained: study_plan.yaml, which train.py and evaluate_study.py read.

A plan names the primary contrasts, on which benchmarks, students and seeds they are tested, and how small a difference counts as
none. train.py keeps the hash of the file with every student, so that a table can tell what was planned from what was seen
afterwards. evaluation/study_plan.py writes one with defaults; a person edits it before the training.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from seedkit.errors import InputError, UsageError
from seedkit.yaml_file import parsed_yaml

from training.subset_names import QUESTIONS, is_subset

FORMAT = 1
KEYS = ("format", "students", "seeds", "benchmarks", "margin_points", "controls", "contrasts")
CONTRAST_KEYS = ("rq", "source", "first", "second")


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two subsets of one question and source, or a subset and a control: `second` minus `first`."""

    rq: str
    source: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """A plan as it was read, and the hash of its bytes."""

    file: str  # its name
    sha256: str
    students: tuple[str, ...]  # folders of train.py, e.g. qwen2.5-coder-1.5b-full
    seeds: tuple[int, ...]  # of the training
    benchmarks: tuple[str, ...]
    margin_points: float  # two subsets whose pass@1 differs by less are equivalent, in percentage points
    controls: tuple[
        str, ...
    ]  # data files that are no subset of a question, e.g. EVOL, on which students are trained too
    contrasts: tuple[Contrast, ...]

    @property
    def tests(self) -> int:
        """How many contrasts are tested: the size of the primary family."""
        return len(self.contrasts) * len(self.students) * len(self.benchmarks)

    def check(self, student: str, seeds: Sequence[int]) -> None:
        """Raises UsageError where this student or one of these seeds is not in the plan."""
        if student not in self.students:
            raise UsageError(f"--student: {self.file} plans {' '.join(self.students)}, got {student}")
        if others := [str(seed) for seed in seeds if seed not in self.seeds]:
            planned = " ".join(map(str, self.seeds))
            raise UsageError(f"--seed {' '.join(others)}: {self.file} plans the seeds {planned}")


def read_plan(path: Path) -> StudyPlan:
    """The plan in a YAML file.

    Raises:
        InputError: it cannot be read, a key is missing or unknown, or a value is not what it has to be.
    """
    try:
        return parsed_plan(path, path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: expected a study's plan, got {error}") from None


def parsed_plan(path: Path, content: bytes) -> StudyPlan:
    """The plan that these bytes are; `path` is where they are or go. Raises InputError as `read_plan` does."""
    document = parsed_yaml(path, content)
    _keys(path, "", document, KEYS)
    _check(path, "format", document["format"], lambda it: it == FORMAT, str(FORMAT))
    margin = document["margin_points"]
    _check(path, "margin_points", margin, lambda it: _is_number(it) and 0 < it < 100, "a number above 0 and below 100")
    lists = {key: _names(path, key, document[key]) for key in ("students", "benchmarks", "controls")}
    seeds = document["seeds"]
    is_seed: Callable[[Any], bool] = lambda it: type(it) is int and 0 <= it < 2**63  # noqa: E731
    _check(path, "seeds", seeds, lambda it: _is_list(it, is_seed) and it, "different whole numbers from 0")
    if clash := [name for name in lists["controls"] if any(is_subset(rq, name) for rq in QUESTIONS)]:
        raise InputError(f"{path}: controls: expected files that are no subset of a question, got {clash[0]}")
    found = document["contrasts"]
    _check(path, "contrasts", found, lambda it: isinstance(it, list) and it, "a list of contrasts")
    contrasts = tuple(_contrast(path, n, one, lists["controls"]) for n, one in enumerate(found, 1))
    pairs = Counter((one.rq, one.source, *sorted((one.first, one.second))) for one in contrasts)
    if twice := [pair for pair, count in pairs.items() if count > 1]:
        raise InputError(f"{path}: contrasts: expected each once, got {' '.join(twice[0])} again")
    return StudyPlan(
        path.name, sha256(content).hexdigest(), **lists, seeds=tuple(seeds), margin_points=margin, contrasts=contrasts
    )


def _contrast(path: Path, number: int, entry: object, controls: Sequence[str]) -> Contrast:
    where = f"contrasts {number}"
    values = _keys(path, where, entry, CONTRAST_KEYS)
    for key, value in values.items():
        _check(path, f"{where}: {key}", value, lambda it: isinstance(it, str) and it, "a name")
    contrast = Contrast(**values)
    _check(path, f"{where}: rq", contrast.rq, lambda it: it in QUESTIONS, f"one of {', '.join(QUESTIONS)}")
    for name in (contrast.first, contrast.second):
        if not is_subset(contrast.rq, name) and name not in controls:
            raise InputError(f"{path}: {where}: expected a subset of {contrast.rq} or one of controls, got {name}")
    if contrast.first == contrast.second:
        raise InputError(f"{path}: {where}: expected two subsets, got {contrast.first} twice")
    return contrast


def _keys(path: Path, where: str, entry: object, keys: Sequence[str]) -> dict[str, Any]:
    """`entry` as a mapping with exactly these keys, else InputError."""
    label = f"{path}: {where}: " if where else f"{path}: "
    if not isinstance(entry, dict):
        raise InputError(f"{label}expected {', '.join(keys)}, got {entry!r:.80}")
    if unknown := [str(key) for key in entry if key not in keys]:
        raise InputError(f"{label}expected {', '.join(keys)}, got {unknown[0]}")
    if missing := [key for key in keys if key not in entry]:
        raise InputError(f"{label}expected {', '.join(keys)}, got no {missing[0]}")
    return entry


def _names(path: Path, key: str, value: object) -> tuple[str, ...]:
    """A list of different names; only `controls` may be empty."""
    few = "different names" if key == "controls" else "different names, at least one"
    is_name: Callable[[Any], bool] = lambda it: isinstance(it, str) and bool(it)  # noqa: E731
    _check(path, key, value, lambda it: _is_list(it, is_name) and (it or key == "controls"), few)
    assert isinstance(value, list)
    return tuple(value)


def _is_list(value: object, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(fits, value)) and len(set(value)) == len(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check(path: Path, key: str, value: object, fits: Callable[[Any], object], expected: str) -> None:
    if not fits(value):
        raise InputError(f"{path}: {key}: expected {expected}, got {value!r:.80}")
