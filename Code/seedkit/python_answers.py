"""Is an answer's code Python, and does it parse? Told from its text alone; nothing of it is run."""

import ast
import re
import warnings

_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+#.-]*)[^\n`]*\n(.*?)(?:^[ \t]*```|\Z)", re.MULTILINE | re.DOTALL)
_PYTHON = frozenset(("python", "python2", "python3", "py"))
# lines that hardly any other language has
_LINE = re.compile(
    r"^[ \t]*(?:def \w+\(.*:|class \w+(?:\(.*\))?:[ \t]*$|from [\w.]+ import \w|import [a-z][\w.]*(?: as \w+)?(?:, *\w+)*[ \t]*$"
    r"|(?:for .+ in .+|elif .+|if .+|while .+|else|try|except.*|with .+):[ \t]*$|print\(.*\)[ \t]*$)",
    re.MULTILINE,
)


def fenced(answer: str) -> bool:
    """Whether the answer has a fenced block of code."""
    return "```" in answer


def python_code(answer: str) -> str | None:
    """The answer's code, if it is Python: its fenced blocks, or the whole answer where it has none; else None.

    It is Python where the first fence says so, or says nothing and a line is one that only Python has.
    """
    blocks = _FENCE.findall(answer) if fenced(answer) else []
    code = "".join(text for _, text in blocks) if blocks else answer
    language = blocks[0][0].lower() if blocks else ""
    is_python = language in _PYTHON if language else _LINE.search(code) is not None
    return code if is_python else None


def parses(code: str) -> bool:
    """Whether Python's parser takes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the style of what is parsed
        try:
            ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # NUL bytes; nested too deeply
            return False
    return True
