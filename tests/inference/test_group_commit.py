"""Group commit: what comes meanwhile is written together, nothing is lost at the end, and a failed write reaches all."""

import asyncio
import time

import pytest
from inference.group_commit import GroupCommit


def test_what_comes_while_a_write_is_under_way_is_written_together() -> None:
    writes: list[list[int]] = []

    def write(pieces: list[int]) -> None:
        time.sleep(0.02)
        writes.append(pieces)

    async def run() -> None:
        async with GroupCommit(write) as commit:
            await asyncio.gather(*(commit(n) for n in range(100)))
            assert sum(map(len, writes)) == 100  # on the disk before anybody goes on

    asyncio.run(run())
    assert sorted(n for pieces in writes for n in pieces) == list(range(100)) and len(writes) <= 3


def test_what_has_come_is_written_also_when_the_run_breaks_off() -> None:
    written: list[int] = []

    async def run() -> None:
        async with GroupCommit(written.extend) as commit:
            task = asyncio.create_task(commit(1))
            await asyncio.sleep(0)
            task.cancel()
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(run())
    assert written == [1]


def test_a_failed_write_reaches_all_that_wait_and_all_that_come_later() -> None:
    def write(_: list[int]) -> None:
        time.sleep(0.02)
        raise OSError(28, "No space left on device")

    async def run() -> list[BaseException | None]:
        async with GroupCommit(write) as commit:
            first = asyncio.create_task(commit(1))
            await asyncio.sleep(0.005)
            second = asyncio.create_task(commit(2))  # while the first is being written
            found = await asyncio.gather(first, second, return_exceptions=True)
            return [*found, *(await asyncio.gather(commit(3), return_exceptions=True))]

    with pytest.raises(OSError, match="No space"):
        found = asyncio.run(run())
        assert [type(one) for one in found] == [OSError] * 3
