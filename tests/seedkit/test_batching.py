import pytest
from seedkit import batching
from seedkit.batching import Tokenized, halving, token_batches
from seedkit.errors import RunError


def test_batches_hold_the_budget_longest_first() -> None:
    assert list(token_batches([3, 9, 4, 1, 20], 12)) == [[4], [1], [2, 0, 3]]
    assert list(token_batches([], 12)) == []


def test_a_batch_too_big_for_the_memory_is_halved() -> None:
    import torch

    calls = []

    def run(batch: list[int]) -> list[float]:
        calls.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [float(number) for number in batch]

    assert halving(run, [5, 6, 7, 8, 9]) == [5, 6, 7, 8, 9]
    assert calls == [5, 2, 3, 1, 2]
    with pytest.raises(RunError, match="does not hold one text: CUDA out of memory"):
        halving(lambda batch: run([1, 2, 3]), [1])


def test_texts_are_tokenised_once_and_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "TOKENISED_TOGETHER", 3)
    calls: list[list[str]] = []

    def tokenize(texts: list[str]) -> list[int]:
        calls.append(texts)
        return [len(text) for text in texts]

    texts = ["a", "bb", "a", "ccc", "dddd", "eeeee"]
    tokens = Tokenized(tokenize)
    assert tokens.keep(texts) == tokens.take(texts) == [1, 2, 1, 3, 4, 5]
    assert calls == [["a", "bb", "ccc"], ["dddd", "eeeee"]]
