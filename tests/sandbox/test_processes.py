"""What a jail uses is counted over all that belongs to it, and what cannot be counted it does not get."""

import shutil
from pathlib import Path

import pytest
from sandbox.contract import Limits, Sandbox
from sandbox.judging.native_judge import Native, build_and_run

ATTACKS = Path(__file__).parent / "memory"  # C++ programs that take more than a GiB where nobody looks, and then pass
VERDICTS = {
    "first_thread": "memory",
    "page_tables": "fail",  # it may not map as much
    "page_tables_of_many": "memory",
    "pinned_pages": "fail",  # a call that is denied
    "pipes": "fail",  # more descriptors than it may have
    "sockets": "memory",
}


@pytest.mark.parametrize("attack", sorted(path.stem for path in ATTACKS.glob("*.cpp")))
def test_memory_that_is_not_resident_is_held_too(toolchains: Sandbox, attack: str) -> None:
    if not shutil.which("g++"):
        pytest.skip("no g++")
    text = (ATTACKS / f"{attack}.cpp").read_text()
    build = (("g++", "-O1", "-pthread", "a.cpp", "-o", "a"),)
    found = build_and_run(Native({"a.cpp": text}, ("./a",), "NONCE-1", build), toolchains, Limits(20))
    assert found.name == VERDICTS[attack], found
