"""The files of LiveCodeBench, and the tests that are packed in them.

The tests of release_v5 are 4 GB as packed and several times that unpacked. So a problem holds only the position of its
tests in the file, and they are read again when they are run.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, cast

import orjson
from seedkit.errors import InputError, UsageError
from seedkit.json_values import LFS_POINTER

from benchmarks.dataset_rows import Row, from_hub
from benchmarks.livecodebench.packed_tests import unpacked

REPOSITORY = "livecodebench/code_generation_lite"
# problems of each release; they are cumulative: release_v5 is test.jsonl to test5.jsonl
RELEASES = {f"release_v{number}": count for number, count in enumerate((400, 511, 612, 713, 880, 1055), 1)}
RELEASE = "release_v5"


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a program or of a function."""

    __test__ = False  # pytest takes every class of this name for tests

    input: str  # what the program reads, or the function's arguments, a JSON value in each line
    output: str  # what the program must print, or the JSON value that the function must return
    functional: bool  # whether it is a function's


@dataclass(frozen=True, slots=True)
class StoredTests:
    """Where in a file the tests of one problem are."""

    digest: str  # of the problem's line
    function: str | None  # the method of Solution to call; None: a program that reads standard input
    seconds: float  # time limit of a test
    count: int
    all_tests: bool  # go on after the first that fails
    where: str = field(repr=False)  # path:line
    path: Path = field(repr=False)
    offset: int = field(repr=False)  # bytes
    length: int = field(repr=False)

    def read(self) -> tuple[Test, ...]:
        """The tests. InputError if the file has changed since it was loaded."""
        return _read_again(self)


@dataclass(frozen=True, slots=True)
class GivenTests:
    """Tests that are in no file, but at hand."""

    function: str | None
    tests: tuple[Test, ...]
    seconds: float
    all_tests: bool = False

    @property
    def count(self) -> int:
        return len(self.tests)

    def read(self) -> tuple[Test, ...]:
        return self.tests


@lru_cache(maxsize=1)  # samples of a problem come one after the other, and some tests are 100 MB
def _read_again(stored: StoredTests) -> tuple[Test, ...]:
    try:
        with _opened(stored.path) as file:
            file.seek(stored.offset)  # of a packed file all that stands before is unpacked again
            line = file.read(stored.length)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{stored.where}: cannot be read: {_why(error)}") from None
    if digest(line) != stored.digest:
        raise InputError(f"{stored.where}: expected the line that was there before, got another")
    return tests_in(Row(stored.where, orjson.loads(line)))[0]


def _opened(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where its name ends in .gz."""
    return cast(IO[bytes], gzip.open(path)) if path.name.endswith(".gz") else path.open("rb", buffering=1 << 20)


def _why(error: Exception) -> object:
    """The system's words without the path, or those of gzip."""
    return getattr(error, "strerror", None) or error


def digest(line: bytes) -> str:
    """32 hex digits by which a line is recognised."""
    return blake2b(line, digest_size=16).hexdigest()


def files(source: Path | None, release: str | None) -> list[Path]:
    """The files of a release, in a folder or on the hub; or the one file that `source` is.

    Args:
        source: a folder with the authors' files, one file, or None for the hub.
        release: a name of RELEASES; None: RELEASE, or all of the one file.

    Raises:
        UsageError: there is no such release, or one is asked for of a single file.
        InputError: a file is missing.
    """
    if release is not None and release not in RELEASES:
        raise UsageError(f"--release {release}: expected one of {', '.join(RELEASES)}")
    if source is not None and not source.is_dir():
        if release is not None:
            raise UsageError(f"--release {release}: expected a folder with the authors' files, got the file {source}")
        return [source]
    last = int((release or RELEASE).removeprefix("release_v"))
    names = [f"test{number if number > 1 else ''}.jsonl" for number in range(1, last + 1)]
    if source is None:
        return from_hub(REPOSITORY, names)
    found = []
    for name in names:
        paths = [source / name, source / f"{name}.gz"]
        found += [path for path in paths if path.is_file()][:1]
        if not found or found[-1] not in paths:
            raise InputError(f"{source}: expected {', '.join(names)} of {release or RELEASE}, got no {name}")
    return found


def lines(path: Path) -> Iterator[tuple[str, int, bytes]]:
    """(path:line, offset in bytes, line) of a file of JSON Lines, blank lines left out."""
    try:
        with _opened(path) as file:
            offset = 0
            for number, line in enumerate(file, 1):
                if line.startswith(LFS_POINTER):
                    raise InputError(f"{path}: a Git LFS pointer, not the data; run: git lfs pull")
                if line.strip():
                    yield f"{path}:{number}", offset, line
                offset += len(line)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {_why(error)}; expected JSON Lines") from None


def tests_in(row: Row) -> tuple[tuple[Test, ...], str | None]:
    """(all tests of a problem, the public ones first; the function that they call, None if the row does not say)

    Raises:
        InputError: the row lacks tests, or they are not what they must be.
    """
    if "test" in row.fields:  # SandboxFusion's form
        found = _json(row, "test", unpacked(row, "test", row.value("test")))
        inputs, outputs, function = (found.get(key) for key in ("inputs", "outputs", "fn_name"))
        if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs):
            raise InputError(f'{row.where}: expected as many "inputs" as "outputs" in "test", got something else')
        if not inputs or not isinstance(function, str | None):
            got = "no test" if not inputs else f"{function!r:.60} for a function"
            raise InputError(f'{row.where}: expected tests, and the name of a function or none in "test", got {got}')
        pairs = zip(inputs, outputs, strict=True)
        return tuple(_test(row, one, right, function is not None) for one, right in pairs), function
    tests: list[Test] = []
    for key in ("public_test_cases", "private_test_cases"):
        text = row.fields.get(key) or "[]"
        if not isinstance(text, str):
            raise InputError(f'{row.where}: "{key}" must be a string, got {type(text).__name__}')
        if not text.lstrip().startswith("["):
            text = unpacked(row, key, text)
        for one in _json(row, key, text):
            if not isinstance(one, dict):
                raise InputError(f'{row.where}: expected objects in "{key}", got {type(one).__name__}')
            tests.append(_test(row, one.get("input"), one.get("output"), one.get("testtype") == "functional"))
    if len({test.functional for test in tests}) != 1:
        raise InputError(f"{row.where}: expected tests, all of a program or all of a function, got {len(tests)} tests")
    function = _json(row, "metadata", row.fields.get("metadata") or "{}").get("func_name")
    return tuple(tests), function if isinstance(function, str) else None


def no_json(tests: Iterable[Test]) -> int | None:
    """The number, from 1, of the first test of a function that is no JSON, so that no answer can pass it."""
    for number, test in enumerate(tests, 1):
        for text in (*test.input.split("\n"), test.output):
            try:
                orjson.loads(text)
            except ValueError:
                try:
                    json.loads(text)  # slower, and takes lone surrogates
                except (ValueError, RecursionError):
                    return number
    return None


def _test(row: Row, given: Any, right: Any, functional: bool) -> Test:
    if not isinstance(given, str) or not isinstance(right, str):
        raise InputError(f"{row.where}: expected texts as input and output of a test, got something else")
    return Test(given, right, functional)


def _json(row: Row, key: str, text: Any) -> Any:
    """The list of tests, or the object, that a field holds as JSON."""
    try:
        found = json.loads(text)  # not orjson, which takes no lone surrogates
    except (TypeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, list if key.endswith("_cases") else dict):
        raise InputError(f'{row.where}: expected JSON in "{key}", got {text!r:.60}')
    return found
