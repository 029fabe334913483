"""Lines that wait on the disk, not in memory, until it is known what becomes of them."""

import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray


class Spool(Sequence[bytes]):
    """Lines in the order in which they came, each to be had again by its number; 8 bytes of memory for a line."""

    def __init__(self, file: IO[bytes]) -> None:
        """`file` is empty and open for reading and writing, such as a temporary file; nothing else may use it."""
        self._file = file
        self._ends = array("q", [0])

    def append(self, line: bytes) -> int:
        """Keep a line; returns its number, from 0."""
        self._file.write(line)
        self._ends.append(self._ends[-1] + len(line))
        return len(self) - 1

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> bytes:  # type: ignore[override]  # slices are not needed
        """A line by its number from 0. Raises IndexError after the last."""
        start, end = self._ends[number], self._ends[number + 1]
        self._file.flush()
        return os.pread(self._file.fileno(), end - start, start)

    def lines(self, numbers: NDArray[np.int64]) -> Iterator[bytes]:
        """The lines of these numbers, in their order."""
        self._file.flush()
        ends = np.asarray(self._ends)
        starts, sizes = ends[numbers], ends[numbers + 1] - ends[numbers]
        # .data yields plain numbers one at a time; a list of them would take 40 bytes each
        return map(os.pread, repeat(self._file.fileno()), sizes.data, starts.data)


@contextmanager
def spooled(folder: Path) -> Iterator[Spool]:
    """A spool on the disk of `folder`, in a file without a name, which is gone however the run ends.

    Raises OSError with the name of the folder if its disk is full or fails.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            yield Spool(file)
    except OSError as error:
        if error.filename is None:
            error.filename = str(folder)
        raise
