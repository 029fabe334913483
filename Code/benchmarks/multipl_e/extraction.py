"""The completion in a chat answer in any language: the code of its block, without what the prompt already has of it."""

import re

from benchmarks.extraction import without_thoughts
from benchmarks.multipl_e.braces import closing, plain
from benchmarks.multipl_e.case import Case

_FENCE = re.compile(r"[ \t]*(?:[-*+] +)?(`{3,}|~{3,})[ \t]*([^\s`{]*)[^`]*")


def completion_in(case: Case, raw: str) -> str:
    """What follows the prompt, where the answer repeats its signature and has nothing besides; else the whole program."""
    code = _chosen(case, without_thoughts(raw.replace("\r\n", "\n")))
    return _without_prompt(case, code)


def _chosen(case: Case, answer: str) -> str:
    """The first block that defines the function, the longest of the language, or the longest; without any, the answer."""
    blocks = _blocks(answer)
    defining = [code for _, code in blocks if case.whole(code)]
    if defining:
        return defining[0]
    own = [code for tag, code in blocks if tag.lower() in case.spoken.fences]
    return max(own or [code for _, code in blocks] or [answer], key=len)


def _blocks(answer: str) -> list[tuple[str, str]]:
    """(tag, code) of the fenced blocks; the last may lack its closing fence."""
    found: list[tuple[str, str]] = []
    fence, tag, lines = "", "", list[str]()
    for line in answer.split("\n"):
        if fence:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                found.append((tag, "\n".join([*lines, ""])))
                fence = ""
            else:
                lines.append(line)
        elif opening := _FENCE.fullmatch(line):
            fence, tag, lines = opening[1], opening[2], []
    return [*found, (tag, "\n".join(lines))] if fence and lines else found


def _without_prompt(case: Case, code: str) -> str:
    signature = r"\s*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", case.signature)))
    found = re.search(rf"^[ \t]*{signature}[ \t]*\n?", code, re.MULTILINE)
    if not found or not _repeats(case, code[: found.start()]):
        return code
    body = code[found.end() :]
    if not case.spoken.closes:
        return body
    end = closing(plain(body, bash=case.language == "sh"), 0, depth=1)
    if end is None:  # it broke off, or is closed by the tests
        return body
    rest = body[end + 1 :].replace("}", "") if case.spoken.closes.startswith(" ") else body[end + 1 :]
    return body[:end].rstrip() + "\n" if not rest.strip() else code


def _repeats(case: Case, before: str) -> bool:
    """Whether all that stands before the signature is the prompt's, or a comment."""
    own = {re.sub(r"\s+", "", line) for line in case.prompt.split("\n")}
    marks = ("//", "#!", "--", "/*", "*", ";;") + (() if case.language in ("cpp", "rs") else ("# ",))
    lines = (line.strip() for line in before.split("\n"))
    return all(not line or re.sub(r"\s+", "", line) in own or line.startswith(marks) for line in lines)
