import errno
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from seedkit import files
from seedkit.files import batches, file_facts, write_atomic, written


def test_facts_of_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK", 10)
    lines = [f"line {number}\n".encode() for number in range(1000)]
    facts = write_atomic(tmp_path / "a", lines)
    assert (tmp_path / "a").read_bytes() == b"".join(lines)
    assert facts == file_facts(tmp_path / "a")
    assert facts.sha256 == hashlib.sha256(b"".join(lines)).hexdigest()
    assert facts.lines == 1000


def test_a_last_line_without_an_end_counts(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\ntwo")
    assert file_facts(tmp_path / "a").lines == 2
    (tmp_path / "a").write_bytes(b"")
    assert file_facts(tmp_path / "a").lines == 0


def test_a_failure_on_the_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def lines() -> Iterator[bytes]:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a", lines())
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_disk_that_fails_while_syncing_is_raised_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def failing(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(files, "BLOCK", 10)
    monkeypatch.setattr(files, "SYNC", 20)
    monkeypatch.setattr(os, "fdatasync", failing)
    with pytest.raises(OSError, match="Input/output error"):
        write_atomic(tmp_path / "a", [b"0123456789"] * 100)
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_no_setting_of_the_process_changes_while_a_file_is_written(tmp_path: Path) -> None:
    before = sys.getswitchinterval()

    def lines() -> Iterator[bytes]:
        assert sys.getswitchinterval() == before
        yield b"a line\n"

    write_atomic(tmp_path / "a", lines())
    assert sys.getswitchinterval() == before


def test_a_full_disk_is_raised_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "BLOCK", 10)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(tmp_path / "a", [b"0123456789"] * 100)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_batches_are_about_a_block_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK", 1000)
    lines = [b"x" * 49 + b"\n"] * 500 + [b"y" * 5000] * 40 + [b"\n"] * 5000
    found = list(batches(lines))
    assert [line for batch in found for line in batch] == lines
    sizes = [len(batch) for batch in found]
    assert sizes[1:20] == [20] * 19  # a block
    assert sizes.count(1) >= 20  # one line is longer than a block
    assert max(sizes) == files.MAX_STEP


def test_of_files_written_side_by_side_the_one_that_fails_is_named_and_none_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with (
        pytest.raises(OSError, match="No space left") as failed,
        written(tmp_path / "a") as first,
        written(tmp_path / "b") as second,
    ):
        for sink in (first, second):
            sink.put([b"a line\n", b"another\n"])
        assert sorted(os.listdir(tmp_path)) == [".a.partial", ".b.partial"]

        def full(fd: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "write", full)
        first.put([b"a third\n"])
    monkeypatch.setattr(os, "write", write)
    assert failed.value.filename == str(tmp_path / "a")
    assert os.listdir(tmp_path) == []
