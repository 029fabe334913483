"""Fenced blocks of Markdown as models write them: nested in docstrings, indented in lists, never closed."""

import re
from dataclasses import dataclass

from evaluation.benchmarks.syntax import is_code

_LANGUAGES = {"", "py", "python", "python2", "python3", "py3"}
# at the start of a line, or after the mark of a list; after text on the line too, if nothing else can be meant
_OPENING = re.compile(
    r"(?P<indent>[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<fence>`{3,}|~{3,})[ \t]*(?P<tag>[^\s`{:,=]*)[^`]*"
    r"|[^`]*[^`\s][ \t]*(?P<late_fence>`{3})(?P<late_tag>py|python|python3)[ \t]*",
    re.IGNORECASE,
)
_MOST_TRIES = 20  # closing fences that are tried for a block


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences, free of their indentation; `python` by its tag, or for want of one."""

    code: str
    python: bool


def fenced_blocks(text: str) -> list[Block]:
    """The blocks of an answer, in order; the last may lack its closing fence.

    A block ends where CommonMark says, unless only a later fence makes it Python: then those between are in its strings.
    """
    lines = text.removesuffix("\n").split("\n")
    blocks = []
    at = 0
    while at < len(lines):
        opening = _OPENING.fullmatch(lines[at])
        at += 1
        if not opening:
            continue
        fence = opening["fence"] or opening["late_fence"]
        python = (opening["tag"] or opening["late_tag"] or "").lower() in _LANGUAGES
        code, at = _until_closed(lines, at, fence, len(opening["indent"] or ""), python)
        blocks.append(Block(code, python))
    return blocks


def _until_closed(lines: list[str], start: int, fence: str, indent: int, python: bool) -> tuple[str, int]:
    """The code from line `start` on, and the line after its closing fence."""
    ends = [number for number in range(start, len(lines)) if lines[number].rstrip().endswith(fence)]
    if python:
        for end in ends[:_MOST_TRIES]:
            last = lines[end].rstrip().rstrip(fence[0])  # code, where the model forgot the new line
            if is_code(code := _content([*lines[start:end], *filter(str.strip, [last])], indent)):
                return code, end + 1
    for end in ends:
        before = lines[end].rstrip().rstrip(fence[0])
        if not before.strip() and len(before) <= indent + 3:  # indented by more it is none to CommonMark
            return _content(lines[start:end], indent), end + 1
    return _content(lines[start:], indent), len(lines)


def _content(lines: list[str], indent: int) -> str:
    """The lines without the fence's indentation, as far as all of them have it."""
    least = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "".join(f"{line[min(indent, least) :]}\n" for line in lines)
