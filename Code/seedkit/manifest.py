"""An output folder that is either finished, with a manifest that says what is in it, or has no manifest.

The manifest holds no clock time and no machine name: the same input and flags give the same bytes.
"""

import fcntl
import importlib.metadata
import os
import platform
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import takewhile
from pathlib import Path
from typing import Any

import orjson

from seedkit.errors import InputError
from seedkit.files import FileFacts, Sink, file_facts, link_or_copy, write_atomic, written

MANIFEST = "manifest.json"
REJECTS = "rejects.jsonl"
FORMAT = 1


class OutputFolder:
    """An output folder while a run writes to it: files one by one, each whole or not at all, and the manifest last.

    `names` are the files that a run of `stage` may write here, and `rejects` is the file for what it leaves out. No input
    may be one of them. Those left from an earlier run that this one does not write are removed. Outputs of other names
    that are here already, with a manifest, stay as they are: their manifest is kept under "others" of the new one. A
    lock keeps a second run out until this one ends. A folder that this run made and wrote nothing to is removed then.

    `identity` is the part of this run's manifest that says what its outputs are about, such as {"source": "EVOL"}. An
    earlier run of `stage` whose files this one would replace must have the same there, in nested objects too; other
    keys of its manifest may differ. `former` gives the names that keys had in manifests of earlier releases. With
    `overwrite` any earlier run of `stage` is replaced.

    Raises InputError if the folder cannot be used: no folder, no permission, another run, an input that an output would
    overwrite, files of another stage, files of an earlier run with another identity.
    """

    def __init__(
        self,
        folder: Path,
        stage: str,
        names: Collection[str],
        *,
        sources: Collection[Path],
        identity: Mapping[str, Any] | None = None,
        former: Mapping[str, str] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path, self.stage, self.names, self.rejects = folder, stage, names, REJECTS
        self.files: dict[str, FileFacts] = {}
        self.replaced: list[dict[str, Any]] = []  # the manifests of the outputs that this run will replace
        self._replaced: set[str] = set()  # and their files
        self._opened = False
        self._made = list(takewhile(lambda path: not path.exists(), (folder, *folder.parents)))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise InputError(f"{folder}: expected a folder to write to, got a file") from None
        except OSError as error:
            raise InputError(f"{folder}: cannot be made: {error.strerror}") from None
        if not os.access(folder, os.W_OK):
            raise InputError(f"{folder}: expected a folder to write to, got one without permission")
        if (folder / MANIFEST).is_dir():
            raise InputError(f"{folder / MANIFEST}: expected a file, got a folder")
        self._lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise InputError(
                f"{folder}: another run is writing here; wait for it or choose another --output_dir"
            ) from None
        try:
            self._others = self._neighbours({} if overwrite else identity or {}, former or {})
            if any(REJECTS in other["files"] for other in self._others):  # theirs
                self.rejects = f"{Path(next(iter(names))).stem}_{REJECTS}"
            for name in (*names, self.rejects, MANIFEST, *self._replaced):
                for source in sources:
                    if (folder / name).exists() and source.exists() and (folder / name).samefile(source):
                        raise InputError(
                            f"{source}: the output would overwrite the input; choose another folder for the output"
                        )
        except BaseException:
            os.close(self._lock)
            raise

    def _neighbours(self, identity: Mapping[str, Any], former: Mapping[str, str]) -> list[dict[str, Any]]:
        """The manifests of the outputs that are in the folder already and that this run leaves as they are.

        Raises InputError if one that it would replace is of another stage or does not have this `identity`.
        """
        try:
            earlier = read_manifest(self.path)
        except InputError:
            return []  # unfinished, or damaged from outside: nothing that this run could spoil
        found = []
        for document in documents(earlier):
            shared = sorted(set(document["files"]) & set(self.names))
            if not shared:
                found.append(document)
            elif document.get("stage", self.stage) != self.stage:
                raise InputError(
                    f"{self.path}: holds {shared[0]} of {document['stage']}; choose another folder for {self.stage}"
                )
            elif other := _difference(document, identity, former):
                raise InputError(
                    f"{self.path}: holds {shared[0]} of another run, {other}; choose another folder, or replace what is "
                    "there with --overwrite"
                )
            else:
                self.replaced.append(document)
                self._replaced |= {name for name in document["files"] if Path(name).name == name}
        return found

    @property
    def store(self) -> Path:
        """Where scores and embeddings are kept between runs."""
        return self.path / ".scores"

    def __enter__(self) -> "OutputFolder":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)
        with suppress(OSError):  # a folder that is not empty stays
            for path in self._made:
                path.rmdir()

    def write(self, name: str, lines: Iterable[bytes]) -> None:
        """Write one file of lines; the first call withdraws the manifest of an earlier run."""
        self._begin(name)
        self.files[name] = write_atomic(self.path / name, lines)

    @contextmanager
    def written(self, name: str) -> Iterator[Sink]:
        """Takes the lines of one file, for files that are written side by side; else as `write`."""
        self._begin(name)
        with written(self.path / name) as sink:
            yield sink
        self.files[name] = sink.facts

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write one file that has no lines, such as a picture."""
        self._begin(name)
        write_atomic(self.path / name, [data])
        self.files[name] = file_facts(self.path / name)

    def add(self, name: str, path: Path) -> None:
        """Add a file that was made elsewhere, by a hard link where the disk allows it; `path` stays as it is."""
        self._begin(name)
        link_or_copy(path, self.path / name)
        self.files[name] = file_facts(path)

    def _begin(self, name: str) -> None:
        if name not in self.names and name != self.rejects:
            raise ValueError(f"{name} is not among the files announced for {self.path}")
        if self._opened:
            return
        self._opened = True
        # removed before the manifest: if the run is killed in between, the manifest still names them
        for old in self._replaced - {*self.names, self.rejects}:
            (self.path / old).unlink(missing_ok=True)
        if self._others:
            self._publish(self._others)
        else:
            (self.path / MANIFEST).unlink(missing_ok=True)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest: from here on the folder is finished."""
        for name in {*self.names, self.rejects} - set(self.files):
            (self.path / name).unlink(missing_ok=True)
        # in the order of `names`, whichever was finished first
        files = {name: asdict(self.files[name]) for name in (*self.names, self.rejects) if name in self.files}
        left_out = {"rejects": self.rejects} if self.rejects in files else {}
        self._publish([{"format": FORMAT, "stage": self.stage, **manifest, **left_out, "files": files}, *self._others])

    def _publish(self, manifests: list[dict[str, Any]]) -> None:
        document = {**manifests[0], "others": manifests[1:]} if len(manifests) > 1 else manifests[0]
        write_atomic(
            self.path / MANIFEST, [orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)]
        )


def _difference(there: Any, here: Any, former: Mapping[str, str], where: str = "") -> str | None:
    """The first value of `here` that `there` does not have; None if it has all. Objects may have further keys there.

    A key that is not there is looked for under its former name.
    """
    if not isinstance(here, Mapping):
        here = orjson.loads(orjson.dumps(here))  # as it is after it was written and read
        return None if there == here else f"{where}: {_shown(there)} there, {_shown(here)} here"
    for key, value in here.items():
        inside = there.get(key, there.get(former.get(key))) if isinstance(there, dict) else None
        if found := _difference(inside, value, former, f"{where}.{key}" if where else key):
            return found
    return None


def _shown(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def documents(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The manifest of each output that a folder's manifest.json describes, the newest first."""
    return [{key: value for key, value in manifest.items() if key != "others"}, *manifest.get("others", [])]


def subset_files(output: Mapping[str, Any]) -> list[str]:
    """The files that students are trained on, as one output's manifest lists them: tertiles, mixes, parts
    of them, subsets chosen by a score.

    Raises InputError where the manifest does not say it as manifests do, or names files that it does not list.
    """
    try:
        names = [
            name for kind in ("tertiles", "chosen", "subsamples") for name in output.get(kind, {}).get("files", ())
        ]
        names += [mix["name"] for mix in output.get("mixes", {}).get("files", [])]
        if all(name in output["files"] for name in names):
            return names
    except (AttributeError, KeyError, TypeError):
        pass
    raise InputError(f"{MANIFEST}: expected the subsets of {output.get('stage')} among its files, got others")


def made_by(path: Path) -> dict[str, Any] | None:
    """What the manifest beside a file says of how it was made; None without a manifest, or if the file has changed."""
    try:
        outputs = documents(read_manifest(path.parent))
        sha256 = file_facts(path).sha256
    except (InputError, OSError):
        return None
    for output in outputs:
        if output["files"].get(path.name, {}).get("sha256") == sha256:
            return {key: value for key, value in output.items() if key != "files"}
    return None


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a finished folder. Raises InputError if there is none or it is damaged."""
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; the folder is unfinished or no output folder") from None
    except NotADirectoryError:
        raise InputError(f"{folder}: expected an output folder, got a file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}: expected a manifest, got malformed JSON: {error}") from None
    whole = isinstance(manifest, dict) and isinstance(manifest.get("others", []), list)
    for output in documents(manifest) if whole else [{}]:
        files = output.get("files") if isinstance(output, dict) else None
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
