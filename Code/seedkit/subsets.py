"""Splitting and mixing records: pure functions of plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def in_tertiles(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The tertile, 1 (lowest) to 3, of each of the n >= 3 values; shape (n,).

    Sizes are floor(n/3), floor(n/3) and the rest. Equal values keep the input's order, so the same input always gives
    the same tertiles. Raises ValueError for fewer than three values or one that is not finite.
    """
    if len(values) < 3 or not np.isfinite(values).all():
        raise ValueError(f"three or more finite values can be split, got {len(values)}")
    third = len(values) // 3
    result = np.empty(len(values), dtype=np.int64)
    result[np.argsort(values, kind="stable")] = np.repeat([1, 2, 3], [third, third, len(values) - 2 * third])
    return result


def matched_tertiles(values: NDArray[np.float64], by: NDArray[np.int64], bins: int) -> NDArray[np.int64]:
    """Tertiles of `values` (n >= 3,) among records that are alike in `by` (n,): those of each bin on its own; shape (n,).

    The bins are the quantiles of `by`, `bins` of them or as many as there are whole triples of records; each has a multiple
    of three records, but for the last, which has the rest too. So the tertiles have the sizes of `in_tertiles`, and nearly the
    same distribution of `by`. Equal values keep the input's order. Raises ValueError as `in_tertiles` does.
    """
    triples = max(1, len(values) // 3)
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(by, kind="stable")] = np.arange(len(values))
    bins = min(bins, triples)
    bin_of = np.minimum(rank // 3, triples - 1) * bins // triples
    result = np.empty(len(values), dtype=np.int64)
    for number in range(bins):
        members = np.flatnonzero(bin_of == number)
        result[members] = in_tertiles(values[members])
    return result


@dataclass(frozen=True, slots=True)
class Deck:
    """A shuffled pool of n records.

    `order`, (n,) int64, is the order in which they are drawn. `key`, (n,) float64, orders the records of a mix: each
    stands behind all that have a smaller key.
    """

    order: NDArray[np.int64]
    key: NDArray[np.float64]


def shuffled(size: int, *seed: int) -> Deck:
    """The deck of a pool of `size` records, seeded by numbers such as (seed, repeat, pool).

    It depends on nothing else: adding, removing or reordering other draws changes no deck.
    """
    pick = np.random.default_rng(np.random.SeedSequence(seed))
    return Deck(pick.permutation(size), pick.random(size))


def unshuffled(size: int, place: int) -> Deck:
    """The deck of a pool of `size` records in the input's order; mixed with others, a deck of a higher place comes later."""
    order = np.arange(size)
    return Deck(order, place + order / max(1, size))


def mixed(decks: Sequence[Deck], counts: Sequence[int]) -> NDArray[np.int64]:
    """The first `counts` of each deck, together in random order: (sum of counts, 2), deck and record number.

    A larger count takes all that a smaller one takes, and records that two mixes share are in the same order in both.

    Raises ValueError for a count below zero or above the deck's size.
    """
    taken = [deck.order[:count] for deck, count in zip(decks, counts, strict=True)]
    for deck, count in zip(decks, counts, strict=True):
        if not 0 <= count <= len(deck.order):
            raise ValueError(f"{count} records cannot be drawn from {len(deck.order)}")
    which = np.concatenate([np.full(count, number) for number, count in enumerate(counts)])
    keys = np.concatenate([deck.key[chosen] for deck, chosen in zip(decks, taken, strict=True)])
    return np.stack([which, np.concatenate(taken)], axis=1)[np.argsort(keys, kind="stable")].astype(np.int64)
