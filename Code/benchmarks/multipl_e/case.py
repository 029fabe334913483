"""What judging a problem of MultiPL-E takes, and the pieces that its prompt is made of."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from benchmarks.extraction import cut
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
class Reading:
    """One way to read a completion: as a whole program, which stands without the prompt, or as what follows the prompt."""

    text: str
    whole: bool


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

    def readings(self, completion: str) -> tuple[Reading, ...]:
        """The ways to read a completion, with or without the prompt in front, the likeliest first.

        The others count where those before them do not build. One that defines the function again stands without the
        prompt. Any other follows it; where it also closes what the prompt opened, the two are a whole program. The last
        reading ends behind the function at a stop token, as the authors' own completions do: without what a model adds,
        such as tests that do not compile.
        """
        body = completion.removeprefix(self.prompt)
        follows, program = Reading(body, whole=False), self.prompt + body
        again = self.whole(body)
        found = [follows] if self._open(program) else [Reading(program, whole=True), follows]
        if again:
            found = [Reading(body, whole=True), follows, *found[:-1]]
        elif re.search(rf"\b{re.escape(self.name)}\b", body):
            found.append(Reading(body, whole=True))
        start = self._behind_definition(body) if again else 0
        if (ended := body[:start] + cut(body[start:], self.stop)) != body:
            found.append(Reading(ended, whole=again))
        return tuple(found)

    def _open(self, program: str) -> bool:
        """Whether a program that begins with the prompt leaves open what the tests close."""
        bare = self.syntax.bare
        return not self.syntax.closes or unclosed(program, bare) >= unclosed(self.prompt, bare)

    def _behind_definition(self, text: str) -> int:
        """The index behind the name of the function where a text defines it."""
        if self.syntax.typed and (found := definitions(text, self.name)):
            return found[0][1] + len(self.name)
        match = definition(self.syntax, self.name).search(text)
        return match.end() if match else len(text)

    def joined(self, reading: Reading) -> str:
        """Prompt, completion and tests as the authors join them; a whole program takes the place of the first two."""
        if not reading.whole:
            return f"{self.prompt}{reading.text}\n{self.tests}"
        return f"{self.closed(reading.text)}\n{self.tests.removeprefix(self.syntax.closes)}"

    def program(self, reading: Reading) -> str:
        """Prompt and completion without the tests; a whole program is all of it."""
        return reading.text if reading.whole else self.prompt + reading.text

    def closed(self, program: str) -> str:
        """A whole program with the brace that the tests would close, if it ends before one as the stop tokens make it."""
        if not self.syntax.closes:
            return program
        return program.rstrip() + "\n}" * min(unclosed(program, self.syntax.bare), 1) + "\n"


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
