"""What all engines share: seeds, which engine is chosen, and how token ids become an answer."""

import pytest
import tiny_models
from inference.engines import Answer, Sampling, answer, choose_engine, continuation, request_seed
from seedkit.errors import InputError


def test_seeds_differ_by_run_task_and_sample() -> None:
    seeds = {request_seed(run, task, sample) for run in (0, 1) for task in ("a", "b") for sample in range(50)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert request_seed(42, "HumanEval/0", 0) == request_seed(42, "HumanEval/0", 0)


def test_a_leading_space_stays_with_tokenizers_that_drop_it() -> None:
    tokenizer = tiny_models.t5_tokenizer()
    prompt, new = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("def", "x = 1"))
    assert not tokenizer.decode(new).startswith(" ")
    assert continuation(tokenizer, prompt, new) == " x = 1"
    end = tokenizer.eos_token_id
    assert answer(tokenizer, prompt, [*new, end, *new], Sampling(0, 1, (), (end,))) == Answer(" x = 1", "stop")


def test_which_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert choose_engine("auto", "cpu") == "transformers"
    assert "engine: transformers (no CUDA device)" in capsys.readouterr().err
    assert choose_engine("transformers", "cuda:0") == "transformers"
    with pytest.raises(InputError, match="--engine magic: expected auto"):
        choose_engine("magic", "cpu")
