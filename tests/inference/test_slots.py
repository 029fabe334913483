"""Which models can have a cache of slots, that answers with it are right in each family, and the attention over it."""

import math
from pathlib import Path
from typing import Any

import pytest
from engine_cases import GREEDY, engine, made, naive, requests
from inference.engines import Request, answer
from inference.slots import GROUPED, Slots, grouped_attention
from inference.transformers_engine import TransformersEngine
from seedkit.causal_lm import load_tokenizer

pytestmark = pytest.mark.usefixtures("one_thread")

WINDOW = 40  # tokens; the longest request of the cases has more, the shortest fewer
PLAIN: dict[str, dict[str, Any]] = {
    "Qwen2": {"num_key_value_heads": 2},
    "Gemma": {"num_key_value_heads": 1, "head_dim": 16},  # one head of keys for all
    "GPTNeoX": {},
    "Falcon": {"alibi": True},  # a mask of its own, with numbers for each head
    "Mixtral": {"num_key_value_heads": 2, "num_local_experts": 4},
}
WINDOWED: dict[str, dict[str, Any]] = {
    "Mistral": {"num_key_value_heads": 2, "sliding_window": WINDOW},
    "Gemma2": {"num_key_value_heads": 2, "head_dim": 16, "sliding_window": WINDOW},
}
OTHERS: dict[str, dict[str, Any]] = {
    "Lfm2": {"num_key_value_heads": 2, "layer_types": ["conv", "full_attention"]},  # a state beside the cache
    "Bloom": {},  # takes no positions
}


@pytest.mark.parametrize("kind", [*PLAIN, *WINDOWED, *OTHERS])
def test_answers_of_every_family_are_those_of_one_token_at_a_time(tmp_path: Path, kind: str) -> None:
    model = made(kind, tmp_path, **{**PLAIN, **WINDOWED, **OTHERS}[kind])
    asked = requests(model)
    wanted = [Request(one.prompt, 8 + 3 * number, one.seed) for number, one in enumerate(asked)]
    wanted.append(Request(asked[0].prompt[:1], 9, 0))  # a prompt of one token
    tokens = load_tokenizer(str(model))
    expected = [answer(tokens, one.prompt, naive(model, one), GREEDY) for one in wanted]
    small = TransformersEngine(str(model), GREEDY, device="cpu", dtype="float32", max_batch_tokens=150)
    assert small._slot_limit == (math.inf if kind in PLAIN else WINDOW if kind in WINDOWED else 0)
    assert small(wanted) == expected
    short = [number for number, one in enumerate(wanted) if len(one.prompt) + one.max_new_tokens <= WINDOW]
    assert 1 < len(short) < len(wanted)
    assert small([wanted[number] for number in short]) == [expected[number] for number in short]


def test_a_slot_keeps_its_own_when_others_go(tiny_llama: Path) -> None:
    """After drops and additions the next token's logits are those of the whole row."""
    import torch

    network = engine(tiny_llama)._model
    rows = [[number * 7 + step for step in range(length)] for number, length in enumerate((9, 70, 4, 20, 33))]
    slots, left = Slots(), rows[:3]

    def add(some: list[list[int]]) -> None:
        ids = torch.tensor([[*row[:-1], *[0] * (80 - len(row))] for row in some])
        slots.append(network.base_model(input_ids=ids, use_cache=True).past_key_values, [len(row) - 1 for row in some])

    def check() -> None:
        found = network(**slots.inputs([row[-1] for row in left], [len(row) - 1 for row in left], "cpu")).logits[:, -1]
        for row, logits in zip(left, found, strict=True):
            torch.testing.assert_close(logits, network(input_ids=torch.tensor([row])).logits[0, -1], atol=1e-4, rtol=0)

    with torch.inference_mode():
        add(left)
        check()
        slots.drop(1)
        left = [rows[0], rows[2]]
        check()
        add(rows[3:])
        left += rows[3:]
        check()
        slots.drop(0)
        left = [rows[4], rows[2], rows[3]]
        check()


@pytest.mark.parametrize(("heads", "shared", "tokens"), [(6, 2, 1), (4, 1, 1), (4, 1, 7), (3, 3, 5)])
def test_grouped_attention_is_that_of_copied_heads(heads: int, shared: int, tokens: int) -> None:
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    torch.manual_seed(0)
    query = torch.randn(3, heads, tokens, 16)
    key, value = torch.randn(2, 3, shared, 11, 16)
    module = torch.nn.Module()
    module.num_key_value_groups = heads // shared  # type: ignore[assignment]
    mask = torch.zeros(3, 1, tokens, 11).masked_fill_(
        torch.rand(3, 1, tokens, 11) < 0.3, torch.finfo(torch.float32).min
    )
    expected, _ = sdpa_attention_forward(module, query, key, value, mask, scaling=0.2)
    found, _ = grouped_attention(module, query, key, value, mask, scaling=0.2)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_shared_heads_are_not_copied(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.integrations import sdpa_attention

    small = engine(tiny_llama)
    assert small._model.config._attn_implementation == GROUPED
    monkeypatch.delattr(sdpa_attention, "repeat_kv")
    assert all(found.text for found in small(requests(tiny_llama)))
