"""Fixtures: the sandboxes that this machine has."""

from collections.abc import Iterator

import pytest
from sandbox import SANDBOXES, make
from sandbox.contract import Sandbox, SandboxError


@pytest.fixture(scope="module", params=[*SANDBOXES])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    try:
        yield make(request.param)
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def toolchains() -> Sandbox:
    """A sandbox that shows /usr with its compilers."""
    try:
        return make("bubblewrap", toolchains=True)
    except SandboxError as error:
        pytest.skip(str(error))
