"""Fixtures: a jail with compilers in it, and a machine without any."""

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.multipl_e import benchmark
from benchmarks.multipl_e.languages import toolchain
from sandbox import make
from sandbox.contract import Sandbox, SandboxError


@functools.cache
def _sandbox() -> Sandbox:
    return make("bubblewrap", 3, toolchains=True)


@pytest.fixture
def sandbox() -> Sandbox:
    try:
        return _sandbox()
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine on which /usr has no toolchain, and a user's home has one: the folder of its commands."""
    home = tmp_path / "home" / "bin"
    home.mkdir(parents=True)
    (home / "rustc").write_text("#!/bin/sh\n")
    (home / "rustc").chmod(0o755)
    monkeypatch.setattr(toolchain, "SEARCHED", str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", str(home))
    benchmark._missing.cache_clear()
    yield home
    benchmark._missing.cache_clear()
