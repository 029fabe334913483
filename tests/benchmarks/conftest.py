"""The sandbox that the tests of Python benchmarks share."""

import pytest
from sandbox import make
from sandbox.contract import Sandbox
from sandbox.judging.self_check import choose
from seedkit.errors import InputError


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    try:
        return make(choose())
    except InputError as error:
        pytest.skip(str(error))
