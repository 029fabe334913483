"""Prompts: the base form to the letter, chat templates, and the very tokens that a student was trained with."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import BENCHMARKS
from evaluation.generation.prompts import TrainingPrompts, choose_form, make_prompts, student_run_of
from loader_cases import encoded_turns
from seedkit.causal_lm import load_tokenizer
from training.encoding import ALPACA_SYSTEM, DEEPSEEK_SYSTEM, QWEN_SYSTEM, RecordEncoder

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
INSTRUCTION = "Add  two numbers. {{content}} {{idx}}\n\n"

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_base_form_is_the_prompt_to_the_letter(chat_model: Path, problems: Path) -> None:
    benchmark = BENCHMARKS["humaneval"]()
    loaded = benchmark.load(problems)
    tokenizer = load_tokenizer(str(chat_model))
    form = choose_form(str(chat_model), "auto", None, None)
    assert (form.name, form.template, form.why) == ("base", None, "no chat template")
    prompts = make_prompts(str(chat_model), form, benchmark, loaded)
    assert [tokenizer.decode(ids) for ids in prompts.ids] == [f"<s>{problem.prompt}" for problem in loaded]
    assert prompts.stop == benchmark.stop
    assert prompts.stop_ids == (tokenizer.eos_token_id,)


# what LLaMA-Factory 0.9.5 puts before an answer, piece by piece; <s> and </s> are the tokenizer's own
PIECES = {
    "alpaca": [ALPACA_SYSTEM, "### Instruction:\n@\n\n### Response:\n"],
    "deepseekcoder": ["<s>", DEEPSEEK_SYSTEM, "### Instruction:\n@\n### Response:"],
    "default": ["Human: @", "</s>", "\nAssistant:"],
    "empty": ["@"],
    "llama3": [
        "<s>",
        "<|start_header_id|>user<|end_header_id|>\n\n@<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ],
    "qwen": [
        f"<|im_start|>system\n{QWEN_SYSTEM}<|im_end|>\n",
        "<|im_start|>user\n@<|im_end|>\n<|im_start|>assistant\n",
    ],
}
ENDS = {"deepseekcoder": "<|EOT|>", "llama3": "<|eot_id|>", "qwen": "<|im_end|>"}


@pytest.mark.parametrize("template", PIECES)
def test_a_student_is_asked_in_the_pieces_of_its_training(
    template: str, tmp_path: Path, chat_model: Path, problems: Path, trained: Callable[..., Path]
) -> None:
    tokenizer = load_tokenizer(str(chat_model))
    expected = [
        token
        for piece in PIECES[template]
        for token in tokenizer(piece.replace("@", INSTRUCTION), add_special_tokens=False)["input_ids"]
    ]
    found = TrainingPrompts(str(chat_model), template)(INSTRUCTION)
    # the turn's number is put in where a text has the mark for it
    assert tokenizer.decode(found) == tokenizer.decode(expected).replace("{{idx}}", "0")
    ((counted, _),) = RecordEncoder(str(chat_model), template).token_counts([(INSTRUCTION, "")])
    assert len(found) == counted

    model = trained(chat_model, tmp_path, template=template)
    form = choose_form(str(model), "auto", None, student_run_of(str(model)))
    assert (form.name, form.template) == ("instruct", template)
    loaded = BENCHMARKS["humaneval"]().load(problems)[:1]
    prompts = make_prompts(str(model), form, BENCHMARKS["humaneval"](), loaded)
    assert prompts.ids == [
        [
            token
            for piece in PIECES[template]
            for token in tokenizer(piece.replace("@", loaded[0].instruction), add_special_tokens=False)["input_ids"]
        ]
    ]
    assert prompts.stop == ()
    wanted = {tokenizer.eos_token, ENDS.get(template, tokenizer.eos_token)}
    assert wanted <= set(tokenizer.convert_ids_to_tokens(prompts.stop_ids))


@pytest.mark.heavy
def test_llamafactory_puts_the_same_tokens_before_an_answer(
    tmp_path: Path, chat_model: Path, problems: Path, trainer_environment: str
) -> None:
    texts = [problem.instruction for problem in BENCHMARKS["humaneval"]().load(problems)] + [INSTRUCTION, " é ", "<s>"]
    for template, turns in encoded_turns(trainer_environment, tmp_path, chat_model, texts, PIECES).items():
        encode = TrainingPrompts(str(chat_model), template)
        assert [encode(text) for text in texts] == [prompt for prompt, _ in turns]


def test_an_end_that_is_no_single_token_is_a_stop_string(tiny_llama: Path) -> None:
    words, ids = TrainingPrompts(str(tiny_llama), "deepseekcoder").ends()
    assert words == ("<|EOT|>",)
    assert ids == {load_tokenizer(str(tiny_llama)).eos_token_id}


def with_chat_template(model: Path, folder: Path, template: str = CHAT) -> Path:
    made = Path(shutil.copytree(model, folder))
    (made / "chat_template.jinja").write_text(template)
    return made


def test_a_chat_template_is_rendered_by_the_tokenizer(tmp_path: Path, chat_model: Path, problems: Path) -> None:
    model = str(with_chat_template(chat_model, tmp_path / "chat"))
    (tmp_path / "chat" / "generation_config.json").write_text(json.dumps({"eos_token_id": [301, 7]}))
    form = choose_form(model, "auto", None, None)
    assert (form.name, form.template) == ("instruct", "chat_template")
    loaded = BENCHMARKS["humaneval"]().load(problems)
    prompts = make_prompts(model, form, BENCHMARKS["humaneval"](), loaded)
    tokenizer = load_tokenizer(model)
    assert tokenizer.decode(prompts.ids[0]) == (
        f"<|im_start|>user\n{loaded[0].instruction}<|im_end|>\n<|im_start|>assistant\n"
    )
    assert set(prompts.stop_ids) == {7, 301, tokenizer.eos_token_id}
    assert choose_form(model, "base", None, None).name == "base"
    assert choose_form(model, "auto", "alpaca", None).template == "alpaca"


def test_a_student_without_a_named_template(
    tmp_path: Path, chat_model: Path, problems: Path, trained: Callable[..., Path]
) -> None:
    """LLaMA-Factory took the tokenizer's chat template, or "empty" where there was none, and left what "empty" looks like."""
    loaded = BENCHMARKS["humaneval"]().load(problems)[:1]
    tokenizer = load_tokenizer(str(chat_model))
    bare = (
        "{% for message in messages %}{% if message['role'] == 'user' %}{{ message['content'] }}{% endif %}{% endfor %}"
    )
    for name, model in (("none", chat_model), ("bare", with_chat_template(chat_model, tmp_path / "b", bare))):
        made = str(trained(model, tmp_path / name))
        form = choose_form(made, "auto", None, student_run_of(made))
        prompts = make_prompts(made, form, BENCHMARKS["humaneval"](), loaded)
        assert prompts.ids == [tokenizer(loaded[0].instruction, add_special_tokens=False)["input_ids"]]
