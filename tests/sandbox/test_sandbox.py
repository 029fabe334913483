"""Choosing and making a sandbox."""

import pytest
from sandbox import make
from sandbox.contract import SandboxError


def test_compilers_need_a_sandbox_that_lets_them_write_files() -> None:
    with pytest.raises(SandboxError, match="bubblewrap"):
        make("landlock", toolchains=True)
