"""transformers on tiny models: the likeliest token, exact sampling, stops across tokens, and nothing that a batch changes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from engine_cases import GREEDY, PROMPTS, engine, naive, requests
from inference.engines import Answer, Request, Sampling, answer, continuation
from inference.transformers_engine import TransformersEngine
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


def test_a_waiting_request_takes_the_place_of_an_answer_that_has_ended(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time, of 24 tokens and five times 6: 30 tokens one after the other beside 24, and none waits for the long one."""
    first, *others = requests(tiny_llama, prompts=[*PROMPTS, "six"])
    wanted = [first, *(Request(one.prompt, 6, one.seed) for one in others)]
    expected = [engine(tiny_llama)([one])[0] for one in wanted]
    room = 2 * max(len(one.prompt) + one.max_new_tokens for one in wanted)
    refilled = TransformersEngine(str(tiny_llama), GREEDY, device="cpu", dtype="float32", max_batch_tokens=room)
    forward, rows = refilled._model.forward, []

    def counted(input_ids: Any, **arguments: Any) -> Any:
        rows.append(len(input_ids))
        return forward(input_ids=input_ids, **arguments)

    monkeypatch.setattr(refilled._model, "forward", counted)
    assert refilled(wanted) == expected
    assert sum(rows) == 24 + 5 * 6  # no row is computed after its end
    assert max(rows) == 2
    assert len(rows) == 30
    rows.clear()
    refilled._slot_limit = 0  # what a batch that waits for its longest takes, the long one beside a short one
    assert refilled(wanted) == expected
    assert sum(rows) > 24 + 5 * 6


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
