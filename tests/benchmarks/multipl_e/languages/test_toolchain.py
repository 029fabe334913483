"""Which languages can be run here, and what is said of those that cannot."""

from pathlib import Path

from benchmarks.multipl_e.languages.registry import install_help, missing


def test_what_is_missing_and_what_to_install(bare: Path) -> None:
    assert missing("py") is None
    assert missing("cpp") == "no g++; install the Debian package g++"
    assert missing("jl") == "no julia; install Julia below /opt and link it into /usr/bin"
    assert missing("rs") == f"rustc is at {bare / 'rustc'}, which a jail cannot reach; install the Debian package rustc"
    assert "nodejs" in install_help()
