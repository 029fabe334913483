"""Lines that wait on the disk."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pytest
from seedkit.spool import Spool, spooled

LINES = [b"%d" % number * (number % 100) + b"\n" for number in range(5000)]


@pytest.fixture
def spool() -> Iterator[Spool]:
    with TemporaryFile() as file:
        yield Spool(file)


def test_lines_come_back_by_number_while_others_are_added(spool: Spool) -> None:
    assert list(spool) == []
    for number, line in enumerate(LINES):
        assert spool.append(line) == number
        assert spool[number // 2] == LINES[number // 2]
    assert len(spool) == 5000
    assert list(spool) == LINES
    with pytest.raises(IndexError):
        spool[5000]


def test_many_lines_come_back_in_any_order_while_others_are_added(spool: Spool) -> None:
    assert list(spool.lines(np.array([], dtype=np.int64))) == []
    for line in LINES[:3000]:
        spool.append(line)
    order = np.random.default_rng(0).permutation(3000)
    first = spool.lines(order)
    for line in LINES[3000:]:  # the lines asked for before may be read while others come
        spool.append(line)
    assert list(first) == [LINES[number] for number in order]
    assert list(spool.lines(np.array([4999, 0, 4999]))) == [LINES[4999], LINES[0], LINES[4999]]


def test_a_spool_has_no_name_in_its_folder_and_its_errors_name_the_folder(tmp_path: Path) -> None:
    with spooled(tmp_path) as spool:
        spool.append(b"a line\n")
        assert spool[0] == b"a line\n"
        assert os.listdir(tmp_path) == []
    with pytest.raises(OSError, match="No space left") as full, spooled(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert full.value.filename == str(tmp_path)
