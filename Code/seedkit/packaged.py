"""Data as others release it: JSON values in files that may be packed, and files in an installed package."""

import gzip
import importlib.util
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from seedkit.errors import InputError
from seedkit.json_values import Unreadable, json_values


def packed_values(path: Path) -> Iterator[tuple[int, Any]]:
    """As `json_values`, and of JSON Lines in a .gz file too: (line, value or Unreadable); lines count from 1."""
    if not path.name.endswith(".gz"):
        yield from json_values(path)
        return
    try:
        with gzip.open(path) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected JSON Lines, packed by gzip") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: expected gzip, got something else: {error}") from None
    for number, line in enumerate(lines, 1):
        try:
            yield number, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield number, Unreadable(f"expected one JSON object, got malformed JSON: {error.msg}", line)


def package_file(package: str, name: str) -> Path | None:
    """The file of this name in an installed package's folder, found without importing it; None where there is none."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).rglob(name)):
            return path
    return None
