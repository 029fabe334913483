"""Files that appear whole or not at all."""

import hashlib
import os
import queue
import shutil
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

BLOCK = 1 << 19  # bytes handed to the writing thread at a time; larger ones fall out of the processor's cache
MAX_STEP = 512  # lines in a block, however short: what orjson makes of a short one holds some 8 KB until it is gone
SYNC = 8 * BLOCK  # written between two calls of fdatasync: the disk works while lines are made


class Lines:
    """Many lines, kept at their size.

    orjson asks for eight times the memory of a line and gives most of it back; kept as they come, lines leave that much
    room between them, too little for the next. So they are gathered in a buffer and cut from it.
    """

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._buffer, self._ends = bytearray(), [0]

    def append(self, line: bytes) -> None:
        self._buffer += line
        self._ends.append(len(self._buffer))
        if len(self._buffer) >= BLOCK:
            self._cut()

    def all(self) -> list[bytes]:
        """The lines, in order."""
        self._cut()
        return self._kept

    def __len__(self) -> int:
        return len(self._kept) + len(self._ends) - 1

    def _cut(self) -> None:
        with memoryview(self._buffer) as view:
            self._kept += [bytes(view[start:end]) for start, end in pairwise(self._ends)]
        self._buffer, self._ends = bytearray(), [0]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a manifest records of a file."""

    sha256: str
    bytes: int
    lines: int


def write_atomic(path: Path, lines: Iterable[bytes]) -> FileFacts:
    """Write the lines beside `path`, fsync, rename over it. A failure on the way leaves `path` as it was.

    Hashing and writing run in threads of their own, since both let go of the interpreter: they overlap with each other
    and with whatever makes the lines.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb", buffering=0) as file:
            sink = _Sink(file.fileno())
            count = 0
            try:
                rest = iter(lines)
                step = 64
                while batch := list(islice(rest, step)):
                    block = b"".join(batch)
                    count += len(batch)
                    sink.put(block)
                    step = min(max(1, step * BLOCK // max(1, len(block))), MAX_STEP)  # blocks of about that size
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
    return FileFacts(sink.sha256.hexdigest(), sink.written, count)


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
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Sink:
    """Writes blocks in one thread and hashes them in another; what fails is raised in the next put or in close."""

    def __init__(self, handle: int) -> None:
        self.sha256, self.written = hashlib.sha256(), 0
        self._handle, self._unsynced = handle, 0
        # a thread needs the interpreter for an instant between two system calls: 5 ms of waiting for it would cost
        # more than the call
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(0.0002)
        self._consumers = [_Consumer(self._write), _Consumer(self.sha256.update)]

    def put(self, block: bytes) -> None:
        for consumer in self._consumers:
            consumer.put(block)

    def close(self) -> None:
        try:
            for consumer in self._consumers:
                consumer.close()
        finally:
            sys.setswitchinterval(self._switch_interval)

    def _write(self, block: bytes) -> None:
        view = memoryview(block)
        while view:
            view = view[os.write(self._handle, view) :]
        self.written += len(block)
        self._unsynced += len(block)
        if self._unsynced >= SYNC:
            os.fdatasync(self._handle)
            self._unsynced = 0


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
                continue  # keep taking blocks, so that put never waits for a dead thread
            try:
                self._function(block)
            except OSError as error:
                self._error = error
