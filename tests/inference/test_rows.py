"""When a row ends, and that what it draws is distributed as the model says."""

from pathlib import Path

import pytest
from inference.engines import Request, Sampling
from inference.rows import BatchRow, draw
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


@pytest.mark.parametrize("places", [[0, 1, 2, 3, 4, 5], [3, 100, 255, 256, 520, 599]])
def test_tokens_are_drawn_as_the_softmax_says_within_blocks_and_across(places: list[int]) -> None:
    import torch

    draws = 20_000
    some = torch.tensor([2.0, 1.0, 0.0, -1.0, -3.0, float("-inf")])
    logits = torch.full((600,), float("-inf"))
    logits[places] = some
    rows = [BatchRow(Request((), 1, seed), Sampling(1.0, 1.0, (), ()), None, "cpu") for seed in range(draws)]
    counts = torch.bincount(draw(logits.repeat(draws, 1), rows), minlength=600)[places]
    expected = torch.softmax(some, 0) * draws
    assert counts.sum() == draws
    assert counts[-1] == 0
    chi_square = ((counts - expected) ** 2 / expected)[:-1].sum()
    assert chi_square < 18.5  # 4 degrees of freedom, p = 0.001


def test_a_row_draws_anew_at_every_step_and_nothing_after_its_end() -> None:
    import torch

    row = BatchRow(Request((), 99, 7), Sampling(1.0, 1.0, (), ()), None, "cpu")
    drawn = [int(draw(torch.zeros(1, 1000), [row])) for _ in range(20)]
    assert len(set(drawn)) > 15
    state = row.generator.get_state()
    row.ended = True
    draw(torch.zeros(1, 1000), [row])
    assert torch.equal(row.generator.get_state(), state)
    row.restart()
    assert [int(draw(torch.zeros(1, 1000), [row])) for _ in range(20)] == drawn
