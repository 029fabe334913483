"""The code in a model's answer: what a base model went on with, or what a chat model put between its fences."""

import ast
import builtins
import itertools
import re
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmarks.python_syntax import bound_by, is_code, is_python, loaded, tree_of

_STARTS = re.compile(r"(?:async def|def|class|import|from)\b|@")
_MOST_TRIES = 500  # ways to cut an answer without fences


def cut(raw: str, stop: Sequence[str]) -> str:
    """What stands before the first of the stop sequences; nothing else is touched."""
    return raw[: min((at for at in map(raw.find, stop) if at >= 0), default=len(raw))]


def extract_code(raw: str, names: Collection[str]) -> str:
    """The code in a chat answer; `names` are what the tests call, one of which it should define.

    The first fenced block of Python that defines one of them, with the other blocks that define what it uses; else the
    longest block that is Python; else the longest of all. The last block may be one whose fence never closes. Without
    fences, the answer if it is code itself, or the code between its first def, class or import and the prose that follows;
    else the answer as it is. A reasoning model's thoughts are left out first.
    """
    answer = without_thoughts(raw.replace("\r\n", "\n"))
    wanted = frozenset(names)
    blocks = fenced_blocks(answer)
    if not blocks:
        answer = _flush(answer, wanted)
        return answer if is_code(answer) else _unfenced(answer) or answer
    parts = [_part(_flush(block.code, wanted)) for block in blocks if block.python or not any(b.python for b in blocks)]
    if with_entry := [part for part in parts if part.defines & wanted]:
        chosen = next((part for part in with_entry if part.valid), with_entry[0])
        return _joined(chosen, [part for part in parts if part is not chosen], wanted)
    return max([part for part in parts if part.valid] or parts, key=lambda part: len(part.code)).code


def without_thoughts(answer: str) -> str:
    """What follows a reasoning model's </think>; nothing if the answer broke off before one."""
    _, end, after = answer.rpartition("</think>")
    if end:
        return after.lstrip("\n")
    return "" if answer.lstrip().startswith("<think>") else answer


@dataclass(frozen=True, slots=True)
class _Part:
    """A block as code: what it defines at its top level, and what it uses without having it."""

    code: str
    valid: bool  # a program, or the body of a function
    defines: frozenset[str]
    needs: frozenset[str]


def _part(code: str) -> _Part:
    tree = tree_of(code)
    if tree is None:  # a body, or cut off by the token limit: its definitions are still to be seen
        found = re.findall(r"^(?:async def|def|class) +(\w+)", code, re.MULTILINE)
        return _Part(code, is_code(code), frozenset(found), frozenset())
    bound = {name for node in ast.walk(tree) for name in bound_by(node)}
    needs = {name for name in loaded(tree) - bound if not hasattr(builtins, name)}
    return _Part(code, is_code(code), _defined(tree), frozenset(needs))


def _defined(tree: ast.Module | None) -> frozenset[str]:
    return frozenset(name for node in tree.body for name in bound_by(node)) if tree else frozenset()


def _flush(code: str, wanted: frozenset[str]) -> str:
    """The code with its definitions at column 0, where it is a program that stands indented; a body stays as it is."""
    if not code[:1].isspace():
        return code
    moved = (one for one in (code, textwrap.dedent(code), code.lstrip()) if _defined(tree_of(one)) & wanted)
    return next(moved, code)


def _joined(chosen: _Part, others: list[_Part], wanted: frozenset[str]) -> str:
    """The chosen block and those of the others that define what it needs, or what these need.

    They come first, in their order, unless they need the chosen one; where both define a name, the chosen one's counts.
    """
    programs = [part for part in others if is_python(part.code)]
    taken: list[_Part] = []
    needs = chosen.needs | (wanted - chosen.defines)
    while found := next((part for part in programs if part not in taken and part.defines & needs), None):
        taken.append(found)
        needs = (needs | found.needs) - found.defines - chosen.defines
    after = [part for part in taken if part.needs & chosen.defines and not part.defines & chosen.defines]
    before = [part for part in programs if part in taken and part not in after]
    return "\n".join(part.code for part in (*before, chosen, *after))


def _unfenced(answer: str) -> str | None:
    """The lines from the first that starts like code on, without as many of the last as it takes to be Python."""
    lines = answer.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if _STARTS.match(line)]
    cuts = ((start, end) for start in starts for end in range(len(lines), start, -1))
    codes = ("".join(lines[start:end]) for start, end in itertools.islice(cuts, _MOST_TRIES))
    return next(filter(is_python, codes), None)


_LANGUAGES = {"", "py", "python", "python2", "python3", "py3"}
# at the start of a line, or after the mark of a list; after text on the line too, if nothing else can be meant
_OPENING = re.compile(
    r"(?P<indent>[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<fence>`{3,}|~{3,})[ \t]*(?P<tag>[^\s`{:,=]*)[^`]*"
    r"|[^`]*[^`\s][ \t]*(?P<late_fence>`{3})(?P<late_tag>py|python|python3)[ \t]*",
    re.IGNORECASE,
)
_MOST_CLOSINGS = 20  # closing fences that are tried for a block


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
        for end in ends[:_MOST_CLOSINGS]:
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
