"""Lines that wait on the disk."""

from tempfile import TemporaryFile

import pytest
from seeds.spool import Spool


def test_lines_come_back_by_number_while_others_are_added() -> None:
    lines = [b"%d" % number * (number % 100) + b"\n" for number in range(5000)]
    with TemporaryFile() as file:
        spool = Spool(file)
        assert list(spool) == []
        for number, line in enumerate(lines):
            spool.append(line)
            assert spool[number // 2] == lines[number // 2]
        assert len(spool) == 5000
        assert list(spool) == lines
        with pytest.raises(IndexError):
            spool[5000]
