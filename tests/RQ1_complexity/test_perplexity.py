import math
import random
from pathlib import Path
from typing import Any

import pytest
from architectures import ARCHITECTURES, PLAIN, make
from RQ1_complexity.perplexity import Perplexity
from seedkit import batching, likelihood
from seedkit.likelihood import EMBEDDED_LM, one_pass_gelu
from support import check_batches

TEXTS = ["Add two numbers.", "Sort the list. " * 5, "é 漢字", "Design a cache. " * 100] + [
    f"n{i} " * i for i in range(1, 40)
]
ENGLISH = [
    "The city council will meet on Thursday evening to discuss the new plan for the old market square.",
    "My grandmother kept a small garden behind the house, where she grew beans, tomatoes and a few roses.",
    "Because the train was late again, we decided to walk along the river and have lunch in the village.",
    "A good teacher explains the same idea in several ways until every student in the room has understood it.",
    "When the storm was over, the fishermen went down to the harbour to see what was left of their boats.",
    "He wanted to buy a present for his sister, but all of the shops in the street were already closed.",
    "The doctor asked me how long I had been ill and told me to stay in bed for at least three more days.",
    "Two of the children were playing in the yard while their mother prepared the dinner in the kitchen.",
]


def values(model: object, texts: list[str], max_batch_tokens: int = 4096) -> list[float]:
    found = [score.value for score in Perplexity(str(model), device="cpu", max_batch_tokens=max_batch_tokens)(texts)]
    assert all(value is not None for value in found)
    return [value for value in found if value is not None]


def test_it_is_exp_of_the_models_own_mean_loss_text_by_text(tiny_gpt2: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_gpt2)
    model = AutoModelForCausalLM.from_pretrained(tiny_gpt2).eval()
    expected = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer(text)["input_ids"][:512]])
        with torch.no_grad():
            expected.append(math.exp(model(input_ids=ids, labels=ids).loss.item()))
    assert max(len(tokenizer(text)["input_ids"]) for text in TEXTS) > 512
    assert values(tiny_gpt2, TEXTS) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_heads_that_scale_or_cap_their_logits(kind: str, tiny_llama: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make(kind, tmp_path / kind, tiny_llama)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    expected = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer(text)["input_ids"][:512]])
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1].double()
        expected.append(math.exp(torch.nn.functional.cross_entropy(logits, ids[0, 1:]).item()))
    assert (Perplexity(str(folder), device="cpu").likelihood.head is not None) == (kind in PLAIN)
    assert values(folder, TEXTS) == pytest.approx(expected, rel=1e-5)


def test_logits_are_never_there_for_more_than_a_piece(tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = values(tiny_gpt2, TEXTS)
    monkeypatch.setattr(likelihood, "LOGITS_BYTES", 4 * 300 * 100)  # 100 tokens of the 300 in the vocabulary
    measure = Perplexity(str(tiny_gpt2), device="cpu")
    sizes: list[int] = []
    measure.likelihood.head.register_forward_hook(lambda _, inputs, logits: sizes.append(len(logits)))
    assert [score.value for score in measure(TEXTS)] == whole
    assert 2 * len(measure.batches(TEXTS)) < len(sizes)
    assert 90 < max(sizes) <= 100


def test_in_bfloat16_the_head_is_float32(tiny_gpt2: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_gpt2)
    model = AutoModelForCausalLM.from_pretrained(tiny_gpt2, dtype=torch.bfloat16).eval()
    one_pass_gelu(model)
    head = model.get_output_embeddings().weight.float()
    expected = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer(text)["input_ids"][:512]])
        with torch.no_grad():
            logits = model.base_model(input_ids=ids).last_hidden_state[0, :-1].float() @ head.T
            expected.append(torch.nn.functional.cross_entropy(logits, ids[0, 1:]).exp().item())
    found = Perplexity(str(tiny_gpt2), device="cpu", dtype="bfloat16", max_batch_tokens=1)(TEXTS)
    assert [score.value for score in found] == pytest.approx(expected, rel=1e-5)


def test_batch_sizes_1_and_64_agree(tiny_gpt2: Path) -> None:
    alone = values(tiny_gpt2, TEXTS, max_batch_tokens=1)
    assert values(tiny_gpt2, TEXTS, max_batch_tokens=64 * 512) == pytest.approx(alone, rel=1e-5)


def test_batch_by_batch_gives_the_bits_of_the_whole_chunk(tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "PASSES", 2)
    texts = [*TEXTS, "a", *TEXTS[::-1]]  # one has no perplexity; many are alike in length
    check_batches(Perplexity(str(tiny_gpt2), device="cpu", max_batch_tokens=300), texts)


def test_fewer_than_two_tokens_have_none(tiny_gpt2: Path) -> None:
    one, two = Perplexity(str(tiny_gpt2), device="cpu")(["a", "ab"])
    assert one.value is None
    assert one.reason == "1 tokens: perplexity needs at least two"
    assert two.value is not None


def test_any_causal_model_will_do(tiny_llama: Path) -> None:
    assert all(value > 1 for value in values(tiny_llama, TEXTS))


def test_the_embedded_model_knows_english_from_shuffled_words() -> None:
    shuffled = []
    for text in ENGLISH:
        words = text.split()
        random.Random(0).shuffle(words)
        shuffled.append(" ".join(words))
    plain, mixed = values(EMBEDDED_LM, ENGLISH), values(EMBEDDED_LM, shuffled)
    assert all(a < b for a, b in zip(plain, mixed, strict=True))
    ratios = sorted(b / a for a, b in zip(plain, mixed, strict=True))
    assert ratios[len(ratios) // 2] > 1.5


def test_the_embedded_model_is_small() -> None:
    from safetensors import safe_open

    (weights,) = EMBEDDED_LM.glob("*.safetensors")
    assert weights.stat().st_size < 8_000_000
    with safe_open(weights, "np") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}


def test_gelu_in_one_pass_is_gpt2s() -> None:
    import torch
    from transformers.activations import NewGELUActivation

    model = torch.nn.Sequential(torch.nn.Sequential(NewGELUActivation()))
    x = torch.linspace(-8, 8, 4001)
    expected = model(x)
    one_pass_gelu(model)
    assert [type(module) for module in model.modules()][2:] == [torch.nn.GELU]
    assert torch.allclose(model(x), expected, rtol=1e-5, atol=1e-6)


def test_each_text_is_tokenized_once(tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Perplexity(str(tiny_gpt2), device="cpu", max_batch_tokens=300)
    tokenized: list[str] = []
    call = type(model.likelihood.tokenizer).__call__

    def counted(self: Any, texts: list[str], **options: Any) -> Any:
        tokenized.extend(texts)
        return call(self, texts, **options)

    monkeypatch.setattr(type(model.likelihood.tokenizer), "__call__", counted)
    for batch in model.batches(TEXTS):
        model([TEXTS[index] for index in batch])
    assert sorted(tokenized) == sorted(TEXTS)
