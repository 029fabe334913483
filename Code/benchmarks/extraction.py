"""The code in a model's answer: what a base model went on with, or what a chat model put between fences."""

import ast
import builtins
import itertools
import re
import textwrap
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from benchmarks.python_syntax import bound_by, is_code, is_python, loaded, tree_of

_STARTS = re.compile(r"(?:async def|def|class|import|from)\b|@")
_MOST_TRIES = 500  # ways of cutting an answer without fences that are tried


def cut(raw: str, stop: Sequence[str]) -> str:
    """What stands before the first of the stop sequences, to the letter."""
    return raw[: min((at for at in map(raw.find, stop) if at >= 0), default=len(raw))]


def extract_code(raw: str, names: Collection[str]) -> str:
    """The code in a chat answer; `names` are what the tests call: it should define at least one of them.

    It is the first of these that there is:

    - the first fenced block of Python that defines one of the names, with the other blocks that define what it uses;
    - the longest block that is Python, else the longest block; the last block's fence need not close;
    - without fences: the answer, if all of it is code; the code from its first def, class or import to the prose that
      follows; the answer as it is.

    A reasoning model's thoughts are left out first.
    """
    answer = without_thoughts(raw.replace("\r\n", "\n"))
    wanted = frozenset(names)
    blocks = fenced_blocks(answer)
    if not blocks:
        answer = _flush(answer, wanted)
        return answer if is_code(answer) else _unfenced(answer) or answer
    read = [_read(_flush(block.code, wanted)) for block in blocks if block.python or not any(b.python for b in blocks)]
    if with_entry := [one for one in read if one.defines & wanted]:
        chosen = next((one for one in with_entry if one.valid), with_entry[0])
        return _joined(chosen, [one for one in read if one is not chosen], wanted)
    return max([one for one in read if one.valid] or read, key=lambda one: len(one.code)).code


def without_thoughts(answer: str) -> str:
    """What follows a reasoning model's </think>; nothing if the answer broke off before one."""
    _, end, after = answer.rpartition("</think>")
    if end:
        return after.lstrip("\n")
    return "" if answer.lstrip().startswith("<think>") else answer


@dataclass(frozen=True, slots=True)
class _CodeBlock:
    """A block as code."""

    code: str
    valid: bool  # a program, or the body of a function
    defines: frozenset[str]  # names at its top level
    needs: frozenset[str]  # names that it uses and binds nowhere


def _read(code: str) -> _CodeBlock:
    tree = tree_of(code)
    if tree is None:  # a body, or cut off by the token limit: its definitions can still be found
        found = re.findall(r"^(?:async def|def|class) +(\w+)", code, re.MULTILINE)
        return _CodeBlock(code, is_code(code), frozenset(found), frozenset())
    bound = {name for node in ast.walk(tree) for name in bound_by(node)}
    needs = {name for name in loaded(tree) - bound if not hasattr(builtins, name)}
    return _CodeBlock(code, is_code(code), _defined(tree), frozenset(needs))


def _defined(tree: ast.Module | None) -> frozenset[str]:
    return frozenset(name for node in tree.body for name in bound_by(node)) if tree else frozenset()


def _flush(code: str, wanted: frozenset[str]) -> str:
    """The code without its indentation if it is a program that defines a wanted name; a body stays as it is."""
    if not code[:1].isspace():
        return code
    moved = (one for one in (code, textwrap.dedent(code), code.lstrip()) if _defined(tree_of(one)) & wanted)
    return next(moved, code)


def _joined(chosen: _CodeBlock, others: list[_CodeBlock], wanted: frozenset[str]) -> str:
    """The chosen block, with those of the others that define what it needs, or what those in turn need.

    They stand before it, in their order; those that need the chosen block and define none of its names follow it.
    """
    programs = [one for one in others if is_python(one.code)]
    taken: list[_CodeBlock] = []
    needs = chosen.needs | (wanted - chosen.defines)
    while found := next((one for one in programs if one not in taken and one.defines & needs), None):
        taken.append(found)
        needs = (needs | found.needs) - found.defines - chosen.defines
    after = [one for one in taken if one.needs & chosen.defines and not one.defines & chosen.defines]
    before = [one for one in programs if one in taken and one not in after]
    return "\n".join(one.code for one in (*before, chosen, *after))


def _unfenced(answer: str) -> str | None:
    """The first run of lines that is Python, begins like code, and is as long as it can be; None if there is none."""
    lines = answer.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if _STARTS.match(line)]
    cuts = ((start, end) for start in starts for end in range(len(lines), start, -1))
    codes = ("".join(lines[start:end]) for start, end in itertools.islice(cuts, _MOST_TRIES))
    return next(filter(is_python, codes), None)


_PYTHON_TAGS = {"", "py", "python", "python2", "python3", "py3"}
# at the start of a line, or after the mark of a list; after text on the line too, if nothing else can be meant
_OPENING = re.compile(
    r"(?P<indent>[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<fence>`{3,}|~{3,})[ \t]*(?P<tag>[^\s`{:,=]*)[^`]*"
    r"|[^`]*[^`\s][ \t]*(?P<late_fence>`{3})(?P<late_tag>py|python|python3)[ \t]*",
    re.IGNORECASE,
)
# in any language: at the start of a line, or after the mark of a list without numbers
_PLAIN_OPENING = re.compile(r"[ \t]*(?:[-*+] +)?(?P<fence>`{3,}|~{3,})[ \t]*(?P<tag>[^\s`{]*)[^`]*")
_MOST_CLOSINGS = 20  # closing fences that are tried for a block


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences."""

    code: str
    python: bool  # by its tag, or for want of one
    tag: str  # in lower case


def fenced_blocks(text: str) -> list[Block]:
    """The blocks of an answer in Python, in order; the last may lack its closing fence.

    A block ends where CommonMark says, unless only a later fence makes it Python: then those between are in its strings.
    Its lines come without the fence's indentation.
    """
    lines = text.removesuffix("\n").split("\n")
    return _blocks(lines, len(lines), _OPENING, _until_python_or_closed)


def blocks_of_any_language(text: str) -> list[Block]:
    """The blocks of an answer in whatever language; the last may lack its closing fence, but has a line at least.

    A block opens and closes at a line of its own, and its lines keep their indentation.
    """
    lines = text.split("\n")
    return _blocks(lines, len(lines) - 1, _PLAIN_OPENING, _until_closed)


Until = Callable[[list[str], int, re.Match[str]], tuple[str, int]]


def _blocks(lines: list[str], end: int, opening: re.Pattern[str], until: Until) -> list[Block]:
    """The blocks that open before line `end`; `until` gives a block's code and the line after its closing fence."""
    blocks = []
    at = 0
    while at < end:
        found = opening.fullmatch(lines[at])
        at += 1
        if found:
            code, at = until(lines, at, found)
            tag = _tag(found)
            blocks.append(Block(code, tag in _PYTHON_TAGS, tag))
    return blocks


def _tag(opening: re.Match[str]) -> str:
    groups = opening.groupdict()
    return (groups["tag"] or groups.get("late_tag") or "").lower()


def _until_closed(lines: list[str], start: int, opening: re.Match[str]) -> tuple[str, int]:
    """The code from line `start` to the next line that is a fence."""
    fence = opening["fence"]
    for end in range(start, len(lines)):
        mark = lines[end].strip()
        if mark.startswith(fence) and not mark.strip(fence[0]):
            return "".join(f"{line}\n" for line in lines[start:end]), end + 1
    return "\n".join(lines[start:]), len(lines)


def _until_python_or_closed(lines: list[str], start: int, opening: re.Match[str]) -> tuple[str, int]:
    """The code from line `start` to the first fence that makes it Python, or else to where CommonMark closes it."""
    fence, indent = opening["fence"] or opening["late_fence"], len(opening["indent"] or "")
    ends = [number for number in range(start, len(lines)) if lines[number].rstrip().endswith(fence)]
    if _tag(opening) in _PYTHON_TAGS:
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
