"""pass@k against exact fractions."""

import random
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from evaluation.metrics.pass_at_k import pass_at_k
from seedkit.errors import InputError


def exact(n: int, c: int, k: int) -> Fraction:
    return 1 - Fraction(comb(n - c, k), comb(n, k))


def error(n: int, c: int, k: int) -> float:
    """Relative error of one value."""
    right = exact(n, c, k)
    got = Fraction(float(pass_at_k([n], [c], k)[0]))
    return float(abs(got - right) / right) if right else float(abs(got))


def test_every_value_up_to_12() -> None:
    for n in range(1, 13):
        for k in range(1, n + 1):
            got = pass_at_k([n] * (n + 1), range(n + 1), k)
            for c in range(n + 1):
                assert got[c] == pytest.approx(float(exact(n, c, k)), rel=1e-14, abs=0)


def test_many_values_up_to_10_000() -> None:
    chosen = random.Random(0)
    cases = []
    for _ in range(150):
        n = round(10 ** chosen.uniform(0, 4))
        cases.append((n, round(chosen.choice([1, n]) * chosen.random()), max(1, round(n ** chosen.random()))))
    worst = max(error(*case) for case in cases)
    assert worst < 1e-12


@pytest.mark.parametrize(
    ("n", "c", "k"),
    [
        (10_000, 1, 1),
        (10_000, 1, 9_999),
        (10_000, 1, 5_000),
        (10_000, 2, 10),
        (10_000, 5_000, 1),
        (10_000, 9_999, 1),
        (10_000, 100, 9_900),
        (10_000, 100, 9_901),
        (10_000, 3_333, 100),
        (9_999, 7, 3_000),
        (200, 37, 100),
    ],
)
def test_hard_values(n: int, c: int, k: int) -> None:
    assert error(n, c, k) < 1e-12


def test_ends() -> None:
    for n in (1, 20, 10_000):
        for k in {1, n // 2 or 1, n}:
            assert pass_at_k([n], [0], k)[0] == 0
            assert pass_at_k([n], [n], k)[0] == 1
        assert pass_at_k([n], [1], n)[0] == 1
    samples, correct = np.array([1, 7, 9_999, 3]), np.array([1, 3, 17, 0])
    np.testing.assert_allclose(pass_at_k(samples, correct, 1), correct / samples, rtol=1e-15)
    assert pass_at_k(np.array([], dtype=int), np.array([], dtype=int), 1).shape == (0,)


def test_problems_may_have_different_numbers_of_samples() -> None:
    n, c = [5, 10, 200], [2, 10, 3]
    expected = [float(exact(a, b, 5)) for a, b in zip(n, c, strict=True)]
    assert pass_at_k(np.array(n, dtype=np.uint8), np.array(c, dtype=np.uint8), 5) == pytest.approx(expected, rel=1e-14)


def test_errors_name_the_problems() -> None:
    with pytest.raises(InputError, match=r"pass@10: .* fewer for 2 of 3 problems \(the least: 4\)"):
        pass_at_k([10, 4, 9], [0, 0, 0], 10)
    with pytest.raises(InputError, match="k of at least 1"):
        pass_at_k([10], [1], 0)
    with pytest.raises(InputError, match="for 2 problems"):
        pass_at_k([10, 10, 10], [11, -1, 3], 1)
    with pytest.raises(ValueError, match="integer"):
        pass_at_k([10.0], [1.0], 1)
    with pytest.raises(ValueError, match="shape"):
        pass_at_k([10, 10], [1], 1)
