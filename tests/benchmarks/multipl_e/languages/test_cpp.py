"""C++: its parameters, its prepared headers, and hostile completions."""

from pathlib import Path

import pytest
from benchmarks.multipl_e.languages.cpp import parameters
from multipl_e_support import ATTACKS, lists_are_not_forged, none_passes, own
from sandbox import prepared
from sandbox.contract import Sandbox
from seedkit.errors import RunError


def test_parameters_of_cpp() -> None:
    declaration = (
        "std::map<long,long> f(std::vector<std::map<long,std::string>> a, std::function<long(long, long)> b, long c)"
    )
    assert parameters(declaration) == ["a", "b", "c"]
    assert parameters("long f()") == []


def test_only_this_user_can_write_where_headers_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "_PREPARED", str(tmp_path / "headers"))
    folder = prepared.prepared()
    assert prepared.prepared() == folder
    folder.chmod(0o777)
    with pytest.raises(RunError, match="only this user can write"):
        prepared.prepared()


@pytest.mark.heavy
def test_hostile_completions(sandbox: Sandbox) -> None:
    none_passes("cpp", own("cpp"), ATTACKS["cpp"], sandbox)
    lists_are_not_forged("cpp", sandbox)
