"""What lies in /var/tmp is used only where nobody else can have put anything into it."""

import sys
from pathlib import Path

import pytest
from sandbox import prepared
from sandbox.contract import SandboxError


def test_a_copy_of_the_interpreter_that_others_can_write_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_INTERPRETER", str(tmp_path / "python"))
    monkeypatch.setattr(prepared, "_fingerprint", lambda home: 0)
    folder = tmp_path / f"python-{'.'.join(map(str, sys.version_info[:3]))}-0"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(SandboxError, match="only root can write to"):
        prepared.interpreter_copy(Path(sys.base_prefix))
