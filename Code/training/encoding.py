"""How many tokens LLaMA-Factory makes of a record, and how many of them it keeps at its cutoff.

A training sample is the template's prefix, the system text and the prompt, then the answer with the template's end. Each
piece of a template is tokenized by itself. The templates are those of llamafactory/data/template.py in release 0.9.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seedkit.errors import InputError
from seedkit.models import loading

EOS, BOS = "<eos>", "<bos>"  # in the pieces below they stand for the tokenizer's own tokens
CONTENT = "{{content}}"
QWEN_SYSTEM = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
ALPACA_SYSTEM = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
)
DEEPSEEK_SYSTEM = (
    "You are an AI programming assistant, utilizing the DeepSeek Coder model, developed by DeepSeek Company, and you only "
    "answer questions related to computer science. For politically sensitive questions, security and privacy issues, and "
    "other non-computer science questions, you will refuse to answer.\n"
)
SMOLLM2_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face."
THOUGHT = ("<think>\n", "\n</think>\n\n")


@dataclass(frozen=True, slots=True)
class Template:
    """The pieces of text around a record's prompt and answer; a piece that is EOS or BOS is that one token."""

    user: tuple[str, ...] = (CONTENT,)
    answer: tuple[str, ...] = (CONTENT, EOS)
    prefix: tuple[str, ...] = ()
    system: tuple[str, ...] = (CONTENT,)
    default_system: str = ""
    stop_words: tuple[str, ...] = ()
    replace_eos: bool = False  # the first stop word becomes the tokenizer's end-of-text token
    reasoning: bool = False  # an answer without a thought gets an empty one before it


TEMPLATES = {
    "alpaca": Template(
        ("### Instruction:\n{{content}}\n\n### Response:\n",), (CONTENT, EOS, "\n\n"), default_system=ALPACA_SYSTEM
    ),
    "chatml": Template(
        ("<|im_start|>user\n{{content}}<|im_end|>\n<|im_start|>assistant\n",),
        ("{{content}}<|im_end|>\n",),
        system=("<|im_start|>system\n{{content}}<|im_end|>\n",),
        stop_words=("<|im_end|>", "<|im_start|>"),
        replace_eos=True,
    ),
    "deepseekcoder": Template(
        ("### Instruction:\n{{content}}\n### Response:",),
        ("\n{{content}}\n<|EOT|>\n",),
        (BOS,),
        default_system=DEEPSEEK_SYSTEM,
    ),
    "default": Template(
        ("Human: {{content}}", EOS, "\nAssistant:"), (CONTENT, EOS, "\n"), system=("System: {{content}}", EOS, "\n")
    ),
    "empty": Template(answer=(CONTENT,)),
    "llama3": Template(
        (
            "<|start_header_id|>user<|end_header_id|>\n\n{{content}}<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        ("{{content}}<|eot_id|>",),
        (BOS,),
        ("<|start_header_id|>system<|end_header_id|>\n\n{{content}}<|eot_id|>",),
        stop_words=("<|eot_id|>", "<|eom_id|>"),
        replace_eos=True,
    ),
    "qwen": Template(
        ("<|im_start|>user\n{{content}}<|im_end|>\n<|im_start|>assistant\n",),
        ("{{content}}<|im_end|>\n",),
        system=("<|im_start|>system\n{{content}}<|im_end|>\n",),
        default_system=QWEN_SYSTEM,
        stop_words=("<|im_end|>",),
        replace_eos=True,
    ),
    "smollm2": Template(
        ("<|im_start|>user\n{{content}}<|im_end|>\n<|im_start|>assistant\n",),
        ("{{content}}<|im_end|>\n",),
        system=("<|im_start|>system\n{{content}}<|im_end|>\n",),
        default_system=SMOLLM2_SYSTEM,
        stop_words=("<|im_end|>",),
    ),
}
TOKENIZER = "tokenizer"  # the tokenizer's own chat template, or "empty" if it has none
NAMES = (*TEMPLATES, TOKENIZER)
FALLBACK = "default"  # where nothing names a template and the tokenizer has none of its own


def kept_lengths(source: int, target: int, cutoff: int) -> tuple[int, int]:
    """How many tokens are kept of a prompt of `source` tokens and an answer of `target` tokens, as (prompt, answer).

    If the answer is shorter than half of `cutoff`, the prompt is cut; else if the prompt is shorter than half, the answer
    is cut; else both are, in proportion: answer = floor(cutoff * target / (source + target)).
    """
    if cutoff <= 0:
        return 0, 0
    if target * 2 < cutoff:
        room = cutoff
    elif source * 2 < cutoff:
        room = cutoff - source
    else:
        room = int(cutoff * (target / (source + target)))
    target = min(room, target)
    return min(max(cutoff - target, 0), source), target


class RecordEncoder:
    """Encodes records as LLaMA-Factory does, with a student's tokenizer and one of its templates.

    `name` is the template's, one of NAMES; `chats` says whether the tokenizer has a chat template that LLaMA-Factory reads.
    """

    def __init__(self, tokenizer: str, template: str | None = None) -> None:
        """`tokenizer` is a hub id or a folder, `template` one of NAMES.

        Without a template it is the tokenizer's own chat template where it has one, else FALLBACK.

        Raises InputError if there is no such tokenizer, or its chat template cannot be used.
        """
        from transformers import AutoTokenizer

        with loading(tokenizer):
            self.tokenizer = AutoTokenizer.from_pretrained(tokenizer)
            self.tokenizer.model_max_length = 1 << 60  # so that it neither cuts a text nor warns of its length
            self.chats = isinstance(self.tokenizer.chat_template, str)
            self.name = template or (TOKENIZER if self.chats else FALLBACK)
            if self.name != TOKENIZER:
                self.template = TEMPLATES[self.name]
            elif self.chats:
                self.template = self._chat_template(tokenizer)
            else:
                self.template = TEMPLATES["empty"]
        self._add_special_tokens()
        system = self.template.default_system
        before = [piece.replace(CONTENT, system, 1) for piece in self.template.system] if system else []
        self._constant = sum(self._counts([*self.template.prefix, *before]))
        self._thought = sum(self._counts(["".join(THOUGHT)])) if self.template.reasoning else 0

    def why(self, named_by: str | None) -> str:
        """Which template is taken and why, in words; `named_by` is the flag or preset that names it, if any does."""
        has = "has a chat template of its own" if self.chats else "has no chat template of its own"
        if named_by is None:
            return f"template {self.name}: the tokenizer {has}"
        if self.name == TOKENIZER and not self.chats:
            return f"template {self.name}, named by {named_by}: the tokenizer {has}, LLaMA-Factory takes empty"
        left = "; the tokenizer's own chat template is not taken" if self.chats and self.name != TOKENIZER else ""
        return f"template {self.name}, named by {named_by}{left}"

    def token_counts(self, records: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
        """For each (prompt, answer) the number of tokens of either, before anything is cut."""
        prompts = [self._constant] * len(records)
        answers = [0] * len(records)
        for piece in self.template.user:
            # LLaMA-Factory puts the turn's number in after the text, so a {{idx}} in the text is replaced too
            texts = [piece.replace(CONTENT, prompt, 1).replace("{{idx}}", "0", 1) for prompt, _ in records]
            prompts = [sum(pair) for pair in zip(prompts, self._counts(texts), strict=True)]
        for piece in self.template.answer:
            texts = [piece.replace(CONTENT, answer, 1) for _, answer in records]
            answers = [sum(pair) for pair in zip(answers, self._counts(texts), strict=True)]
        if self.template.reasoning:
            for index, (_, answer) in enumerate(records):
                answers[index] += 0 if "<think>" in answer or "</think>" in answer else self._thought
        return list(zip(prompts, answers, strict=True))

    def _counts(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each piece: 1 for EOS and BOS (0 if the tokenizer has none), 0 for an empty text."""
        if not texts:
            return []
        ones = {EOS: self.tokenizer.eos_token_id is not None, BOS: self.tokenizer.bos_token_id is not None}
        plain = [text for text in texts if text and text not in ones]
        found = iter(self.tokenizer(plain, add_special_tokens=False)["input_ids"] if plain else ())
        return [int(ones[text]) if text in ones else len(next(found)) if text else 0 for text in texts]

    def _add_special_tokens(self) -> None:
        """Add the end-of-text token and the stop words to the tokenizer, as LLaMA-Factory does before training."""
        stop_words = list(self.template.stop_words)
        if self.template.replace_eos:
            self.tokenizer.add_special_tokens({"eos_token": stop_words.pop(0)})
        if self.tokenizer.eos_token_id is None:
            self.tokenizer.add_special_tokens({"eos_token": "<|endoftext|>"})
        if stop_words:
            self.tokenizer.add_tokens(stop_words, special_tokens=True)

    def _chat_template(self, name: str) -> Template:
        """The pieces that LLaMA-Factory finds in a tokenizer's chat template by rendering it with a marked text."""
        from jinja2 import TemplateError

        def shown(*messages: tuple[str, str], ask: bool = False) -> str:
            turns = [{"role": role, "content": content} for role, content in messages]
            text: str = self.tokenizer.apply_chat_template(turns, add_generation_prompt=ask, tokenize=False)
            return text[len(prefix) :]

        prefix = self.tokenizer.decode(self.tokenizer.encode(""))
        try:
            system = shown(("system", CONTENT))
            without_system = shown(("system", ""), ("user", CONTENT), ask=True)
            user = shown(("user", CONTENT), ask=True)
            answer = shown(("user", CONTENT), ("assistant", CONTENT))[len(user) :]
        except TemplateError as error:
            raise InputError(
                f"{name}: expected a chat template that takes a system message, as LLaMA-Factory does; got: {error}; "
                f"name another with --template ({', '.join(TEMPLATES)})"
            ) from None
        reasoning = "<think>" in answer
        answer = answer.replace("<think>", "").replace("</think>", "").lstrip("\n")
        default_system = ""
        if len(user) > len(without_system):
            default_system = _difference(without_system, user)
            user = user[len(system.replace(CONTENT, default_system, 1)) :]
        if CONTENT not in user or CONTENT not in answer:
            raise InputError(
                f"{name}: expected a chat template that shows the messages, got one that does not; "
                f"name another with --template ({', '.join(TEMPLATES)})"
            )
        return Template((user,), (answer,), (prefix,) if prefix else (), (system,), default_system, reasoning=reasoning)


def _difference(short: str, long: str) -> str:
    """The characters of `long` that are not in `short`, both read from left to right; it ends where `short` does."""
    index, found = 0, ""
    for character in long:
        if index == len(short):
            return found
        if short[index] == character:
            index += 1
        else:
            found += character
    return found
