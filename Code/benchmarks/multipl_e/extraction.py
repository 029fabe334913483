"""The completion in a chat answer in any language: the code of its block, without what the prompt already has of it."""

import re

from benchmarks.extraction import blocks_of_any_language, without_thoughts
from benchmarks.multipl_e.braces import closing
from benchmarks.multipl_e.case import Case


def completion_in(case: Case, raw: str) -> str:
    """The function's body, where the answer repeats the prompt's signature and holds no more than this; else all of its code."""
    code = _chosen(case, without_thoughts(raw.replace("\r\n", "\n")))
    return _without_prompt(case, code)


def _chosen(case: Case, answer: str) -> str:
    """The first block that defines the function, the longest of the language, or the longest; without any, the answer."""
    blocks = blocks_of_any_language(answer)
    defining = [block.code for block in blocks if case.whole(block.code)]
    if defining:
        return defining[0]
    own = [block.code for block in blocks if block.tag in case.syntax.fences]
    return max(own or [block.code for block in blocks] or [answer], key=len)


def _without_prompt(case: Case, code: str) -> str:
    signature = r"\s*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", case.signature)))
    found = re.search(rf"^[ \t]*{signature}[ \t]*\n?", code, re.MULTILINE)
    if not found or not _repeats(case, code[: found.start()]):
        return code
    body = code[found.end() :]
    if not case.syntax.closes:
        return body
    end = closing(case.syntax.bare(body), 0, depth=1)
    if end is None:  # the answer broke off, or the tests close the body
        return body
    rest = body[end + 1 :].replace("}", "") if case.syntax.closes.startswith(" ") else body[end + 1 :]
    return body[:end].rstrip() + "\n" if not rest.strip() else code


def _repeats(case: Case, before: str) -> bool:
    """Whether all that stands before the signature is the prompt's, or a comment."""
    own = {re.sub(r"\s+", "", line) for line in case.prompt.split("\n")}
    lines = (line.strip() for line in before.split("\n"))
    return all(not line or re.sub(r"\s+", "", line) in own or line.startswith(case.syntax.comments) for line in lines)
