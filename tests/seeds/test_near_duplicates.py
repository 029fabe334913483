"""The search for near duplicates."""

import random

import pytest
from seeds import near_duplicates as module
from seeds.near_duplicates import Match, NearDuplicates, bands, jaccard, shingles

WORDS = [f"word{number}" for number in range(500)]


def text(length: int, seed: int = 0) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def test_shingles_are_runs_of_three_words_with_marks() -> None:
    assert shingles("Add a+b") == {"add a +", "a + b"}
    assert shingles("Add a + b") == shingles("add  A+B")
    assert shingles("add a-b") != shingles("add a+b")
    assert shingles("two words") == {"two words"}
    assert shingles("   ") == {""}
    assert jaccard(shingles("a b c d"), shingles("a b c e")) == 1 / 3


def test_bands_propose_what_is_at_the_threshold() -> None:
    for threshold in (0.3, 0.5, 0.7, 0.85, 0.95, 1.0):
        count = bands(threshold)
        assert 128 % count == 0
        assert (1 - threshold ** (128 // count)) ** count <= 0.01 or count == 128
    assert bands(0.95) < bands(0.85) < bands(0.5)


def test_near_duplicates_are_those_that_every_pair_compared_gives() -> None:
    random_ = random.Random(3)
    texts = [text(random_.randrange(5, 150), seed) for seed in range(150)]
    for number in range(300):
        words = random_.choice(texts).split()
        for _ in range(random_.randrange(1, 6)):
            words[random_.randrange(len(words))] = f"new{number}"
        texts.append(" ".join(words))
    for threshold in (0.5, 0.7, 0.85):
        kept: list[str] = []
        expected: list[Match | None] = []
        for one in texts:
            alike = [jaccard(shingles(one), shingles(other)) for other in kept]
            match = next((Match(n, value) for n, value in enumerate(alike) if value >= threshold), None)
            expected.append(match)
            if match is None:
                kept.append(one)
        search = NearDuplicates(threshold)
        found = [search.add(one) for one in texts]
        assert sum(match is not None for match in expected) > 50
        assert sum(match != other for match, other in zip(found, expected, strict=True)) <= 2, threshold


def test_what_is_removed_is_at_the_threshold_or_above() -> None:
    base = text(100)
    search = NearDuplicates(0.85)
    assert search.add(base) is None
    few, many = base.split(), base.split()
    few[10] = few[50] = "x"
    for position in range(0, 100, 10):
        many[position] = "x"
    match = search.add(" ".join(few))
    assert match is not None
    assert match.number == 0
    assert match.jaccard == jaccard(shingles(base), shingles(" ".join(few))) >= 0.85
    assert search.add(" ".join(many)) is None


def test_a_threshold_of_one_takes_only_the_same_words() -> None:
    search = NearDuplicates(1.0)
    assert search.add("print the number one, two and three") is None
    assert search.add("Print the number one,  two and three") == Match(0, 1.0)
    assert search.add("print the number one, two and four") is None


def test_of_many_close_texts_the_closest_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSEST", 4)
    words = [f"w{number}" for number in range(60)]
    near = NearDuplicates(0.85)
    for number in range(200):  # alike in all but a run of words in the middle: close to each other, and no duplicates
        text = [*words[:25], *(f"x{number}_{part}" for part in range(10)), *words[25:]]
        assert near.add(" ".join(text)) is None
    twin = [*words[:25], *(f"x{120}_{part}" for part in range(10)), *words[25:], "end"]
    match = near.add(" ".join(twin))
    assert match is not None
    assert match.number == 120
