"""How many tokens of a prompt and an answer are kept at the cutoff, and what a real model's templates make of a record."""

from pathlib import Path

import pytest
from evaluation.generation.prompts import TrainingPrompts
from loader_cases import ANSWER, encoded_turns
from seedkit.causal_lm import load_tokenizer
from training.encoding import RecordEncoder, kept_lengths


@pytest.mark.parametrize(
    ("source", "target", "cutoff", "kept"),
    [
        (10, 10, 20, (10, 10)),
        (100, 9, 20, (11, 9)),  # the answer takes less than half: the prompt is cut
        (9, 100, 20, (9, 11)),  # the prompt takes less than half: the answer is cut
        (100, 100, 20, (10, 10)),
        (30, 60, 20, (7, 13)),  # both in proportion, the answer's part rounded down
        (0, 50, 20, (0, 20)),
    ],
)
def test_how_the_cutoff_is_split(source: int, target: int, cutoff: int, kept: tuple[int, int]) -> None:
    assert kept_lengths(source, target, cutoff) == kept


TEXTS = ["Add two numbers, 12 and 345.", "\n\n 1\n", "<|im_start|>", " é {{content}}", "def f(x):\n    return 2 * x\n"]


@pytest.mark.heavy
def test_chatml_templates_are_those_of_llamafactory_and_of_the_model(
    smollm2: Path, tmp_path: Path, trainer_environment: str
) -> None:
    """Token by token; the model's own chat template, as LLaMA-Factory reads it, is byte for byte what the model knows."""
    encoded = encoded_turns(trainer_environment, tmp_path, smollm2, TEXTS, ("chatml", "smollm2", "tokenizer"))
    for name, samples in encoded.items():
        prompts, counts = TrainingPrompts(str(smollm2), name), RecordEncoder(str(smollm2), name).token_counts
        assert [prompts(text) for text in TEXTS] == [prompt for prompt, _ in samples]
        assert counts([(text, ANSWER) for text in TEXTS]) == [(len(prompt), len(answer)) for prompt, answer in samples]
    tokens = load_tokenizer(str(smollm2))
    for text, (prompt, answer) in zip(TEXTS, encoded["tokenizer"], strict=True):
        asked = tokens.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
        )
        assert tokens.decode(prompt) == asked
        assert tokens.decode(answer) == f"{ANSWER}<|im_end|>\n"
    own, named = (tokens.decode(encoded[name][0][0]) for name in ("tokenizer", "smollm2"))
    assert named == own.replace("Hugging Face<|im_end|>", "Hugging Face.<|im_end|>")
    assert named != own
