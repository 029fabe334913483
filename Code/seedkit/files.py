"""Files that appear whole or not at all."""

import hashlib
import os
import queue
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from seedkit.errors import InputError

BLOCK = 1 << 19  # bytes written and hashed at a time; larger blocks do not fit the processor's cache
MAX_STEP = 512  # most lines in a block: even a short line that orjson made holds some 8 KB of memory until it is freed
SYNC = 8 * BLOCK  # bytes between two calls of fdatasync, so that the disk works while lines are made


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a manifest records of a file."""

    sha256: str
    bytes: int
    lines: int


def write_atomic(path: Path, lines: Iterable[bytes]) -> FileFacts:
    """Write the lines as `written` does, which also says what is raised."""
    with written(path) as sink:
        for batch in batches(lines):
            sink.put(batch)
    return sink.facts


@contextmanager
def written(path: Path) -> Iterator["Sink"]:
    """Takes lines beside `path`; at the end of the context they are synced and renamed over it.

    A failure on the way leaves `path` as it was. Raises OSError with the file's name if the disk is full or fails.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb", buffering=0) as file:
            sink = Sink(path, file.fileno())
            try:
                yield sink
            finally:
                sink.close()
            os.fsync(file.fileno())
        partial.replace(path)
        sync(path.parent)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise


def batches(lines: Iterable[bytes], blocks: int = 1) -> Iterator[list[bytes]]:
    """The lines in lists of about BLOCK bytes and at most MAX_STEP lines, or `blocks` times as much."""
    rest, step = iter(lines), 64
    while batch := list(islice(rest, step)):
        yield batch
        step = min(max(1, step * blocks * BLOCK // max(1, sum(map(len, batch)))), blocks * MAX_STEP)


def file_facts(path: Path) -> FileFacts:
    """Hash, size and number of lines of a file as it stands on the disk."""
    sha256, size, lines, last = hashlib.sha256(), 0, 0, b"\n"
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            sha256.update(block)
            size += len(block)
            lines += block.count(b"\n")
            last = block[-1:]
    return FileFacts(sha256.hexdigest(), size, lines + (last != b"\n"))


def link_or_copy(path: Path, target: Path) -> None:
    """Make `target` the same file as `path`, by a hard link or else a copy, whole or not at all."""
    if target.exists() and target.samefile(path):
        return
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        try:
            os.link(path, partial)
        except OSError:  # another disk, or one without links
            shutil.copyfile(path, partial)
        sync(partial)
        partial.replace(target)
        sync(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Make what is in a file, or a rename in a folder, survive a power cut."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def require_writable(folder: Path) -> None:
    """InputError if the folder cannot be written to or, where it is not there yet, cannot be made. Nothing is made."""
    there = folder.absolute()
    try:
        while not there.exists():
            there = there.parent
        is_folder, allowed = there.is_dir(), os.access(there, os.W_OK | os.X_OK)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror}") from None
    if not is_folder:
        raise InputError(
            f"{folder}: expected a folder to write to, got a file" + ("" if there == folder else f": {there}")
        )
    if not allowed:
        raise InputError(f"{folder}: expected a folder to write to, got no permission to write to {there}")


class Sink:
    """Writes lines to a file, hashes them in one thread and syncs the file in another.

    A failure of a thread is raised by the next put, or by close. Writing is left to the caller's thread: while it waits
    for the system, the interpreter is free for the thread that hashes.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self._path, self._fd = path, fd
        self._sha256, self._bytes, self._lines, self._unsynced = hashlib.sha256(), 0, 0, 0
        self._hashing = _Consumer(self._sha256.update)
        self._syncing = _Consumer(lambda _: os.fdatasync(fd))

    def put(self, lines: Collection[bytes]) -> None:
        """Write these lines. Raises OSError with the name of the file that they are for."""
        block = b"".join(lines)
        try:
            self._hashing.put(block)
            view = memoryview(block)
            while view:
                view = view[os.write(self._fd, view) :]
            self._bytes += len(block)
            self._lines += len(lines)
            self._unsynced += len(block)
            if self._unsynced >= SYNC:
                self._syncing.put(b"")
                self._unsynced = 0
        except OSError as error:
            error.filename = str(self._path)
            raise

    def close(self) -> None:
        """Wait until all lines are hashed and both threads have ended."""
        try:
            self._hashing.close()
        finally:
            self._syncing.close()

    @property
    def facts(self) -> FileFacts:
        """Of the file, once it is closed."""
        return FileFacts(self._sha256.hexdigest(), self._bytes, self._lines)


class _Consumer:
    """A thread that hands blocks to a function, in order."""

    def __init__(self, function: Callable[[bytes], None]) -> None:
        self._function = function
        self._blocks: queue.Queue[bytes | None] = queue.Queue(maxsize=2)
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, block: bytes) -> None:
        if self._error:
            raise self._error
        self._blocks.put(block)

    def close(self) -> None:
        self._blocks.put(None)
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self) -> None:
        while (block := self._blocks.get()) is not None:
            if self._error:
                continue  # keep taking blocks: otherwise put would wait for ever
            try:
                self._function(block)
            except OSError as error:
                self._error = error
