"""A chat template's token ids of a conversation, and what ends an answer."""

import json
from pathlib import Path

import pytest
from inference.chat import Message, chat_ids, end_ids
from seedkit.causal_lm import load_tokenizer
from seedkit.errors import InputError

TURNS = [Message("system", "be short"), Message("user", "add 1")]


def test_a_conversation_is_what_the_template_makes_of_it(tiny_llama: Path) -> None:
    tokenizer = load_tokenizer(str(tiny_llama))
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}> {% endif %}"
    assert tokenizer.decode(chat_ids("tiny", tokenizer, TURNS)) == "system: be short\nuser: add 1\n> "


def test_a_model_without_a_template_or_with_one_that_refuses_is_told(tiny_llama: Path) -> None:
    tokenizer = load_tokenizer(str(tiny_llama))
    with pytest.raises(InputError, match="tiny: expected a chat model, its tokenizer has no chat template"):
        chat_ids("tiny", tokenizer, TURNS)
    tokenizer.chat_template = "{{ raise_exception('no system, please') }}"
    with pytest.raises(InputError, match="does not take messages of system, user: no system, please"):
        chat_ids("tiny", tokenizer, TURNS)


def test_all_that_ends_a_text_ends_an_answer(tiny_llama: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(tiny_llama))
    own = tokenizer.eos_token_id
    assert end_ids(str(tiny_llama), tokenizer) == {own}
    for file in tiny_llama.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": [own, 7]}))
    assert end_ids(str(tmp_path), tokenizer) == {own, 7}
