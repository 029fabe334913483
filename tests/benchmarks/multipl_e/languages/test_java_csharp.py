"""Java and C#: hostile completions."""

import pytest
from multipl_e_support import ATTACKS, lists_are_not_forged, none_passes, own
from sandbox.contract import Sandbox


@pytest.mark.heavy
def test_hostile_completions_in_java(sandbox: Sandbox) -> None:
    none_passes("java", own("java"), ATTACKS["java"], sandbox)
    lists_are_not_forged("java", sandbox)


@pytest.mark.heavy
def test_hostile_completions_in_csharp(sandbox: Sandbox) -> None:
    none_passes("cs", own("cs"), ATTACKS["cs"], sandbox)
