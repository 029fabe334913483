"""The self-check lets no sandbox through that does not hold."""

import pytest
from sandbox import UNSAFE, make
from sandbox.judging import self_check
from seedkit.errors import InputError


def test_a_sandbox_that_isolates_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "make", lambda name: make(UNSAFE))
    reason = self_check.failing("landlock")
    assert reason is not None and reason.startswith("a program gets out")
    assert self_check.failing(UNSAFE) is None  # nobody expects it to hold


def test_none_that_holds_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "failing", lambda name: "not here")
    with pytest.raises(InputError, match=r"bubblewrap: not here; landlock: not here\); install .*bubblewrap"):
        self_check.choose()
