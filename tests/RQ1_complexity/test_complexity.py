import functools
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from architectures import ARCHITECTURES, make
from RQ1_complexity.complexity import PROMPT, prompt
from seedkit.digit_scorers import DIGITS, TransformersDigits, digit_ids, expected_score
from seedkit.errors import InputError
from seedkit.score_store import ScoreStore
from seedkit.stage import Workers, score_texts
from support import answered, check_batches

TEXTS = [
    "Add two numbers.",
    "Write a function that returns the sum of a list. " * 6,
    "é ü 漢字 🙂",
    "x",
    "Design a cache with a time limit per entry, bounded memory and metrics. " * 3,
] + [f"Task {number}: " + "sort " * (number % 17) for number in range(60)]


def load(folder: Path, budget: int = 2048) -> TransformersDigits:
    return TransformersDigits(str(folder), prompt, device="cpu", dtype="float32", max_batch_tokens=budget)


def values(scorer: TransformersDigits, texts: list[str]) -> list[float]:
    found = [score.value for score in scorer(texts)]
    assert all(value is not None for value in found)
    return [value for value in found if value is not None]


def test_hand_computed_score() -> None:
    # weights 1 2 3 4 5 5 of 20: (0*1 + 1*2 + 2*3 + 3*4 + 4*5 + 5*5) / 20 = 65 / 20
    logits = np.log([[1.0, 2.0, 3.0, 4.0, 5.0, 5.0]])
    assert expected_score(logits)[0] == pytest.approx(3.25)
    assert expected_score(logits + 1000)[0] == pytest.approx(3.25)
    # all weight on one digit d scores d - 1
    assert expected_score(np.eye(6) * 1e4).tolist() == pytest.approx([0, 1, 2, 3, 4, 5])


def test_the_prompt_to_the_letter() -> None:
    assert PROMPT.format(instruction="{x}") == (
        "You are a helpful assistant. Please identify the complexity score of the following user query. "
        "\n##Query: {x}  \n##Complexity: "
    )


def test_scores_are_those_of_one_prompt_at_a_time_without_padding(tiny_llama: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_llama)
    model = AutoModelForCausalLM.from_pretrained(tiny_llama)
    ids = [tokenizer.convert_tokens_to_ids(digit) for digit in DIGITS]
    assert ids == [16, 17, 18, 19, 20, 21]
    expected = []
    for text in TEXTS:
        with torch.no_grad():
            logits = model(**tokenizer(PROMPT.format(instruction=text), return_tensors="pt")).logits[0, -1]
        weights = torch.softmax(logits[ids].double(), 0)
        expected.append(sum(index * float(weight) for index, weight in enumerate(weights)))
    assert np.std(expected) > 0.1  # the tiny model tells texts apart, so the comparison means something
    assert values(load(tiny_llama), TEXTS) == pytest.approx(expected, abs=1e-5)


def test_batch_sizes_1_and_64_give_equal_scores(tiny_llama: Path) -> None:
    one_at_a_time = values(load(tiny_llama, budget=1), TEXTS)
    together = values(load(tiny_llama, budget=64 * 512), TEXTS)
    assert together == pytest.approx(one_at_a_time, abs=1e-5)


def test_batch_by_batch_gives_the_bits_of_the_whole_chunk(tiny_llama: Path) -> None:
    texts = [*TEXTS, "word " * 600, *TEXTS[::-1]]  # one is too long; many are alike in length
    check_batches(load(tiny_llama, budget=900), texts)


def test_a_prompt_longer_than_the_context_fails_alone(tiny_llama: Path) -> None:
    short, long, _ = load(tiny_llama)(["a", "word " * 600, "b"])
    assert short.value is not None
    assert long.value is None
    assert "the scoring model takes 512" in (long.reason or "")


@pytest.mark.heavy
def test_two_cpu_workers_give_the_same_bytes_as_one(tiny_llama: Path, tmp_path: Path) -> None:
    factory = functools.partial(TransformersDigits, str(tiny_llama), prompt, dtype="float32", max_batch_tokens=4096)
    texts = [f"{text} {number}" for number in range(40) for text in TEXTS]
    found = []
    for devices in (["cpu"], ["cpu", "cpu"]):
        with Workers(factory, devices) as workers, ScoreStore(tmp_path / str(len(devices)), "p", {}) as store:
            found.append(score_texts(workers, texts, store, "test")[0])
    assert found[0] == found[1]


class _Tokens:
    def __init__(self, ids: dict[str, list[int]]) -> None:
        self.ids = ids

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        return self.ids.get(text, [int(text) + 15])


@pytest.mark.parametrize(("ids", "message"), [({"3": [29871, 41]}, '"3" is 2 tokens'), ({"3": [16]}, "six different")])
def test_each_digit_must_be_one_token_of_its_own(ids: dict[str, list[int]], message: str) -> None:
    assert digit_ids(_Tokens({}), "m") == [16, 17, 18, 19, 20, 21]
    with pytest.raises(InputError, match=message):
        digit_ids(_Tokens(ids), "m")


def test_missing_damaged_and_incomplete_models_are_one_clear_line(tiny_llama: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    with pytest.raises(InputError, match=r"model no/such-model: no such folder"):
        load(Path("no/such-model"))
    with pytest.raises(InputError, match="cannot be loaded"):
        load(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(tiny_llama, copy)
    weights = load_file(copy / "model.safetensors")
    lost = next(name for name in weights if "mlp" in name)
    save_file({name: w for name, w in weights.items() if name != lost}, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="1 weights are not in the checkpoint"):
        load(copy)
    data = (tiny_llama / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="cannot be loaded"):
        load(copy)


def test_what_is_no_causal_model_with_a_tokenizer_is_refused(tiny_llama: Path, tmp_path: Path) -> None:
    from transformers import BertConfig, BertForMaskedLM

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    bert = BertForMaskedLM(BertConfig(vocab_size=300, initializer_range=0.3, **sizes))
    bert.save_pretrained(tmp_path / "bert")
    for path in tiny_llama.glob("tokenizer*"):
        shutil.copy(path, tmp_path / "bert")
    with pytest.raises(InputError, match="not a causal language model"):
        load(tmp_path / "bert")
    bare = tmp_path / "bare"
    shutil.copytree(tiny_llama, bare, ignore=shutil.ignore_patterns("tokenizer*"))
    with pytest.raises(InputError, match="tokenizer"):
        load(bare)
    with pytest.raises(InputError, match="got a file"):
        load(tiny_llama / "config.json")


@pytest.mark.parametrize(
    "config", ["[]", '{"model_type": "llama", "hidden_size": "many"}', '{"model_type": "llama", "hidden_size": 48}']
)
def test_damaged_configurations(tiny_llama: Path, tmp_path: Path, config: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_llama, copy)
    (copy / "config.json").write_text(config)
    with pytest.raises(InputError, match="model .*copy: "):
        load(copy)


def test_numbers_that_are_none_get_no_score(tiny_llama: Path) -> None:
    scorer = load(tiny_llama)
    model: Any = scorer._model
    model.lm_head.weight.data[:] = math.nan
    (score,) = scorer(["a"])
    assert score.value is None
    assert "finite" in (score.reason or "")


def test_attention_is_causal_without_a_mask(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask would send float32 on a GPU to a kernel that is wrong for shared heads and some widths."""
    import torch

    attention, seen = torch.nn.functional.scaled_dot_product_attention, []

    def spy(*arguments: Any, **options: Any) -> Any:
        seen.append((options.get("attn_mask"), options["is_causal"]))
        return attention(*arguments, **options)

    scorer = load(tiny_llama)
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", spy)
    scorer(TEXTS)
    assert seen
    assert all(mask is None and causal for mask, causal in seen)


def prompts_alone(tokenizer: Any) -> list[Any]:
    """The token ids (1, tokens) of each prompt of TEXTS."""
    return [tokenizer(PROMPT.format(instruction=text), return_tensors="pt")["input_ids"] for text in TEXTS]


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_scores_are_those_of_the_models_own_logits(kind: str, tiny_llama: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    folder = make(kind, tmp_path / kind, tiny_llama)
    scorer = load(folder, budget=1)
    assert scorer._columns == list(range(6))  # of its head only these rows are left
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = [
            model(input_ids=ids).logits[0, -1][scorer._read.digits] for ids in prompts_alone(scorer._read.tokenizer)
        ]
    expected = expected_score(torch.stack(logits).double().numpy())
    assert np.std(expected) > 0.05
    assert values(scorer, TEXTS) == pytest.approx(expected, abs=3e-6)
    assert values(load(folder), TEXTS) == pytest.approx(expected, abs=2e-5)


def test_in_bfloat16_the_head_computes_in_float32(tiny_llama: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    scorer = TransformersDigits(str(tiny_llama), prompt, device="cpu", dtype="bfloat16", max_batch_tokens=1)
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.bfloat16).eval()
    rows = model.lm_head.weight[scorer._read.digits]
    found: dict[str, list[Any]] = {"float32": [], "bfloat16": []}
    with torch.no_grad():
        for ids in prompts_alone(scorer._read.tokenizer):
            last = model.model(input_ids=ids, use_cache=False).last_hidden_state[0, -1]
            found["float32"].append(last.float() @ rows.float().T)
            found["bfloat16"].append((last @ rows.T).float())
    expected = {name: expected_score(torch.stack(logits).double().numpy()) for name, logits in found.items()}
    assert np.abs(expected["float32"] - expected["bfloat16"]).max() > 1e-3
    assert values(scorer, TEXTS) == pytest.approx(expected["float32"], abs=3e-6)


def test_a_head_that_is_no_linear_layer_keeps_its_own_logits(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import LlamaForCausalLM

    expected = values(load(tiny_llama), TEXTS)
    monkeypatch.setattr(LlamaForCausalLM, "get_output_embeddings", lambda _: None)
    scorer = load(tiny_llama)
    assert scorer._columns == scorer._read.digits
    assert values(scorer, TEXTS) == pytest.approx(expected, abs=1e-5)


@pytest.mark.heavy
def test_compiled_layers_give_the_same_scores_whatever_came_before(tiny_llama: Path) -> None:
    def compiled() -> TransformersDigits:
        return TransformersDigits(
            str(tiny_llama), prompt, device="cpu", dtype="float32", max_batch_tokens=900, compiled=True
        )

    import torch

    plain = values(load(tiny_llama, budget=900), TEXTS)
    scorer = compiled()
    whole = values(scorer, TEXTS)
    assert whole == pytest.approx(plain, abs=1e-5)
    assert whole != plain  # kernels of its own
    last = scorer.batches(TEXTS)[-1]
    torch.compiler.reset()  # as in another process
    resumed = compiled()
    assert values(resumed, [TEXTS[index] for index in last]) == [whole[index] for index in last]
    assert values(resumed, TEXTS) == whole
    check_batches(resumed, TEXTS)


def test_a_batch_that_memory_does_not_hold_says_so(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    scorer = load(tiny_llama)
    expected, whole = scorer(TEXTS), scorer._forward

    def short(rows: Any) -> list[float]:
        if len(rows) > 10:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(rows)

    monkeypatch.setattr(scorer, "_forward", short)
    sizes = [len(batch) for batch in scorer.batches(TEXTS)]
    assert min(sizes) <= 10 < max(sizes)
    found = scorer(TEXTS)
    assert sum(score.halved for score in found) == sum(size for size in sizes if size > 10)
    assert not any(score.halved for score in expected)
    assert [score.value for score in found] == pytest.approx([score.value for score in expected], abs=1e-5)


VLLM_SCRIPT = """
import json, os, sys
from RQ1_complexity.complexity import prompt
from seedkit.digit_scorers import VllmDigits

if __name__ == "__main__":
    model, texts = json.load(sys.stdin)
    scorer = VllmDigits(model, prompt, device="cpu", dtype="bfloat16", max_batch_tokens=512)
    config = scorer._llm.llm_engine.vllm_config
    steps = [config.scheduler_config.max_num_batched_tokens, config.scheduler_config.max_num_seqs]
    values = [score.value for score in scorer(texts)]
    asked = scorer._params.logprobs, scorer._params.num_logprobs
    print("\\n" + json.dumps([values, str(config.model_config.head_dtype), steps, asked]), flush=True)
    os._exit(0)
"""


@pytest.mark.heavy
def test_vllm_in_bfloat16_computes_the_digits_logits_in_float32(
    tiny_llama: Path, tmp_path: Path, vllm_environment: str
) -> None:
    script = tmp_path / "ask.py"
    script.write_text(VLLM_SCRIPT)
    found, head, steps, asked = answered(vllm_environment, script, [str(tiny_llama), TEXTS])
    assert head == "torch.float32"
    assert steps == [512, 512]
    assert asked == [None, 6]  # of the six digits, and of no others
    ours = TransformersDigits(str(tiny_llama), prompt, device="cpu", dtype="bfloat16", max_batch_tokens=512)
    off = np.abs(np.array(found) - values(ours, TEXTS))  # the layers round in other places
    assert off.mean() < 0.05
    assert off.max() < 0.3
