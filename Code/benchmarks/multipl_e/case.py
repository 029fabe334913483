"""What judging a problem of MultiPL-E takes, and the pieces that its prompt is made of."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from benchmarks.multipl_e.braces import definitions, plain, unclosed

STRING = re.compile(r'"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])*'")
COMMENTS = ("//", "#!", "--", "/*", "*", ";;")  # in a language where # begins something else
COMMENTS_WITH_HASH = (*COMMENTS, "# ")


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageSyntax:
    """How a language looks: what its prompts end in, where a completion stops, and what a definition looks like."""

    name: str  # as in multipl-e-NAME, and as the data set names it
    title: str
    fences: tuple[str, ...]  # how models tag a block of it, the first is what they are asked for
    stop: tuple[str, ...]  # as MultiPL-E gives them (arXiv 2208.08227); a row's own take their place
    defines: str  # a line that defines the function {name}, as a regular expression
    closes: str = ""  # what the tests begin with, to close what the prompt opened: a completion ends before it
    typed: bool = False  # a definition begins with a type, so that only its braces tell it from a call
    comments: tuple[str, ...] = COMMENTS_WITH_HASH  # what a line begins with that is a comment
    bare: Callable[[str], str] = plain  # a program with blanks for its strings and comments


@dataclass(frozen=True, slots=True)
class Call:
    """One test as data. `arguments`: for JavaScript one text of source, for Bash the words."""

    arguments: Any
    expected: Any


@dataclass(frozen=True, slots=True)
class Case:
    """One problem's own prompt, tests and stop tokens, and the function that the tests call.

    The journal of a grading is bound to its repr.
    """

    language: str  # the name of `syntax`
    name: str
    prompt: str
    tests: str
    stop: tuple[str, ...]
    calls: tuple[Call, ...] = ()  # where the tests are judged outside the jail
    syntax: LanguageSyntax = field(repr=False, kw_only=True)

    @property
    def signature(self) -> str:
        """The prompt from the line on that defines the function."""
        return self.prompt[self._defined() :]

    @property
    def head(self) -> str:
        """The prompt before that line."""
        return self.prompt[: self._defined()]

    def _defined(self) -> int:
        found = [match.start() for match in definition(self.syntax, self.name).finditer(self.prompt)]
        return found[-1] if found else len(self.prompt)

    def whole(self, completion: str) -> bool:
        """Whether a completion defines the function itself: then it stands without the prompt."""
        if self.syntax.typed:
            return bool(
                definitions(completion, self.name)
                or re.search(rf"^\w[^\n=]* {self.name}\s*=\s*\[", completion, re.MULTILINE)
            )
        return definition(self.syntax, self.name).search(completion) is not None

    def readings(self, completion: str) -> tuple[bool, ...]:
        """The ways to read a completion: True as a whole program, False as what follows the prompt.

        The likelier one comes first; the other counts where the first does not build. A completion without the name of
        the function can only follow the prompt, as the authors join them.
        """
        if not re.search(rf"\b{re.escape(self.name)}\b", completion):
            return (False,)
        return (True, False) if self.whole(completion) else (False, True)

    def joined(self, completion: str, whole: bool | None = None) -> str:
        """Prompt, completion and tests as the authors join them; a whole program takes the place of the first two."""
        if not (self.whole(completion) if whole is None else whole):
            return f"{self.prompt}{completion}\n{self.tests}"
        return f"{self.closed(completion)}\n{self.tests.removeprefix(self.syntax.closes)}"

    def program(self, completion: str) -> str:
        """Prompt and completion without the tests; a whole program is all of it."""
        return completion if self.whole(completion) else self.prompt + completion

    def closed(self, program: str) -> str:
        """A whole program with the brace that the tests would close, if it ends before one as the stop tokens make it."""
        if not self.syntax.closes:
            return program
        return program.rstrip() + "\n}" * min(unclosed(program), 1) + "\n"


@cache
def definition(syntax: LanguageSyntax, name: str) -> re.Pattern[str]:
    """Finds the line that defines a function; `name` is a plain name."""
    return re.compile(rf"^{syntax.defines.format(name=re.escape(name))}", re.MULTILINE)


@cache
def _any_definition(syntax: LanguageSyntax) -> re.Pattern[str]:
    name = r"([A-Za-z_]\w*)"
    return re.compile(rf"^{syntax.defines.format(name=name)}", re.MULTILINE)


def defined_name(syntax: LanguageSyntax, prompt: str) -> str | None:
    """The function that a prompt ends in."""
    found = [next(filter(None, match.groups())) for match in _any_definition(syntax).finditer(prompt)]
    return found[-1] if found else None


def outside_strings(text: str, pattern: str, replacement: str) -> str:
    """re.sub on all of a text but its string literals."""
    pieces, at = [], 0
    for match in STRING.finditer(text):
        pieces += [re.sub(pattern, replacement, text[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*pieces, re.sub(pattern, replacement, text[at:])])
