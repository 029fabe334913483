"""Lines that wait on the disk, not in memory, until it is known what becomes of them."""

import os
from array import array
from collections.abc import Sequence
from typing import IO


class Spool(Sequence[bytes]):
    """Lines in the order in which they came, each to be had again by its number; 8 bytes of memory for a line."""

    def __init__(self, file: IO[bytes]) -> None:
        """`file` is empty and open for reading and writing, such as a temporary file; nothing else may use it."""
        self._file = file
        self._ends = array("Q", [0])

    def append(self, line: bytes) -> None:
        self._file.write(line)
        self._ends.append(self._ends[-1] + len(line))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> bytes:  # type: ignore[override]  # slices are not needed
        """A line by its number from 0. Raises IndexError after the last."""
        start, end = self._ends[number], self._ends[number + 1]
        self._file.flush()
        return os.pread(self._file.fileno(), end - start, start)
