"""Java: hostile completions."""

import pytest
from multipl_e_support import ATTACKS, lists_are_not_forged, none_passes, own
from sandbox.contract import Sandbox


@pytest.mark.heavy
def test_hostile_completions(sandbox: Sandbox) -> None:
    none_passes("java", own("java"), ATTACKS["java"], sandbox)
    lists_are_not_forged("java", sandbox)
