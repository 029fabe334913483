"""Splitting and mixing records: pure functions of plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def tertiles(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The third, 1 to 3, that each of the n >= 3 values falls in, in the ascending order; shape (n,).

    Sizes are floor(n/3), floor(n/3) and the rest. Equal values are ordered by position, so the same input gives the
    same thirds always. Raises ValueError for fewer than three values or one that is not finite.
    """
    if len(values) < 3 or not np.isfinite(values).all():
        raise ValueError(f"three or more finite values can be split, got {len(values)}")
    third = len(values) // 3
    result = np.empty(len(values), dtype=np.int64)
    result[np.argsort(values, kind="stable")] = np.repeat([1, 2, 3], [third, third, len(values) - 2 * third])
    return result


@dataclass(frozen=True, slots=True)
class Deck:
    """A pool of n records, shuffled: the order they are drawn in, (n,) int64, and where each stands in a mix, (n,) float64."""

    order: NDArray[np.int64]
    place: NDArray[np.float64]


def shuffled(size: int, *key: int) -> Deck:
    """A pool's deck, by its size and a key such as (seed, repeat, pool) alone: no other draw has a say in it."""
    pick = np.random.default_rng(np.random.SeedSequence(key))
    return Deck(pick.permutation(size), pick.random(size))


def mixed(decks: Sequence[Deck], counts: Sequence[int]) -> NDArray[np.int64]:
    """The first `counts` of each deck, together in random order: (sum of counts, 2), deck and record number.

    A larger count takes all that a smaller one takes, and what two mixes share stands in the same order in both.
    """
    taken = [deck.order[:count] for deck, count in zip(decks, counts, strict=True)]
    for deck, count in zip(decks, counts, strict=True):
        if not 0 <= count <= len(deck.order):
            raise ValueError(f"{count} records cannot be drawn from {len(deck.order)}")
    number = np.concatenate([np.full(count, which) for which, count in enumerate(counts)])
    places = np.concatenate([deck.place[chosen] for deck, chosen in zip(decks, taken, strict=True)])
    return np.stack([number, np.concatenate(taken)], axis=1)[np.argsort(places, kind="stable")].astype(np.int64)
