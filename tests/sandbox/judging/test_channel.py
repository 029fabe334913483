"""Which verdict a conversation with a jail that broke off leads to."""

import pytest
from sandbox.judging.channel import (
    Deadline,
    DiskExceeded,
    Ended,
    FilesExceeded,
    Gone,
    LimitExceeded,
    MemoryExceeded,
    OutputExceeded,
    verdict_of,
)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Deadline(), ("timeout", "")),
        (MemoryExceeded("why"), ("memory", "why")),
        (FilesExceeded("why"), ("memory", "why")),
        (OutputExceeded("why"), ("fail", "why")),
        (DiskExceeded("why"), ("fail", "why")),
        (Ended("why"), ("fail", "why")),
        (Gone("why"), ("fail", "why")),
    ],
)
def test_verdicts_of_errors(error: Deadline | LimitExceeded | Ended, expected: tuple[str, str]) -> None:
    assert verdict_of(error) == expected
