"""What judging a problem of MultiPL-E takes, and the parts that its prompt is made of."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.multipl_e.braces import definitions, unclosed
from benchmarks.multipl_e.languages.base import LANGUAGES, Language

STRING = re.compile(r'"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])*'")

_BY_BRACES = ("java", "cs", "cpp")  # where a line does not tell a definition from a call


@dataclass(frozen=True, slots=True)
class Case:
    """One problem's own prompt, tests and stop tokens, and the function that the tests call."""

    language: str
    name: str
    prompt: str
    tests: str
    stop: tuple[str, ...]
    calls: tuple[Any, ...] = ()  # where the tests are judged outside the jail: what goes in, and what must come out

    @property
    def spoken(self) -> Language:
        return LANGUAGES[self.language]

    @property
    def signature(self) -> str:
        """The prompt from the line on that defines the function."""
        return self.prompt[self._defined() :]

    @property
    def head(self) -> str:
        """The prompt before that line."""
        return self.prompt[: self._defined()]

    def _defined(self) -> int:
        found = [match.start() for match in definition(self.language, self.name).finditer(self.prompt)]
        return found[-1] if found else len(self.prompt)

    def whole(self, completion: str) -> bool:
        """Whether a completion defines the function itself: then it stands without the prompt."""
        if self.language in _BY_BRACES:
            return bool(
                definitions(completion, self.name)
                or re.search(rf"^\w[^\n=]* {self.name}\s*=\s*\[", completion, re.MULTILINE)
            )
        return definition(self.language, self.name).search(completion) is not None

    def readings(self, completion: str) -> tuple[bool, ...]:
        """Whether it is a whole program, the likelier answer first; the other counts where the first does not build.

        One that has not even the name of the function can only follow the prompt, as the authors join them.
        """
        if not re.search(rf"\b{re.escape(self.name)}\b", completion):
            return (False,)
        return (True, False) if self.whole(completion) else (False, True)

    def joined(self, completion: str, whole: bool | None = None) -> str:
        """Prompt, completion and tests as the authors join them; a whole program takes the place of the first two."""
        if not (self.whole(completion) if whole is None else whole):
            return f"{self.prompt}{completion}\n{self.tests}"
        return f"{self.closed(completion)}\n{self.tests.removeprefix(self.spoken.closes)}"

    def closed(self, program: str, levels: int = 1) -> str:
        """A whole program that ends before a stop token lacks the braces that the tests close, `levels` at most."""
        if not self.spoken.closes:
            return program
        return program.rstrip() + "\n}" * min(unclosed(program), levels) + "\n"


@cache
def definition(language: str, name: str) -> re.Pattern[str]:
    """Finds the line that defines a function; `name` is a plain name."""
    return re.compile(rf"^{LANGUAGES[language].defines.format(name=re.escape(name))}", re.MULTILINE)


@cache
def _any_definition(language: str) -> re.Pattern[str]:
    name = r"([A-Za-z_]\w*)"
    return re.compile(rf"^{LANGUAGES[language].defines.format(name=name)}", re.MULTILINE)


def defined_name(language: str, prompt: str) -> str | None:
    """The function that a prompt ends in."""
    found = [next(filter(None, match.groups())) for match in _any_definition(language).finditer(prompt)]
    return found[-1] if found else None


def outside_strings(text: str, pattern: str, replacement: str) -> str:
    """re.sub, where no string literal is looked into."""
    parts, at = [], 0
    for match in STRING.finditer(text):
        parts += [re.sub(pattern, replacement, text[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*parts, re.sub(pattern, replacement, text[at:])])
