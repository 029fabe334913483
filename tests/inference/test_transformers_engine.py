"""transformers on tiny models: the likeliest token, exact sampling, stops across tokens, and nothing that a batch changes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from engine_cases import GREEDY, engine, naive, requests
from inference.engines import Answer, Request, Sampling, answer, continuation
from inference.rows import BatchRow, perturb
from seedkit.causal_lm import load_tokenizer
from seedkit.errors import RunError

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("kind", ["tiny_llama", "tiny_gpt2"])
def test_temperature_0_is_the_likeliest_token_whatever_the_batch(kind: str, request: pytest.FixtureRequest) -> None:
    model: Path = request.getfixturevalue(kind)
    wanted, tokenizer = requests(model), load_tokenizer(str(model))
    expected = [answer(tokenizer, one.prompt, naive(model, one), GREEDY) for one in wanted]
    greedy = engine(model)
    assert greedy(wanted) == expected
    assert greedy(wanted[::-1]) == expected[::-1]
    assert [greedy([one])[0] for one in wanted] == expected
    assert {found.finish_reason for found in expected} == {"length"}


def test_every_row_has_its_own_limit(tiny_llama: Path) -> None:
    whole = engine(tiny_llama)(requests(tiny_llama))
    wanted = [Request(one.prompt, 3 * number + 1, one.seed) for number, one in enumerate(requests(tiny_llama))]
    for short, long in zip(engine(tiny_llama)(wanted), whole, strict=True):
        assert long.text.startswith(short.text.rstrip("\ufffd"))  # a limit may split a character
        assert len(short.text) < len(long.text)


def test_an_answer_ends_before_a_stop_string_that_spans_tokens(tiny_llama: Path) -> None:
    whole = [found.text for found in engine(tiny_llama)(requests(tiny_llama))]
    for text in whole:
        stop = text[5:11]
        found = engine(tiny_llama, Sampling(0.0, 1.0, (stop, "never seen"), ()))(requests(tiny_llama))
        for short, long in zip(found, whole, strict=True):
            expected = Answer(long.partition(stop)[0], "stop") if stop in long else Answer(long, "length")
            assert short == expected


def test_an_answer_ends_before_a_stop_id(tiny_llama: Path) -> None:
    wanted, tokenizer = requests(tiny_llama), load_tokenizer(str(tiny_llama))
    tokens = naive(tiny_llama, wanted[0])
    end = tokens[4]
    found = engine(tiny_llama, Sampling(0.0, 1.0, (), (end,)))(wanted[:1])
    assert found == [Answer(continuation(tokenizer, wanted[0].prompt, tokens[: tokens.index(end)]), "stop")]


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


def test_what_a_row_draws_depends_on_its_seed_alone(tiny_llama: Path) -> None:
    sampling = Sampling(0.8, 0.95, (), ())
    wanted = requests(tiny_llama)
    together = engine(tiny_llama, sampling)(wanted)
    assert engine(tiny_llama, sampling)(wanted[::-1])[::-1] == together
    assert [engine(tiny_llama, sampling)([one])[0] for one in wanted] == together
    assert together != engine(tiny_llama)(wanted)
    other = [Request(one.prompt, one.max_new_tokens, one.seed + 1) for one in wanted]
    assert all(a != b for a, b in zip(engine(tiny_llama, sampling)(other), together, strict=True))


def test_a_small_top_p_leaves_the_likeliest_token(tiny_llama: Path) -> None:
    found = engine(tiny_llama, Sampling(1.0, 1e-6, (), ()))(requests(tiny_llama))
    assert found == engine(tiny_llama)(requests(tiny_llama))


def test_the_sampling_defaults_of_a_model_folder_are_not_used(tiny_llama: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_llama, tmp_path / "model"))
    defaults = {"repetition_penalty": 5.0, "do_sample": True, "top_k": 3, "max_length": 20, "eos_token_id": [5, 6]}
    (model / "generation_config.json").write_text(json.dumps(defaults))
    assert engine(model)(requests(model)) == engine(tiny_llama)(requests(tiny_llama))


@pytest.mark.parametrize("padded", [False, True])
def test_a_batch_that_memory_does_not_hold_is_halved(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], padded: bool
) -> None:
    """At any step: what was drawn before it is kept, or drawn again, so the answers are the same."""
    import torch

    small = engine(tiny_llama, Sampling(0.8, 1.0, (), ()))
    whole = small(requests(tiny_llama))
    if padded:
        small._slot_limit = 0
    forward, most, steps = small._model.forward, 2, 0

    def tight(input_ids: torch.Tensor, **arguments: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps > 5 and len(input_ids) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(input_ids=input_ids, **arguments)

    monkeypatch.setattr(small._model, "forward", tight)
    assert small(requests(tiny_llama)) == whole
    if not padded:
        assert "does not hold 5 answers at once: going on with 2" in capsys.readouterr().err
    most = 0
    with pytest.raises(RunError, match="does not hold one text"):
        small(requests(tiny_llama))


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_model_whose_weights_are_not_numbers_gives_no_answers(
    tiny_llama: Path, tmp_path: Path, temperature: float
) -> None:
    from safetensors.torch import load_file, save_file

    broken = Path(shutil.copytree(tiny_llama, tmp_path / "broken"))
    weights = load_file(broken / "model.safetensors")
    weights[min(weights)][:] = float("nan")
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RunError, match="not finite"):
        engine(broken, Sampling(temperature, 0.9, (), ()))(requests(broken))
