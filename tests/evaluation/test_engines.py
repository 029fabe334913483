"""Engines on tiny models: the likeliest token, exact sampling, stops across tokens, and nothing that a batch changes."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from conftest import offline
from evaluation.engines import Answer, Request, Sampling, answer, choose_engine, continuation, request_seed
from evaluation.transformers_engine import Rows, TransformersEngine
from seedkit.causal_lm import load_tokenizer, padded
from seedkit.errors import InputError, RunError

PROMPTS = [
    "Write a function that returns the sum.",
    "for i in range(10):\n    ",
    "##Query: Design a cache.\n##Complexity: ",
    "é 漢",
    "sum of two numbers. " * 5,
]
GREEDY = Sampling(0.0, 1.0, (), ())


pytestmark = pytest.mark.usefixtures("one_thread")


def engine(model: Path, sampling: Sampling = GREEDY) -> TransformersEngine:
    return TransformersEngine(str(model), sampling, device="cpu", dtype="float32")


def requests(model: Path, max_new_tokens: int = 24, prompts: Sequence[str] = PROMPTS) -> list[Request]:
    tokenizer = load_tokenizer(str(model))
    return [
        Request(tuple(tokenizer(prompt)["input_ids"]), max_new_tokens, request_seed(42, prompt, 0))
        for prompt in prompts
    ]


def naive(model: Path, request: Request) -> list[int]:
    """Token ids by one whole forward pass per token, without cache, padding or batch."""
    import torch
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(model).eval()
    ids = list(request.prompt)
    with torch.inference_mode():
        for _ in range(request.max_new_tokens):
            ids.append(int(network(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(request.prompt) :]


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


@pytest.mark.parametrize(("longest", "width"), [(32, 32), (33, 34), (34, 34), (1, 2)])
def test_a_width_that_a_kernel_is_wrong_for_is_passed_over(longest: int, width: int) -> None:
    ids, mask = padded([[7] * longest, [5]], "cpu", left=True)
    assert ids.shape == mask.shape == (2, width)
    assert ids[0].tolist() == [0] * (width - longest) + [7] * longest
    assert mask.sum(1).tolist() == [longest, 1]
    assert padded([[7] * longest], "cpu", left=False)[0].shape == (1, longest)


def test_every_row_has_its_own_limit(tiny_llama: Path) -> None:
    whole = engine(tiny_llama)(requests(tiny_llama))
    wanted = [Request(one.prompt, 3 * place + 1, one.seed) for place, one in enumerate(requests(tiny_llama))]
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
    import torch

    tokenizer = load_tokenizer(str(tiny_llama))
    written = tokenizer("    return é\nclass A")["input_ids"]
    rows = Rows(tokenizer, [Request((1, 2), 99, 0)], Sampling(0.0, 1.0, ("\nclass", "\ndef"), ()), "cpu")
    ended = [bool(rows.ended(torch.tensor([written[: n + 1]]), None)[0]) for n in range(len(written))]
    first = ended.index(True)
    assert "\nclass" in tokenizer.decode(written[: first + 1])
    assert "\nclass" not in tokenizer.decode(written[:first])
    assert rows.tokens == [written[: first + 1]]  # what comes after it is not the row's


def test_perturbed_logits_are_distributed_as_their_softmax() -> None:
    import torch

    draws = 20_000
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -3.0, float("-inf")])
    rows = Rows(None, [Request((), 1, seed) for seed in range(draws)], Sampling(1.0, 1.0, (), ()), "cpu")
    drawn = rows.perturb(torch.tensor([[0]]), logits.repeat(draws, 1)).argmax(1)
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


def test_seeds_differ_by_run_task_and_sample() -> None:
    seeds = {request_seed(run, task, sample) for run in (0, 1) for task in ("a", "b") for sample in range(50)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert request_seed(42, "HumanEval/0", 0) == request_seed(42, "HumanEval/0", 0)


def test_the_sampling_defaults_of_a_model_folder_are_not_used(tiny_llama: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_llama, tmp_path / "model"))
    defaults = {"repetition_penalty": 5.0, "do_sample": True, "top_k": 3, "max_length": 20, "eos_token_id": [5, 6]}
    (model / "generation_config.json").write_text(json.dumps(defaults))
    assert engine(model)(requests(model)) == engine(tiny_llama)(requests(tiny_llama))


def test_a_batch_that_memory_does_not_hold_is_halved(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    small = engine(tiny_llama, Sampling(0.8, 1.0, (), ()))
    whole = small(requests(tiny_llama))
    generate, most = small._model.generate, 2

    def tight(*, input_ids: torch.Tensor, **arguments: Any) -> Any:
        if len(input_ids) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(input_ids=input_ids, **arguments)

    monkeypatch.setattr(small._model, "generate", tight)
    assert small(requests(tiny_llama)) == whole
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


@pytest.mark.heavy
def test_vllm_gives_the_same_greedy_text(tiny_llama: Path, tmp_path: Path) -> None:
    environment = os.environ.get("SEEDKIT_VLLM_ENV")
    if not environment:
        pytest.skip("no environment with vLLM: bash tests/run.sh --all makes it")
    whole = engine(tiny_llama)(requests(tiny_llama))
    end = naive(tiny_llama, requests(tiny_llama)[2])[6]
    sampling = Sampling(0.0, 1.0, (whole[0].text[5:11], whole[1].text[3:8]), (end,))
    expected = engine(tiny_llama, sampling)(requests(tiny_llama))
    assert {found.finish_reason for found in expected} == {"stop", "length"}
    script = tmp_path / "ask.py"
    script.write_text(VLLM_SCRIPT)
    asked = {"model": str(tiny_llama), "stop": sampling.stop, "end": end,
             "requests": [[list(one.prompt), one.max_new_tokens, one.seed] for one in requests(tiny_llama)]}  # fmt: skip
    done = subprocess.run(
        [f"{environment}/bin/python", str(script)], input=json.dumps(asked), capture_output=True, text=True,
        env=offline(), timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    greedy, sampled, alone = json.loads(done.stdout.splitlines()[-1])
    assert [Answer(*found) for found in greedy] == expected
    assert sampled[-1:] == alone  # a request's seed is its own
    assert sampled != greedy


VLLM_SCRIPT = """
import json, os, sys
from evaluation.engines import Request, Sampling
from evaluation.vllm_engine import VllmEngine

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    wanted = [Request(tuple(prompt), most, seed) for prompt, most, seed in asked["requests"]]
    sampling = Sampling(0.0, 1.0, tuple(asked["stop"]), (asked["end"],))
    engine = VllmEngine(asked["model"], sampling, device="cpu", dtype="float32", max_model_len=512)
    found = [engine(wanted)]
    engine._sampling = Sampling(0.9, 0.95, (), ())
    found += [engine(wanted), engine(wanted[-1:])]
    print("\\n" + json.dumps([[[one.text, one.finish_reason] for one in answers] for answers in found]), flush=True)
    os._exit(0)
"""
