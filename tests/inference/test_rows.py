"""When a row ends, and that what it draws is distributed as the model says."""

from pathlib import Path

import pytest
from inference.engines import Request, Sampling
from inference.rows import BatchRow, perturb
from seedkit.causal_lm import load_tokenizer

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_row_is_done_with_the_token_that_completes_the_stop(tiny_llama: Path) -> None:
    tokenizer = load_tokenizer(str(tiny_llama))
    written = tokenizer("    return é\nclass A")["input_ids"]
    row = BatchRow(Request((1, 2), 99, 0), Sampling(0.0, 1.0, ("\nclass", "\ndef"), ()), tokenizer, "cpu")
    ended = []
    for token in written:
        row.take(token)
        ended.append(row.ended)
    first = ended.index(True)
    assert "\nclass" in tokenizer.decode(written[: first + 1])
    assert "\nclass" not in tokenizer.decode(written[:first])
    assert row.tokens == written[: first + 1]  # what comes after it is not the row's


def test_perturbed_logits_are_distributed_as_their_softmax() -> None:
    import torch

    draws = 20_000
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -3.0, float("-inf")])
    rows = [BatchRow(Request((), 1, seed), Sampling(1.0, 1.0, (), ()), None, "cpu") for seed in range(draws)]
    drawn = perturb(logits.repeat(draws, 1), rows).argmax(1)
    expected = torch.softmax(logits, 0) * draws
    counts = torch.bincount(drawn, minlength=len(logits))
    assert counts[-1] == 0
    chi_square = ((counts - expected) ** 2 / expected)[:-1].sum()
    assert chi_square < 18.5  # 4 degrees of freedom, p = 0.001
