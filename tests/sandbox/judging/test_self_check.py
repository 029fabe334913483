"""The self-check lets no sandbox through that does not hold."""

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from sandbox import SANDBOXES, UNSAFE, make
from sandbox.contract import SandboxError
from sandbox.judging import self_check
from sandbox.prepared import NUMPY
from sandbox.view import python_view
from seedkit.errors import InputError


def test_a_sandbox_that_isolates_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "make", lambda name: make(UNSAFE))
    reason = self_check.failing("landlock")
    assert reason is not None and reason.startswith("a program gets out")
    assert self_check.failing(UNSAFE) is None  # nobody expects it to hold


@pytest.mark.parametrize("name", list(SANDBOXES))
def test_numpy_of_a_repository_below_tmp_loads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from a clone in /tmp: the jail's own /tmp must not hide it, and where it does not load, no sandbox holds."""
    try:
        user = python_view(1_900_000_000 if os.getuid() == 0 else None)
        sandbox = make(name)
    except SandboxError as error:
        pytest.skip(str(error))
    if user.packages is None:
        pytest.skip("no numpy")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        packages = Path(folder) / "clone" / ".venv" / "lib" / "site-packages"
        moved = {user.packages / part: packages / part for part in NUMPY if (user.packages / part).is_dir()}
        for source, copy in moved.items():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("tests"))
        readable = tuple(moved.get(path, path) for path in user.readable)
        view = replace(user, readable=readable, packages=packages)
        sandbox = SANDBOXES[name](view, 1_900_000_000 if os.getuid() == 0 else None)
        monkeypatch.setattr(self_check, "make", lambda name: sandbox)
        assert self_check.failing(name) is None
        shutil.rmtree(packages / "numpy" / "_core")
        reason = self_check.failing(name)
        assert reason is not None and reason.startswith(f"numpy, which lies in {packages}, does not load: fail")


def test_none_that_holds_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "failing", lambda name: "not here")
    with pytest.raises(InputError, match=r"bubblewrap: not here; landlock: not here\); install .*bubblewrap"):
        self_check.choose()
