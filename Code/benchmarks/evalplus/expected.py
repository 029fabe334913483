"""What the reference answers to each input, and how long it takes: computed once on a machine and kept in the user's cache.

The reference is the data set's own code and runs outside the jail, as the tests of other data sets do; a candidate's program
never sees what is expected. A file of the cache has the name of a hash over the reference and its inputs, so another release
is never mixed in. What cannot be kept there is computed again by each process that needs it.
"""

import contextlib
import io
import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, NoReturn

from sandbox.in_jail.codec import decode, digest, encode
from seedkit.errors import InputError
from seedkit.files import write_atomic
from seedkit.packaged import cache_folder

from benchmarks.evalplus.comparison import expected_of
from benchmarks.evalplus.inputs import Inputs, read_inputs

LARGE = 1 << 16  # characters; of larger answers the hash is compared first
FORM = 1  # of what is kept; another number where this module computes or writes another thing


@dataclass(frozen=True, slots=True)
class InputSet:
    """One part of a problem's inputs, base or plus, as the release has it."""

    data_set: str  # comparison.HUMANEVAL or MBPP
    number: int  # of the task
    name: str  # of the function
    reference: str  # a whole program with that function
    inputs: str  # JSON: a list with a list of arguments for each call
    count: int  # of the calls
    atol: float

    def read(self) -> list[Inputs]:
        """The arguments of each call, made anew."""
        return read_inputs(self.inputs, None if self.data_set == "humaneval" else self.number)


@dataclass(frozen=True, slots=True)
class ExpectedAnswer:
    """What is expected of one call. Of a LARGE answer only the hash is kept."""

    value: Any
    digest: str | None  # codec.digest; None where the value is kept
    size: int  # characters of the value as Python shows it
    seconds: float  # that the reference took


@lru_cache(maxsize=2)  # both parts of a problem: a worker often judges samples of one problem after each other
def expected(calls: InputSet) -> list[ExpectedAnswer]:
    """What is expected of a candidate for these calls.

    Raises InputError where the reference raises, or answers what is no plain data.
    """
    folder = cache_folder() / "evalplus"
    text = repr((FORM, platform.python_version(), calls))
    path = folder / f"{blake2b(text.encode(errors='surrogatepass'), digest_size=16).hexdigest()}.json"
    kept = _kept(path)
    if kept is not None and len(kept) == calls.count:
        return kept
    fresh = [_line(calls, value, seconds) for value, seconds in reference_answers(calls)]
    with contextlib.suppress(OSError):  # a home without room or rights: it is only computed more often
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(path, [json.dumps(fresh).encode()])
    return [_answer(line) for line in fresh]


def reference_answers(calls: InputSet, only: int | None = None) -> Iterator[tuple[Any, float]]:
    """(what is expected, seconds) of each call, one after the other, or of `only` that one, counted from 0.

    Raises InputError where the reference raises.
    """
    names: dict[str, Any] = {"__name__": "reference"}
    try:
        with _silence():
            exec(compile(calls.reference, "<reference>", "exec", dont_inherit=True, optimize=0), names)
        inputs = calls.read()
        for arguments in inputs if only is None else [inputs[only]]:
            started = time.perf_counter()
            with _silence():
                answer = names[calls.name](*arguments)
            yield expected_of(calls.data_set, calls.name, answer), time.perf_counter() - started
    except Exception as error:  # noqa: BLE001  # whatever the data set's own program raises is a fault of the data
        raise InputError(f"the reference of {calls.name} fails: {type(error).__name__}: {error}"[:300]) from None


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _line(calls: InputSet, value: Any, seconds: float) -> list[Any]:
    """What is kept of one call, as plain data: the value or, of a LARGE one, its hash; its size, the reference's seconds."""
    try:
        size = len(repr(value))
    except ValueError:  # an integer of more digits than Python shows
        size = len(json.dumps(encode(value, _unknown(calls))))
    else:
        if size > LARGE and (found := digest(value)):
            return [None, found, size, seconds]
    return [encode(value, _unknown(calls)), None, size, seconds]


def _answer(line: list[Any]) -> ExpectedAnswer:
    value, found, size, seconds = line
    return ExpectedAnswer(decode(value, _no_object), None if found is None else str(found), int(size), float(seconds))


def _kept(path: Path) -> list[ExpectedAnswer] | None:
    """What a file of the cache holds; None where there is none, or it is damaged."""
    try:
        return [_answer(line) for line in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError):
        return None


def _unknown(calls: InputSet) -> Callable[[Any], NoReturn]:
    def refuse(value: Any) -> NoReturn:
        raise InputError(f"the reference of {calls.name} answers a {type(value).__name__}, expected plain data")

    return refuse


def _no_object(tag: str, _rest: list[Any]) -> NoReturn:
    raise ValueError(tag)
