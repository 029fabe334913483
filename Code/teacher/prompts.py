"""The messages in which a record is put to a teacher."""

import re
from pathlib import Path

from inference.chat import Message
from seedkit.errors import InputError, UsageError
from seedkit.records import Record

DEFAULT_TEMPLATE = "{query}"
_PLACE = re.compile(r"\{(query|instruction|input)\}")


def read_template(path: Path | None) -> str:
    """The text of --prompt_template. Raises InputError where it cannot be read or holds no instruction."""
    if path is None:
        return DEFAULT_TEMPLATE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--prompt_template {path}: cannot be read as UTF-8 text: {error}") from None
    if not {"query", "instruction"} & {found[1] for found in _PLACE.finditer(text)}:
        raise UsageError(f"--prompt_template {path}: expected {{query}} or {{instruction}} in it, found neither")
    return text


def conversation(record: Record, template: str, system_prompt: str | None) -> tuple[Message, ...]:
    """The messages: the system prompt where there is one, then the template with the record's texts in their places."""
    texts = {"query": record.query, "instruction": record.instruction, "input": record.input}
    asked = Message("user", _PLACE.sub(lambda found: texts[found[1]], template))
    return (asked,) if system_prompt is None else (Message("system", system_prompt), asked)
