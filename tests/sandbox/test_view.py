"""What of the file system a jail shows where it shows compilers."""

import os
import tempfile
from pathlib import Path

import pytest
from sandbox import view
from sandbox.bubblewrap import Bubblewrap
from sandbox.contract import Limits, Sandbox
from sandbox.judging.native_judge import Native, build_and_run
from support import ROOT


def printed(sandbox: Sandbox, script: str) -> str:
    """What a shell script prints in a jail; it fails, since a program that passes says nothing."""
    native = Native({"run.sh": script}, ("bash", "run.sh"), "never")
    return build_and_run(native, sandbox, Limits(5)).stderr


def test_a_jail_with_compilers_shows_what_they_need_and_no_more(toolchains: Sandbox) -> None:
    said = printed(toolchains, "ls -d /usr/bin /usr/lib; ls -d /opt/* /usr/local/* /usr/src /home /root /work")
    assert said.splitlines()[1:3] == ["/usr/bin", "/usr/lib"]
    assert said.count("No such file") == 6
    for part in (str(ROOT), "/opt", "/usr/local"):
        if part not in toolchains.python:
            assert printed(toolchains, f"grep -cF {part} /proc/self/mountinfo").splitlines()[1:] == ["0"]


def test_what_a_link_leads_to_is_shown(monkeypatch: pytest.MonkeyPatch, toolchains: Sandbox) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        root = Path(name)
        root.chmod(0o755)
        for folder in ("opt/lang-1.2/bin", "opt/secret", "local/bin", "local/lib/other/bin", "local/lib/more", "bin"):
            (root / folder).mkdir(parents=True)
        for program in ("opt/lang-1.2/bin/lang", "local/bin/tool", "local/lib/other/bin/other"):
            (root / program).write_text("#!/bin/sh\necho it runs\n")
            (root / program).chmod(0o755)
        (root / "opt/lang").symlink_to("lang-1.2")
        (root / "local/bin/other").symlink_to("../lib/other/bin/other")
        (root / "bin/lang").symlink_to("../opt/lang/bin/lang")
        (root / "bin/tool").symlink_to(root / "local/bin/tool")
        (root / "bin/other").symlink_to("../local/bin/other")
        (root / "bin/broken").symlink_to("../opt/secret/none")
        monkeypatch.setattr(view, "_FOREIGN", (str(root / "opt"), str(root / "local")))
        monkeypatch.setattr(view, "_COMMANDS", str(root / "bin"))
        monkeypatch.setattr(view, "_TOOLCHAINS", (*view._TOOLCHAINS, str(root / "bin")))
        user = 1_900_000_000 if os.getuid() == 0 else None
        sandbox = Bubblewrap(view.python_view(user, toolchains=True), user)
        said = printed(sandbox, f"cd {root}; bin/lang; bin/tool; bin/other; find . -name secret -o -name more")
        assert said.splitlines()[1:] == ["it runs"] * 3
