"""What lies in /var/tmp is used only where nobody else can have put anything into it, and goes when it is old."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox import prepared
from sandbox.contract import SandboxError

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="copies are made by root alone")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a small interpreter; copies go beside it."""
    monkeypatch.setattr(prepared, "_COPIES", str(tmp_path / "copy-"))
    monkeypatch.setattr(prepared, "interpreter", lambda: tmp_path / "home" / "bin" / "python")
    for name in ("bin/python", "lib/a.py", "packages/numpy/__init__.py", "packages/secret/__init__.py"):
        (tmp_path / "home" / name).parent.mkdir(parents=True)
        (tmp_path / "home" / name).write_text("")
    yield tmp_path / "home"
    end_this_run()


def end_this_run() -> None:
    """As far as other runs can see."""
    for fd in os.listdir("/proc/self/fd"):
        try:
            folder = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:  # the one that listed them
            continue
        if Path(folder).name.startswith("copy-"):
            os.close(int(fd))
    prepared._use.cache_clear()


def copies(home: Path) -> set[str]:
    return {path.name for path in home.parent.glob("copy-*")}


def change(path: Path) -> None:
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))


def test_a_copy_that_others_can_write_to_is_refused(home: Path) -> None:
    prepared.interpreter_copy(home).chmod(0o777)
    with pytest.raises(SandboxError, match="only root can write to"):
        prepared.interpreter_copy(home)


def test_there_is_one_copy_of_an_interpreter_and_one_of_each_numpy(home: Path) -> None:
    python, numpy = prepared.interpreter_copy(home), prepared.numpy_copy(home / "packages")
    shutil.copytree(home / "packages", home / "more")
    other = prepared.numpy_copy(home / "more")
    assert (python / "bin" / "python").is_file() and (python / "lib" / "a.py").is_file()
    assert (numpy / "numpy" / "__init__.py").is_file() and not (numpy / "secret").exists()
    assert copies(home) == {python.name, numpy.name, other.name}
    assert (prepared.interpreter_copy(home), prepared.numpy_copy(home / "packages")) == (python, numpy)
    assert copies(home) == {python.name, numpy.name, other.name}


def test_old_copies_are_removed_once_no_run_uses_them(home: Path) -> None:
    old = prepared.interpreter_copy(home)
    change(home / "lib")
    new = prepared.interpreter_copy(home)
    assert copies(home) == {old.name, new.name}  # this run may still use it
    end_this_run()
    assert prepared.interpreter_copy(home) == new
    assert copies(home) == {new.name}
    gone = prepared.numpy_copy(home / "packages")
    end_this_run()
    shutil.rmtree(home / "packages")
    prepared.interpreter_copy(home)
    assert gone.name not in copies(home)


def test_only_what_is_a_copy_is_removed(home: Path) -> None:
    kept = {"copy-toolchains-0", "copy-of-mine"}
    for name in (*kept, "copy-python-3-x.partial-1"):
        (home.parent / name).mkdir()
    (home.parent / "copy-link").symlink_to(home)
    copy = prepared.interpreter_copy(home)
    assert copies(home) == {*kept, "copy-link", copy.name}
    assert (home / "lib" / "a.py").exists()


def test_another_process_sees_that_a_copy_is_used(home: Path) -> None:
    copy = prepared.interpreter_copy(home)
    remove = f"from pathlib import Path\nfrom sandbox import prepared\nprepared._remove_unused(Path({str(copy)!r}))"
    subprocess.run([sys.executable, "-c", remove], check=True)
    assert copy.is_dir()
    end_this_run()
    subprocess.run([sys.executable, "-c", remove], check=True)
    assert not copy.exists()
