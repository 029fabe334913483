"""Rust: hostile completions."""

import pytest
from multipl_e_support import ATTACKS, none_passes, own
from sandbox.contract import Sandbox


@pytest.mark.heavy
def test_hostile_completions(sandbox: Sandbox) -> None:
    none_passes("rs", own("rs"), ATTACKS["rs"], sandbox)
