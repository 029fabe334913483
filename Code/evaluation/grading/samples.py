"""samples.jsonl: completions of a benchmark's problems, from generate.py or from anywhere."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from pathlib import Path

from benchmarks.contract import Benchmark, Problem
from seedkit.cli import say
from seedkit.errors import InputError
from seedkit.json_values import Unreadable
from seedkit.packaged import packed_values

KEYS = ("completion", "solution")  # the official name, and evalplus's for a whole program


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion; `number` tells the samples of a problem apart, from 0."""

    task_id: str
    number: int
    completion: str

    @property
    def key(self) -> str:
        digest = blake2b(self.completion.encode(errors="surrogatepass"), digest_size=12).hexdigest()
        return f"{self.task_id} {self.number} {digest}"


def read_samples(path: Path, benchmark: Benchmark, problems: Sequence[Problem], *, part: bool = False) -> list[Sample]:
    """The samples in the order of the file. InputError with path:line where a line is none of this benchmark.

    With `part` the problems are not all of the benchmark's, and samples of others are left out, their number said. A sample without a number is the next of its problem; the same number twice is an error.
    """
    known = {problem.task_id for problem in problems}
    samples: list[Sample] = []
    others = 0
    seen: Counter[str] = Counter()
    numbers: set[tuple[str, int]] = set()
    for line, value in packed_values(path):
        where = f"{path}:{line}"
        if isinstance(value, Unreadable):
            value = _lenient(value)
        if not isinstance(value, dict):
            reason = (
                value.reason if isinstance(value, Unreadable) else f"expected an object, got {type(value).__name__}"
            )
            raise InputError(f"{where}: {reason}")
        task_id = benchmark.task_id(value.get("task_id"))
        if part and task_id is not None and task_id not in known:
            others += 1
            continue
        if task_id is None or task_id not in known:
            raise InputError(f'{where}: "task_id" {value.get("task_id")!r:.60} is no problem of {benchmark.name}')
        key = next((key for key in KEYS if key in value), None)
        completion = value[key] if key else None
        if not isinstance(completion, str):
            got = f"keys: {', '.join(value)}" if key is None else type(completion).__name__
            raise InputError(f'{where}: expected a string in "completion", got {got}')
        number = value.get("sample")
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


def _lenient(value: Unreadable) -> object:
    """What Python's json writes is read all the same, lone surrogates and NaN: one sample must not stop all."""
    try:
        found: object = json.loads(value.raw)
    except (ValueError, RecursionError):
        return value
    return found
