"""Claims: one owner at a time, whoever dies, sleeps or comes first."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from seedkit import claims
from seedkit.claims import Claim, each_claimed, in_hands, share_first, take
from seedkit.errors import InputError
from support import ROOT


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BEAT_S", 0.1)


def dead(folder: Path, name: str, number: int = 1) -> None:
    """A claim whose owner has not been heard of for an hour."""
    file = folder / f"{name}.{number}"
    file.write_text("elsewhere 1\n")
    past = file.stat().st_mtime - 3600
    os.utime(file, (past, past))


def test_what_is_claimed_is_free_again_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    claim = take(folder, "a.b")
    assert claim
    with claim:
        assert take(folder, "a.b") is None
        with take(folder, "a") or pytest.fail("another work"):  # whose name is the beginning of it
            pass
        time.sleep(0.6)  # longer than a dead owner is waited for
        assert take(folder, "a.b") is None
        assert not claim.lost
    assert (folder / "a.b.1").read_text().endswith("\nended\n")
    with take(folder, "a.b") or pytest.fail("it is free"):
        pass


def test_of_many_that_want_a_dead_owners_work_one_gets_it(tmp_path: Path) -> None:
    many = 8
    for turn in range(25):
        folder = tmp_path / str(turn)
        folder.mkdir()
        dead(folder, "run")
        together = Barrier(many)

        def ask(folder: Path = folder, together: Barrier = together) -> Claim | None:
            together.wait()
            return take(folder, "run")

        with ThreadPoolExecutor(many) as pool:
            got = [found.result() for found in [pool.submit(ask) for _ in range(many)]]
        owners = [claim for claim in got if claim]
        assert len(owners) == 1
        with owners[0]:
            assert sorted(path.name for path in folder.iterdir()) == ["run.1", "run.2"]
        assert take(folder, "run") is not None


def test_the_clock_is_the_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead(tmp_path, "dead")
    with take(tmp_path, "alive") or pytest.fail("it is free"):
        monkeypatch.setattr(time, "time", lambda: 0.0)  # of a machine that is off by years
        assert take(tmp_path, "alive") is None
        with take(tmp_path, "dead") or pytest.fail("its owner is dead"):
            pass


def test_an_owner_that_slept_through_its_death_notices(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from seedkit import claims
claims.BEAT_S = 0.1
folder = Path({str(tmp_path)!r})
with claims.take(folder, "run") as claim:
    print("has it", flush=True)
    while not claim.lost:
        time.sleep(0.01)
print("lost it", flush=True)
"""
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "Code")}
    with subprocess.Popen([sys.executable, "-c", code], env=variables, stdout=subprocess.PIPE, text=True) as sleeper:
        assert sleeper.stdout
        assert sleeper.stdout.readline() == "has it\n"
        assert take(tmp_path, "run") is None
        sleeper.send_signal(signal.SIGSTOP)
        time.sleep(0.6)
        with take(tmp_path, "run") or pytest.fail("its owner is as good as dead"):
            sleeper.send_signal(signal.SIGCONT)
            assert sleeper.stdout.readline() == "lost it\n"
            sleeper.wait()
            assert "ended" not in (tmp_path / "run.2").read_text()  # what is another's stays


def test_numbers_do_not_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One who looked before the work was given back and taken anew does not get it too."""
    dead(tmp_path, "run")
    seen = claims._files(tmp_path, "run")
    with take(tmp_path, "run") or pytest.fail("its owner is dead"):
        pass
    with take(tmp_path, "run") or pytest.fail("it was given back"):
        monkeypatch.setattr(claims, "_files", lambda *_: seen)
        assert take(tmp_path, "run") is None


def test_an_owner_whose_beats_failed_for_too_long_has_lost(tmp_path: Path) -> None:
    claim = take(tmp_path / "claims", "run")
    assert claim
    with claim:
        (tmp_path / "claims").rename(tmp_path / "gone")
        time.sleep(0.15)
        (tmp_path / "gone").rename(tmp_path / "claims")  # in time
        time.sleep(0.6)
        assert not claim.lost
        assert take(tmp_path / "claims", "run") is None
        past = time.time() - 0.35  # as if it had been stopped for nearly as long as others wait
        os.utime(tmp_path / "claims" / "run.1", (past, past))
        assert not claim.held()
        assert claim.lost


def test_each_is_done_once_and_what_lives_is_passed_over(tmp_path: Path) -> None:
    dead(tmp_path, "dead", 3)
    made: list[str] = []
    with take(tmp_path, "alive") or pytest.fail("it is free"):
        for name, claim in each_claimed(tmp_path, ["done", "alive", "dead", "free"], ["done"].__contains__):
            assert not claim.lost
            made.append(name)
    assert made == ["dead", "free"]


def test_only_what_has_a_living_owner_is_in_hands(tmp_path: Path) -> None:
    assert in_hands(tmp_path / "new") == []
    dead(tmp_path, "dead", 3)
    with take(tmp_path, "ended") or pytest.fail("it is free"):
        pass
    with take(tmp_path, "a.b") or pytest.fail("it is free"):
        assert in_hands(tmp_path) == ["a.b"]
    assert in_hands(tmp_path) == []


def test_what_another_finished_meanwhile_is_not_done_again(tmp_path: Path) -> None:
    asked: list[str] = []

    def finished(name: str) -> bool:
        asked.append(name)
        return len(asked) > 1

    assert list(each_claimed(tmp_path, ["a"], finished)) == []
    assert asked[:2] == ["a", "a"]


def test_a_share_begins_with_its_own() -> None:
    assert share_first("abcdefg", (2, 3)) == list("beacdfg")
    shares = [share_first("abcdefg", (number, 3)) for number in (1, 2, 3)]
    assert {share[0] for share in shares} == {"a", "b", "c"}
    assert all(sorted(share) == list("abcdefg") for share in shares)


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot hold claims"):
        take(tmp_path / "file" / "claims", "a")
