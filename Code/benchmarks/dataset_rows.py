"""Rows of a benchmark's file as released, strictly read: JSON Lines, packed or not, a JSON array, or parquet."""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedkit.errors import InputError, RunError
from seedkit.json_values import Unreadable
from seedkit.packaged import exact_values, packed_values


@dataclass(frozen=True, slots=True)
class Row:
    """One object of the file; `where` is path:line, in a parquet file path:row, both counted from 1."""

    where: str
    fields: dict[str, Any]

    def has(self, *keys: str) -> bool:
        """Whether it has all of these fields."""
        return all(key in self.fields for key in keys)

    def value(self, key: str) -> Any:
        """InputError if the field is missing."""
        if key not in self.fields:
            raise InputError(f'{self.where}: "{key}" is missing (keys: {", ".join(self.fields) or "none"})')
        return self.fields[key]

    def exact_text(self, key: str) -> str:
        """A string to the letter, which may be empty; InputError if it is none."""
        value = self.value(key)
        if not isinstance(value, str):
            raise InputError(f'{self.where}: "{key}" must be a string, got {type(value).__name__}')
        return value

    def text(self, key: str, *, empty: bool = False) -> str:
        """A string, its line ends as Python has them; InputError if it is none, or blank and not `empty`."""
        value = self.exact_text(key)
        if not empty and not value.strip():
            raise InputError(f'{self.where}: expected text in "{key}", got none')
        return _lines(value)

    def texts(self, key: str) -> list[str]:
        """A list of strings."""
        value = self.value(key)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise InputError(f'{self.where}: "{key}" must be a list of strings, got {value!r:.60}')
        return [_lines(one) for one in value]

    def task_name(self) -> str:
        """Its task_id as text, whatever it is; where it has none, its line."""
        return str(self.fields.get("task_id", self.where.rpartition(":")[2]))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_rows(path: Path) -> Iterator[Row]:
    """The objects of a file, in order. InputError with path:line where there is anything else."""
    if path.suffix == ".parquet":
        return _rows(path, _parquet_values(path))
    return _rows(path, _packed_array(path) if path.name.endswith(".json.gz") else packed_values(path))


def read_exact_rows(path: Path) -> Iterator[Row]:
    """The same of JSON Lines, whose integers may be of any size and whose numbers may be NaN and infinite."""
    return _rows(path, exact_values(path))


def _rows(path: Path, values: Iterable[tuple[int, Any]]) -> Iterator[Row]:
    for line, value in values:
        if not isinstance(value, dict):
            got = value.reason if isinstance(value, Unreadable) else f"expected an object, got {type(value).__name__}"
            raise InputError(f"{path}:{line}: {got}")
        yield Row(f"{path}:{line}", value)


def _packed_array(path: Path) -> Iterator[tuple[int, Any]]:
    """The elements of a JSON array that is packed by gzip, counted from 1."""
    try:
        with gzip.open(path) as file:
            found = json.load(file)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected a JSON array, packed by gzip") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: expected gzip, got something else: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected a JSON array, got malformed JSON: {error}") from None
    if not isinstance(found, list):
        raise InputError(f"{path}: expected a JSON array, got {type(found).__name__}")
    yield from enumerate(found, 1)


def _parquet_values(path: Path) -> Iterator[tuple[int, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        rows = parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path}: expected a parquet file, got one that cannot be read: {error}") from None
    yield from enumerate(rows, 1)


def from_hub(repository: str, names: Sequence[str]) -> list[Path]:
    """Files of a data set in the hub's cache; those that are not there yet are downloaded, once.

    Raises:
        InputError: a file is not in the cache and the hub is out of reach.
        RunError: the hub refuses.
    """
    from huggingface_hub import hf_hub_download

    return _from_hub(repository, lambda: [Path(hf_hub_download(repository, n, repo_type="dataset")) for n in names])


def from_hub_folder(repository: str, pattern: str) -> list[Path]:
    """The same of the files whose path in the data set fits the pattern, such as data/*.parquet."""
    from huggingface_hub import snapshot_download

    def found() -> list[Path]:
        folder = Path(snapshot_download(repository, repo_type="dataset", allow_patterns=pattern))
        return sorted(folder.glob(pattern))

    if paths := _from_hub(repository, found):
        return paths
    raise InputError(f"{repository}: expected {pattern} on the hub, got none")


def _from_hub(repository: str, get: Callable[[], list[Path]]) -> list[Path]:
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return get()
    except LocalEntryNotFoundError:
        raise InputError(
            f"{repository}: neither in the hub's cache nor to be had from the hub; check the network, or download the"
            " data elsewhere and pass --benchmark_file FILE_OR_FOLDER"
        ) from None
    except HfHubHTTPError as error:
        raise RunError(f"{repository}: the hub answered {error.response.status_code}; run again later") from None


def numbered(value: object, prefix: str) -> str | None:
    """The task id `prefix`/7 for 7, "7" and "prefix/7", upper and lower case alike; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    match = re.fullmatch(rf"(?:{prefix}/)?([0-9]{{1,9}})", value, re.IGNORECASE) if isinstance(value, str) else None
    return f"{prefix}/{int(match[1])}" if match else None


def once(where: str, task_id: str, seen: Collection[str]) -> None:
    """InputError if the id is among those `seen`."""
    if task_id in seen:
        raise InputError(f"{where}: expected every task_id once, got {task_id} again")
