"""pass@1 over parts of a benchmark."""

import pytest
from evaluation.metrics.by_tag import by_tag, pass_at_1

COUNTS = {"a": (1, 2), "b": (0, 3), "c": (4, 4)}


def test_pass_at_1_is_the_mean_over_the_problems_that_have_samples() -> None:
    assert pass_at_1(COUNTS, ["a", "b", "gone"]) == {"problems": 2, "pass_at_1": pytest.approx(0.25)}
    assert pass_at_1(COUNTS, ["gone"]) == {"problems": 0, "pass_at_1": None}


def test_the_mean_is_the_same_on_every_python() -> None:
    """Since 3.12 sum() of numbers is exact, before it was not: ten times 0.1 made 0.9999999999999999."""
    counts = {str(n): (1, 10) for n in range(10)}
    assert pass_at_1(counts, counts)["pass_at_1"] == 0.1


def test_every_value_of_a_shown_tag_has_its_figures() -> None:
    tags = {
        "a": {"difficulty": "hard", "platform": "x"},
        "b": {"difficulty": "easy", "errata": "broken tests"},
        "c": {"difficulty": "hard"},
        "d": {"difficulty": "medium"},
    }
    assert by_tag(COUNTS, tags) == {
        "difficulty": {
            "easy": {"problems": 1, "pass_at_1": 0.0},
            "hard": {"problems": 2, "pass_at_1": 0.75},
            "medium": {"problems": 0, "pass_at_1": None},
        },
        "platform": {"x": {"problems": 1, "pass_at_1": 0.5}},
    }
    assert list(by_tag(COUNTS, tags)["difficulty"]) == ["easy", "hard", "medium"]
    assert by_tag(COUNTS, {"a": {}}) == {}
