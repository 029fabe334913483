"""An output folder that is either finished, with a manifest that says what is in it, or has no manifest.

The manifest holds no clock time and no machine name: the same input and flags give the same bytes.
"""

import fcntl
import importlib.metadata
import os
import platform
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from seedkit.errors import InputError
from seedkit.files import FileFacts, write_atomic

MANIFEST = "manifest.json"
FORMAT = 1


class OutputFolder:
    """Files are written one by one, each whole or not at all, and the manifest last.

    `names` are the files that a run of `stage` may write here: the input must be none of them, and those left from an
    earlier run that this one does not write are removed at the end. A lock keeps a second run out while this one lives.
    """

    def __init__(self, folder: Path, stage: str, names: Collection[str], *, source: Path) -> None:
        self.folder, self.stage, self.names = folder, stage, names
        self.files: dict[str, FileFacts] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise InputError(f"{folder}: expected a folder to write to, got a file") from None
        except OSError as error:
            raise InputError(f"{folder}: cannot be made: {error.strerror}") from None
        for name in (*names, MANIFEST):
            target = folder / name
            if target.exists() and source.exists() and target.samefile(source):
                raise InputError(f"{source}: the output would overwrite the input; choose another --output_dir")
        try:
            other = read_manifest(folder).get("stage", stage)
        except InputError:
            other = stage  # unfinished, or damaged from outside: nothing that this run could spoil
        if other != stage:
            raise InputError(f"{folder}: holds the output of {other}; choose another --output_dir for {stage}")
        self._lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise InputError(
                f"{folder}: another run is writing here; wait for it or choose another --output_dir"
            ) from None

    def __enter__(self) -> "OutputFolder":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def write(self, name: str, lines: Iterable[bytes]) -> None:
        """Write one file of lines; the first call withdraws the manifest of an earlier run."""
        if name not in self.names:
            raise ValueError(f"{name} is not among the files announced for {self.folder}")
        (self.folder / MANIFEST).unlink(missing_ok=True)
        self.files[name] = write_atomic(self.folder / name, lines)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest: from here on the folder is finished."""
        for name in self.names:
            if name not in self.files:
                (self.folder / name).unlink(missing_ok=True)
        files = {name: asdict(facts) for name, facts in self.files.items()}
        document = {"format": FORMAT, "stage": self.stage, **manifest, "files": files}
        write_atomic(
            self.folder / MANIFEST, [orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)]
        )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a finished folder; InputError where there is none or it is damaged."""
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; the folder is unfinished or no output folder") from None
    except NotADirectoryError:
        raise InputError(f"{folder}: expected an output folder, got a file") from None
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}: expected a manifest, got malformed JSON: {error}") from None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or not files or not all(isinstance(facts, dict) for facts in files.values()):
        raise InputError(f'{path}: expected a manifest with "files", got something else')
    return manifest


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python and of the installed packages among those named."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
