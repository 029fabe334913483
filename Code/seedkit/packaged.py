"""Data as others release it: JSON values in files that may be packed, and files in an installed package."""

import codecs
import gzip
import importlib.util
import json
import os
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


def exact_values(path: Path) -> Iterator[tuple[int, Any]]:
    """As `packed_values` of JSON Lines, packed or not, with numbers as Python's json reads them: integers of any size, NaN.

    Raises InputError where there is no such file, or it is not packed as its name says.
    """
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
            for number, line in enumerate(file, 1):
                text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
                if not text.strip():
                    continue
                try:
                    yield number, json.loads(text)
                except ValueError as error:
                    yield number, Unreadable(f"expected one JSON object, got malformed JSON: {error}", line)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected JSON Lines, packed by gzip or not") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None


def cache_folder() -> Path:
    """Where this project keeps what is made or fetched once for a user; it need not be there yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "instructiondata"


def package_file(package: str, name: str) -> Path | None:
    """The file of this name in an installed package's folder, found without importing it; None where there is none."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).rglob(name)):
            return path
    return None
