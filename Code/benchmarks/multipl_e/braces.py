"""Reading Java, C#, C++ and the like by their braces: where a function is defined, and in which classes."""

import re
from collections.abc import Callable

# what may hold braces that open and close nothing; between ticks only a letter: 'a alone is a lifetime in Rust
_BESIDES = re.compile(
    r"'(?:\\.|[^'\\\n])'"
    r'|"""(?:\\.|[^\\])*?"""'
    r'|@"(?:[^"]|"")*"'
    r'|R"\((?:.*?)\)"'
    r'|"(?:\\.|[^"\\])*"'
    r"|//[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
_BESIDES_IN_BASH = re.compile(r"(?<!\S)#[^\n]*" r'|"(?:\\.|[^"\\])*"' r"|'[^']*'" r"|\$\{[^}]*\}", re.DOTALL)
_PAIRS = {"{": "}", "(": ")"}
# between a definition's parameters and its body
_TAIL = re.compile(r"\s*(?:throws\s+[\w.,\s<>]+|where\s[^{;]*|const\b|noexcept\b|->[^{;=]*|\s)*(?:\{|=>)")
_NO_TYPE = re.compile(r"(?:\b(?:return|new|else|throw|case|do|yield|await|co_return|goto)|[.,(=+\-!|/%?:])\s*$")
_CLASS = re.compile(r"\b(?:class|interface|record|enum|struct)\s+(\w+)[^;{}]*$")


def plain(text: str) -> str:
    """The text with blanks for its strings and comments: every character keeps its index."""
    return _BESIDES.sub(lambda found: " " * len(found[0]), text)


def plain_bash(text: str) -> str:
    """The same for Bash; what stands in ${...} is blank too."""
    return _BESIDES_IN_BASH.sub(lambda found: " " * len(found[0]), text)


def closing(text: str, at: int, depth: int = 0) -> int | None:
    """The index at which the bracket is closed that opens at `at` of a plain text; None if it never is.

    With depth 1 the bracket is a brace that was open before `at`.
    """
    opens = text[at] if depth == 0 else "{"
    for index in range(at, len(text)):
        depth += (text[index] == opens) - (text[index] == _PAIRS[opens])
        if depth == 0:
            return index
    return None


def unclosed(text: str, bare: Callable[[str], str] = plain) -> int:
    """How many braces are left open; `bare` puts blanks in place of the language's strings and comments."""
    code = bare(text)
    return code.count("{") - code.count("}")


def definitions(text: str, name: str) -> list[tuple[int, int]]:
    """(start of the declaration, start of the name) of each function of that name with a type in front and a body behind."""
    bare, found = plain(text), []
    for match in re.finditer(rf"\b{re.escape(name)}\s*\(", bare):
        end = closing(bare, match.end() - 1)
        start = max(bare.rfind(mark, 0, match.start()) for mark in "{};)") + 1
        before = bare[start : match.start()]
        if end and _TAIL.match(bare, end + 1) and re.search(r"\w", before) and not _NO_TYPE.search(before):
            found.append((start, match.start()))
    return found


def classes_around(text: str, at: int) -> list[str]:
    """The names of the classes around index `at` of a text, the outermost first."""
    bare, open_ = plain(text)[:at], list[int]()
    for index, letter in enumerate(bare):
        if letter == "{":
            open_.append(index)
        elif letter == "}" and open_:
            open_.pop()
    headers = (_CLASS.search(bare[:index]) for index in open_)
    return [header[1] for header in headers if header]
