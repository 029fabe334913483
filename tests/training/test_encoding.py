"""How many tokens of a prompt and an answer are kept at the cutoff."""

import pytest
from training.encoding import kept_lengths


@pytest.mark.parametrize(
    ("source", "target", "cutoff", "kept"),
    [
        (10, 10, 20, (10, 10)),
        (100, 9, 20, (11, 9)),  # the answer takes less than half: the prompt is cut
        (9, 100, 20, (9, 11)),  # the prompt takes less than half: the answer is cut
        (100, 100, 20, (10, 10)),
        (30, 60, 20, (7, 13)),  # both in proportion, the answer's part rounded down
        (0, 50, 20, (0, 20)),
    ],
)
def test_how_the_cutoff_is_split(source: int, target: int, cutoff: int, kept: tuple[int, int]) -> None:
    assert kept_lengths(source, target, cutoff) == kept
