"""The search for near duplicates."""

import random
from tempfile import TemporaryFile

import numpy as np
import pytest
from seeds import near_duplicates as module
from seeds.near_duplicates import Match, NearDuplicates, band_hashes, bands, jaccard, shingles

WORDS = [f"word{number}" for number in range(500)]


def text(length: int, seed: int = 0) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def matches(texts: list[str], threshold: float) -> dict[int, Match]:
    """By number, the texts that are near to an earlier one."""
    with TemporaryFile() as file:
        search = NearDuplicates(threshold, file)
        for one in texts:
            search.add(one)
        return dict(search.matches(texts.__getitem__))


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
        kept: list[int] = []
        expected: dict[int, Match] = {}
        for number, one in enumerate(texts):
            alike = ((earlier, jaccard(shingles(one), shingles(texts[earlier]))) for earlier in kept)
            match = next((Match(earlier, value) for earlier, value in alike if value >= threshold), None)
            if match is None:
                kept.append(number)
            else:
                expected[number] = match
        found = matches(texts, threshold)
        assert len(expected) > 50
        assert sum(found.get(number) != expected.get(number) for number in range(len(texts))) <= 2, threshold


def test_what_is_removed_is_at_the_threshold_or_above() -> None:
    base = text(100)
    few, many = base.split(), base.split()
    few[10] = few[50] = "x"
    for position in range(0, 100, 10):
        many[position] = "x"
    found = matches([base, " ".join(few), " ".join(many)], 0.85)
    assert list(found) == [1]
    assert found[1].number == 0
    assert found[1].jaccard == jaccard(shingles(base), shingles(" ".join(few))) >= 0.85


def test_a_threshold_of_one_takes_only_the_same_words() -> None:
    texts = [
        "print the number one, two and three",
        "Print the number one,  two and three",
        "print the number one, two and four",
    ]
    assert matches(texts, 1.0) == {1: Match(0, 1.0)}


def test_a_text_that_is_left_out_stands_for_no_other() -> None:
    base = text(100).split()
    second, third = [*base], [*base]
    second[20] = third[20] = "x"
    third[50] = third[80] = "y"
    texts = [" ".join(words) for words in (base, second, third)]
    assert jaccard(shingles(texts[0]), shingles(texts[2])) < 0.85 <= jaccard(shingles(texts[1]), shingles(texts[2]))
    assert list(matches(texts, 0.85)) == [1]
    assert matches(texts[1:], 0.85).keys() == {1}


def test_no_text_and_texts_that_share_nothing_have_no_match() -> None:
    assert matches([], 0.85) == {}
    assert matches([text(30, seed) for seed in range(600)], 0.85) == {}


def test_equal_bands_have_equal_hashes_and_others_do_not() -> None:
    signatures = np.random.default_rng(0).integers(2, size=(2000, 128), dtype=np.uint32)
    hashes = band_hashes(signatures, 16)
    assert hashes.shape == (2000, 16)
    for band in range(16):
        values = signatures[:, band * 8 : band * 8 + 8]
        _, by_value = np.unique(values, axis=0, return_inverse=True)
        _, by_hash = np.unique(hashes[:, band], return_inverse=True)
        assert len(set(zip(by_value, by_hash, strict=True))) == len(set(by_value)) == len(set(by_hash))


def test_of_many_close_texts_the_closest_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSEST", 4)
    words = [f"w{number}" for number in range(60)]
    texts = [  # alike in all but a run of words in the middle: close to each other, and no duplicates
        " ".join([*words[:25], *(f"x{number}_{part}" for part in range(10)), *words[25:]]) for number in range(200)
    ]
    twin = " ".join([*words[:25], *(f"x{120}_{part}" for part in range(10)), *words[25:], "end"])
    found = matches([*texts, twin], 0.85)
    assert list(found) == [200]
    assert found[200].number == 120
