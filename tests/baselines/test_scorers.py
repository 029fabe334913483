import math
from pathlib import Path

import pytest
from baselines import scorers
from baselines.scorers import InstructionFollowingDifficulty, pair_text, quality_prompt
from seedkit.records import read_records
from support import check_batches

pytestmark = pytest.mark.usefixtures("one_thread")
PAIRS = [("Add two numbers.", "def add(a, b):\n    return a + b"), ("Sort a list.", "sorted(x) # é 漢字")] + [
    (f"Task {n}. " * (n % 7 + 1), f"answer {n} " * (n % 11 + 1)) for n in range(40)
]


def measured(model: Path, pairs: list[tuple[str, str]], max_batch_tokens: int = 4096) -> list[float]:
    stage = InstructionFollowingDifficulty(str(model), device="cpu", max_batch_tokens=max_batch_tokens)
    found = [score.value for score in stage([pair_text(*pair) for pair in pairs])]
    assert None not in found
    return [value for value in found if value is not None]


def as_the_authors_compute(model: Path, pairs: list[tuple[str, str]], most: int) -> list[float]:
    """One record at a time: the loss of a causal model where the labels of the prompt are -100, and that of the answer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, lm = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model).eval()
    found = []
    for instruction, output in pairs:
        prompt = scorers.PROMPT.format(instruction=instruction)
        start = len(tokenizer(prompt, truncation=True, max_length=most)["input_ids"])
        whole = torch.tensor([tokenizer(prompt + output, truncation=True, max_length=most)["input_ids"]])
        labels = whole.clone()
        labels[0, :start] = -100
        room = most - start if whole.shape[1] == most else most
        alone = torch.tensor([tokenizer(output, truncation=True, max_length=room)["input_ids"]])
        with torch.inference_mode():
            given, by_itself = lm(whole, labels=labels).loss, lm(alone, labels=alone).loss
        found.append(math.exp(given.item()) / math.exp(by_itself.item()))
    return found


def test_it_is_the_ratio_of_two_perplexities_worked_out_by_hand(tiny_gpt2: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, lm = AutoTokenizer.from_pretrained(tiny_gpt2), AutoModelForCausalLM.from_pretrained(tiny_gpt2).eval()
    instruction, output = PAIRS[0]
    prompt = tokenizer(scorers.PROMPT.format(instruction=instruction))["input_ids"]
    whole = tokenizer(scorers.PROMPT.format(instruction=instruction) + output)["input_ids"]
    alone = tokenizer(output)["input_ids"]
    assert whole[: len(prompt)] == prompt

    def perplexity(ids: list[int], start: int) -> float:
        with torch.inference_mode():
            logs = lm(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        return math.exp(-sum(logs[i - 1, ids[i]].item() for i in range(start, len(ids))) / (len(ids) - start))

    expected = perplexity(whole, len(prompt)) / perplexity(alone, 1)
    assert measured(tiny_gpt2, PAIRS[:1]) == pytest.approx([expected], rel=1e-5)


def test_batches_of_any_size_give_what_the_authors_compute_one_by_one(tiny_gpt2: Path) -> None:
    expected = as_the_authors_compute(tiny_gpt2, PAIRS, 512)
    for budget in (1, 700, 100_000):
        assert measured(tiny_gpt2, PAIRS, max_batch_tokens=budget) == pytest.approx(expected, rel=1e-5)


def test_real_records_agree_with_the_authors_arithmetic(tiny_gpt2: Path, shared_data: Path) -> None:
    records = list(read_records(shared_data / "seeds" / "evol_instruct_code.jsonl"))[::29][:200]
    pairs = [(record.query, record.output) for record in records]
    ours = InstructionFollowingDifficulty(str(tiny_gpt2), device="cpu")([pair_text(*pair) for pair in pairs])
    kept = [number for number, score in enumerate(ours) if score.value is not None]
    assert len(records) == 200
    assert len(kept) > 150
    expected = as_the_authors_compute(tiny_gpt2, [pairs[number] for number in kept], 512)
    assert [ours[number].value for number in kept] == pytest.approx(expected, rel=1e-5)
    cut = sum(row.start < len(row.whole) == 512 for row in _rows(tiny_gpt2, [pairs[number] for number in kept]))
    assert cut > 20  # so that the rule for what does not fit was tried


def _rows(model: Path, pairs: list[tuple[str, str]]) -> list[scorers.PairRow]:
    return InstructionFollowingDifficulty(str(model), device="cpu")._tokenize([pair_text(*pair) for pair in pairs])


def test_a_token_at_the_beginning_of_every_text_is_no_token_of_the_answer(tiny_gpt2: Path, tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_gpt2)
    first = tokenizer.eos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{first} $A", special_tokens=[(first, tokenizer.eos_token_id)]
    )
    tokenizer.save_pretrained(tmp_path)
    AutoModelForCausalLM.from_pretrained(tiny_gpt2).save_pretrained(tmp_path)
    row, long = _rows(tmp_path, [PAIRS[0], ("Long.", "word " * 3000)])
    assert row.whole[0] == row.answer[0] == tokenizer.eos_token_id
    assert list(row.whole[row.start :]) == list(row.answer[1:])
    assert len(long.whole) == 512
    assert len(long.answer) - 1 == 512 - long.start


def test_what_has_no_ifd_says_why(tiny_gpt2: Path) -> None:
    stage = InstructionFollowingDifficulty(str(tiny_gpt2), device="cpu")
    long, short, good = stage([pair_text("word " * 3000, "an answer"), pair_text("Say a.", "a"), pair_text(*PAIRS[0])])
    assert (long.value, long.reason) == (None, "the prompt has 512 tokens, which leaves no room for the answer")
    assert (short.value, short.reason) == (None, "the answer has 1 tokens: its perplexity needs at least two")
    assert good.value is not None


def test_a_score_is_the_same_to_the_bit_in_any_batch(tiny_gpt2: Path) -> None:
    stage = InstructionFollowingDifficulty(str(tiny_gpt2), device="cpu", max_batch_tokens=60)
    check_batches(stage, [pair_text(f"{n}{task}", answer) for n in range(3) for task, answer in PAIRS])


def test_the_quality_prompt_is_deitas_to_the_letter() -> None:
    assert quality_prompt(pair_text("Add {x}.", 'print("\0")')) == (
        "You are a helpful assistant. Please identify the quality score of the Response corresponding to the Question. \n"
        ' #Question#:\nAdd {x}.\n#Response#:\nprint("\0") \n##Quality: '
    )
