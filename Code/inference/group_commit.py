"""Writing what many tasks bring, several pieces at a time: a flush to the disk takes as long for a hundred as for one."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Piece = TypeVar("Piece")


class GroupCommit(Generic[Piece]):
    """`await commit(piece)` returns when `write` has had the piece, in a thread, together with others that came meanwhile.

    What has come is written also where the context is left by an exception. What `write` raises, all that wait raise.
    """

    def __init__(self, write: Callable[[list[Piece]], None]) -> None:
        self._write = write
        self._pieces: list[Piece] = []
        self._written: asyncio.Future[None] | None = None  # of the pieces that have come since the last write
        self._come = asyncio.Event()
        self._ending = False

    async def __aenter__(self) -> "GroupCommit[Piece]":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ending = True
        self._come.set()
        await self._task

    async def __call__(self, piece: Piece) -> None:
        if self._task.done():
            await self._task  # raises why
        self._pieces.append(piece)
        self._written = self._written or asyncio.get_running_loop().create_future()
        self._come.set()
        await asyncio.shield(self._written)

    async def _run(self) -> None:
        while True:
            await self._come.wait()
            self._come.clear()
            pieces, written = self._pieces, self._written
            self._pieces, self._written = [], None
            if pieces and written is not None:
                try:
                    await asyncio.to_thread(self._write, pieces)
                except BaseException as error:
                    for waited in filter(None, (written, self._written)):
                        waited.set_exception(error)
                        waited.exception()  # it is raised here too: asyncio need not say that nobody asked
                    raise
                written.set_result(None)
            if self._ending and not self._pieces:
                return
