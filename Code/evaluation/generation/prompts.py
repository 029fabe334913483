"""How a model is asked: with a problem's prompt to the letter, or with its instruction in the template it was trained with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contract import Benchmark, Problem
from inference.chat import Message, chat_ids, end_ids
from seedkit.causal_lm import load_tokenizer
from seedkit.errors import InputError, UsageError
from training.encoding import BOS, CONTENT, EOS, NAMES, TOKENIZER, RecordEncoder
from training.student_run import MODEL, PLAN, RUN, result

from evaluation.generation.adapters import Base

BASE, INSTRUCT = FORMS = ("base", "instruct")
AUTO = "auto"
CHAT_TEMPLATE = "chat_template"  # the tokenizer's own template, as apply_chat_template renders it


@dataclass(frozen=True, slots=True)
class Form:
    """BASE or INSTRUCT, and with which template."""

    name: str  # one of FORMS
    template: str | None  # one of training.encoding.NAMES, or CHAT_TEMPLATE; None for the base form
    why: str  # what decided it, for people

    @property
    def instruct(self) -> bool:
        return self.name == INSTRUCT


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prompts of all problems, and what ends an answer to them."""

    ids: list[list[int]]  # token ids of each problem's prompt, in the order of the problems
    stop: tuple[str, ...]
    stop_ids: tuple[int, ...]  # ascending


def student_run_of(model: str) -> dict[str, Any] | None:
    """run.json of the student whose model folder this is; None where it is no folder of train.py.

    Raises InputError where the student is unfinished.
    """
    folder = Path(model).resolve()
    if not folder.is_dir() or folder.name != MODEL:
        return None
    if (folder.parent / RUN).is_file():
        return result(folder.parent)
    if (folder.parent / PLAN).is_file():
        raise InputError(f"model {model}: an unfinished student, there is no {RUN} beside it; run train.py again")
    return None


def choose_form(model: str, form: str, template: str | None, run: dict[str, Any] | None) -> Form:
    """The form for --form `form`: AUTO is instruct where a student's run, --template or a chat template says how, else base.

    Raises UsageError where the flags do not fit each other or the model.
    """
    if form not in (AUTO, *FORMS):
        raise UsageError(f"--form {form}: expected {AUTO} or one of {', '.join(FORMS)}")
    if template is not None and template not in NAMES:
        raise UsageError(f"--template {template}: expected one of {', '.join(NAMES)}")
    if form == BASE:
        if template:
            raise UsageError(f"--form base asks without a template: --template {template} does not fit it")
        return Form(BASE, None, "--form base")
    if run is not None:
        trained = run["plan"]["settings"].get("template") or TOKENIZER
        if trained not in NAMES:
            raise InputError(f"{RUN} beside {model}: template {trained}: expected one of {', '.join(NAMES)}")
        if template not in (None, trained):
            raise UsageError(f"--template {template}: {model} was trained with {trained}; leave the flag out")
        return Form(INSTRUCT, trained, f"trained with template {trained}")
    if template:
        return Form(INSTRUCT, template, f"--template {template}")
    if load_tokenizer(model).chat_template:
        return Form(INSTRUCT, CHAT_TEMPLATE, "the tokenizer has a chat template")
    if form == INSTRUCT:
        raise UsageError(
            f"--form instruct: {model} has no chat template; expected --template with one of {', '.join(NAMES)}"
        )
    return Form(BASE, None, "no chat template")


def make_prompts(
    model: str, form: Form, benchmark: Benchmark, problems: Sequence[Problem], base: Base | None = None
) -> Prompts:
    """The prompts as the model gets them; `base` is the base model where the model is an adapter.

    Raises InputError where the tokenizer or its chat template cannot make them.
    """
    tokenizer = load_tokenizer(model)
    ends = end_ids(model, tokenizer) if base is None else end_ids(base.name, tokenizer, base.commit)
    if not form.instruct:
        rows = [list(tokenizer(problem.prompt)["input_ids"]) for problem in problems]
        return Prompts(rows, tuple(benchmark.stop), tuple(sorted(ends)))
    if form.template == CHAT_TEMPLATE:
        rows = [chat_ids(model, tokenizer, [Message("user", problem.instruction)]) for problem in problems]
        return Prompts(rows, (), tuple(sorted(ends)))
    template = form.template or TOKENIZER
    if template == TOKENIZER and _shows_only_the_text(tokenizer):
        template = "empty"
    trained = TrainingPrompts(model, template)
    words, ids = trained.ends()
    return Prompts([trained(problem.instruction) for problem in problems], words, tuple(sorted(ends | ids)))


class TrainingPrompts:
    """The token ids that LLaMA-Factory 0.9.5 put before an answer in training: prefix, system text, the user's turn.

    Each piece of the template is tokenized by itself, without the special tokens that the tokenizer adds to a text.
    """

    def __init__(self, model: str, template: str) -> None:
        """`model` is a folder or hub id, whose tokenizer is used; `template` one of training.encoding.NAMES."""
        encoder = RecordEncoder(model, template)  # which adds the template's special tokens to the tokenizer
        self.template, self._tokenizer = encoder.template, encoder.tokenizer

    def __call__(self, instruction: str) -> list[int]:
        """The token ids of the prompt with that instruction."""
        template = self.template
        system = [self._ids(piece, template.default_system) for piece in template.system]
        pieces = [self._ids(piece, "") for piece in template.prefix]
        pieces += system if template.default_system else []
        pieces += [self._ids(piece, instruction) for piece in template.user]
        return [token for piece in pieces for token in piece]

    def ends(self) -> tuple[tuple[str, ...], set[int]]:
        """What the model was taught to write after an answer: strings, and the ids of those that are one token."""
        after = [piece.partition(CONTENT)[2].strip() for piece in self.template.answer if CONTENT in piece]
        words, ids = [], set()
        for word in (*self.template.stop_words, *after):
            tokens = self._ids(word, "")
            if len(tokens) == 1:
                ids.add(tokens[0])
            elif tokens:
                words.append(word)
        if self._tokenizer.eos_token_id is not None:
            ids.add(self._tokenizer.eos_token_id)
        return tuple(words), ids

    def _ids(self, piece: str, content: str) -> list[int]:
        special = {EOS: self._tokenizer.eos_token_id, BOS: self._tokenizer.bos_token_id}
        if piece in special:
            return [] if special[piece] is None else [special[piece]]
        # LLaMA-Factory puts the turn's number in after the text, so a {{idx}} in the text is replaced too
        text = piece.replace(CONTENT, content, 1).replace("{{idx}}", "0", 1)
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []


def _shows_only_the_text(tokenizer: Any) -> bool:
    """Whether the tokenizer has no chat template, or the one that LLaMA-Factory saves for "empty": the text and no more."""
    if not tokenizer.chat_template:
        return True
    turns = [{"role": "user", "content": CONTENT}]
    return bool(tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False) == CONTENT)
