"""The types of arguments: what they take, and what they refuse."""

import argparse
from collections.abc import Callable

import pytest
from seedkit.flags import above_zero, fraction, natural, positive

Number = int | float


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        (positive, {"1": 1, "20000": 20000}, ["0", "-1", "1.5", "", "x", "²", str(2**63), "9" * 30]),
        (natural, {"0": 0, "42": 42}, ["-1", "+1", "1e3", "", "x", str(2**63)]),
        (above_zero, {"0.5": 0.5, "3": 3.0, "1e-3": 0.001}, ["0", "-1", "1e6", "nan", "inf", "", "x"]),
        (fraction, {"0": 0.0, "1": 1.0, "0.85": 0.85}, ["-0.1", "1.1", "nan", "inf", "", "x"]),
    ],
)
def test_numbers(kind: Callable[[str], Number], taken: dict[str, Number], refused: list[str]) -> None:
    assert {text: kind(text) for text in taken} == taken
    for text in refused:
        with pytest.raises(argparse.ArgumentTypeError, match="expected a"):
            kind(text)
