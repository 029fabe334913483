"""Who does which piece of work, where several commands share it: on one machine or on many, over one file system.

The claims on a work are files, NAME.1, NAME.2 and so on, of which the highest number counts. Its owner touches it every BEAT_S, and
writes into it when the work has ended. One that was not touched for DEAD_BEATS of these is dead: its owner was killed, or is cut
off. The next to want the work makes the next number, which only one can, since files are made exclusively (on NFS from version 3 on)
and no number is ever removed. Ages are differences of times that the file system gave, so machines need not agree on theirs.

An owner that slept through its own death, stopped or cut off, finds a higher number or its own file too old: `lost` is then true, and
it has to stop. Until its next beat it does not know, so it asks with `held` before it publishes anything.
"""

import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from seedkit.cli import say
from seedkit.errors import InputError

CLAIMS = ".claims"  # the folder of the claims, in that of the work
BEAT_S = 15.0
DEAD_BEATS = 4  # that are missing where an owner is taken to be dead
ENDED = "ended\n"  # the last line of a claim that was given back


class Claim:
    """A claim that this process holds, until the end of the `with` block."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lost, self._over = threading.Event(), threading.Event()
        self._beat = threading.Thread(target=self._keep, daemon=True)
        self._beat.start()

    @property
    def lost(self) -> bool:
        """Whether the claim is another's by now, or may be, as far as the last beat found."""
        return self._lost.is_set()

    def held(self) -> bool:
        """Whether the claim is this process's still, asked of the file system; it counts as a sign of life."""
        if not self.lost:
            last = _files(self._file.parent, self._file.stem)[-1:] == [self._file]
            # a beat less than others wait: nobody is to find the file dead while it is touched
            if last and _silence(self._file) <= (DEAD_BEATS - 1) * BEAT_S:
                os.utime(self._file)
            else:
                self._lost.set()
        return not self.lost

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._beat.join()
        if self.held():
            with self._file.open("a") as file:
                file.write(ENDED)

    def _keep(self) -> None:
        seen = time.monotonic()
        while not self.lost and not self._over.wait(BEAT_S):
            try:
                self.held()
                seen = time.monotonic()
            except OSError:  # the file system may come back; if not in time, another one has the work
                if time.monotonic() - seen > (DEAD_BEATS - 1) * BEAT_S:
                    self._lost.set()


def take(folder: Path, name: str) -> Claim | None:
    """Claim the work of that name; None where another one has it. Raises InputError where nothing can be written to `folder`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = _files(folder, name)
        if earlier and not _free(earlier[-1]):
            return None
        file = folder / f"{name}.{_number(earlier[-1]) + 1 if earlier else 1}"
        with file.open("x") as mine:
            mine.write(f"{socket.gethostname()} {os.getpid()}\n")
    except FileExistsError:
        if not folder.is_dir():
            raise InputError(f"{folder}: cannot hold claims: expected a folder or nothing, got a file") from None
        return None  # another one was faster
    except OSError as error:
        raise InputError(f"{folder}: cannot hold claims: {error.strerror}") from None
    return Claim(file)


def each_claimed(folder: Path, names: Sequence[str], finished: Callable[[str], bool]) -> Iterator[tuple[str, Claim]]:
    """Claim the work of these names one after the other, in their order, and yield it; what is `finished` is left out.

    What others have is passed over. When nothing else is left, it waits as long as a dead owner needs to be known as such, and
    ends where all that is left has a living owner. Each name is yielded once at most.
    """
    done: set[str] = set()
    waited = False
    while True:
        theirs = []
        before = len(done)
        for name in names:
            if name in done or finished(name):
                continue
            claim = take(folder, name)
            if claim is None:
                theirs.append(name)
                continue
            with claim:
                if not finished(name):  # by now
                    done.add(name)
                    yield name, claim
        if len(done) > before:
            waited = False
        elif not theirs:
            return
        elif waited:
            say(f"in other hands: {', '.join(theirs)}")
            return
        else:
            say(
                f"waiting {(DEAD_BEATS + 1) * BEAT_S:.0f} s to see whether the owners of {len(theirs)} claims are alive"
            )
            time.sleep((DEAD_BEATS + 1) * BEAT_S)
            waited = True


def in_hands(folder: Path) -> list[str]:
    """The names of the works in the folder that have a living owner."""
    names = {path.stem for path in folder.iterdir() if path.suffix[1:].isdecimal()} if folder.is_dir() else set()
    return sorted(name for name in names if not _free(_files(folder, name)[-1]))


def share_first(names: Sequence[str], share: tuple[int, int]) -> list[str]:
    """All names, with the I-th of every N before the others: several commands that begin there seldom want the same one."""
    number, of = share
    mine = names[number - 1 :: of]
    return [*mine, *(name for name in names if name not in set(mine))]


def _files(folder: Path, name: str) -> list[Path]:
    """The claims on that work, the last one at the end."""
    found = [path for path in folder.iterdir() if re.fullmatch(re.escape(name) + r"\.[0-9]+", path.name)]
    return sorted(found, key=_number)


def _number(file: Path) -> int:
    return int(file.suffix[1:])


def _free(file: Path) -> bool:
    """Whether the claim has ended, or its owner is dead."""
    return file.read_text(encoding="utf-8").endswith(ENDED) or _silence(file) > DEAD_BEATS * BEAT_S


def _silence(file: Path) -> float:
    """Seconds since the file was touched, by the clock of its file system."""
    with tempfile.TemporaryFile(dir=file.parent) as now, file.open() as claim:  # opened, so that NFS asks its server
        now.write(b"now")
        now.flush()
        return os.fstat(now.fileno()).st_mtime - os.fstat(claim.fileno()).st_mtime
