"""Does a text hold program code? Records of the other domains that do are left out before RQ4 mixes them.

Words prove nothing: class, let, from, import and single brackets are found in English and in LaTeX too. Three things
prove code: a fenced block of a language; a whole statement of a language that reads like English (markup, SQL, the
shell); or lines in which a lexer of Pygments finds no prose and that have many marks of code, such as calls, compound
names, operators that only programs have, heads and ends of blocks. Code named inside a sentence, as in "`len` counts",
does not count, nor do bare data and formulas.
"""

import re
from collections.abc import Iterator
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from seedkit.records import Record

MAX_PROSE = 0.3  # the largest share of prose tokens in a line of code: `Node first = new Node()` has a pair of names
MARKS_AMONG_PROSE = 3  # marks needed where other lines are prose: formulas and prose have one or two by chance
MARKS_ALONE = 2  # marks needed where every line reads as code: print("a") has a call and a string given to it
LINES_A_MARK = 3  # at least one mark in so many lines: a list of single words has no prose either
NOT_CODE = frozenset(
    ("", "text", "txt", "plain", "plaintext", "markdown", "md", "latex", "tex", "math", "output", "csv", "none")
)

_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+#.-]*)[^\n`]*$", re.MULTILINE)
_GAP = r"(?:[^;.?!]|[.?!]\S)*?"  # within a sentence
_SQL = (
    rf"SELECT\s{_GAP}\sFROM\s|INSERT\s+INTO\s{_GAP}\b(?:VALUES|SELECT)\b|UPDATE\s{_GAP}\sSET\s{_GAP}=|DELETE\s+FROM\s"
    r"|(?:CREATE|ALTER|DROP)\s+(?:TABLE|DATABASE|VIEW|INDEX|USER|PROCEDURE|TRIGGER)\s"
)
_TOOLS = (
    r"apt|apt-get|awk|bash|cd|chmod|chown|cp|curl|docker|du|df|git|grep|kubectl|ls|mkdir|mv|npm|npx|pip3?|ps|rm|rsync"
    r"|scp|sed|ssh|systemctl|tar|wget|wc|yarn|yum"
)
_ENGLISH_TOOLS = r"cat|echo|export|find|head|kill|python3?|sort|tail|touch|zip"
# statements of languages that a lexer of another one takes for prose
_STATEMENTS = {
    "a script's first line": re.compile(r"\A\s*(?:#! ?/\w|#lang\s|<\?php\b)"),
    "markup": re.compile(
        r"^[ \t]*<(?:!DOCTYPE\b|[A-Za-z][\w-]*(?:\s[^<>]*)?>.*</[A-Za-z]|[A-Za-z][\w-]*\s[^<>]*=\s?[\"']"
        r"|/?[A-Za-z][\w-]*>[ \t]*\n\s*<)",
        re.MULTILINE,
    ),
    "a style sheet": re.compile(r"^[ \t]*[\w.#@*:>, -]+\{\s*[a-z-]+\s*:[^{};]+[;}]", re.MULTILINE),
    "SQL": re.compile(rf"^[^\w\n]*(?:(?:{_SQL})|(?i:{_SQL})[^.?!]*;\s*$|(?i:SELECT\s+\*\s+FROM\b))", re.MULTILINE),
    "Lisp": re.compile(r"^[ \t]*\((?:(?:defun|defn|defmacro|setq)\s|(?:define|let\*?|lambda)\s*[(\[])", re.MULTILINE),
    "a command": re.compile(
        rf"^[ \t]*(?:[$#] )?(?:sudo )?(?:(?:{_TOOLS})[ ](?:"
        r".*(?:(?<=\s)--?[a-zA-Z]|\s\|\s+[a-z]{2}|\s>>?\s*[\w./]+|\w\.[a-z]{2,4}\b|\$\w)"
        r"|(?:[~.]{1,2}|[~.]{0,2}/\S*)\s*$|(?:install|commit|push|pull|clone|init|add|run|build)\b)"
        rf"|(?:{_ENGLISH_TOOLS})[ ](?:[~.]{{0,2}}/\w|\$[A-Z_{{]|\"[^\"]*\$"
        r"|.*(?:(?<=\s)--?[a-z]+\s+[\"/.~*]|\w\.(?:csv|json|log|md|py|sh|txt)\b)))",
        re.MULTILINE,
    ),
}
# what mathematics calls too: sqrt(16) is a formula as well as code
_FORMULA = r"(?:arc)?(?:sin|cos|tan|cot|sec|csc)|log|ln|exp|sqrt|gcd|lcm|hcf|max|min|mod|abs|det|dim|lim|floor|ceil"
# How the lines of a program begin. The text behind is no part of the mark, since a call may follow there.
_LINE_HEADS = {
    "the head of a block": r"(?:class|for|while|if|elif|else|try|except|with)\b[^.?!]*:\s*$",
    "the end of a block": r"(?i:end(?:\s?(?:if|sub|function|for|while|program))?|fi|done|esac)\s*;?$",
    "a definition": r"(?:def|func|fn|fun|function|sub|public|private|protected|static)\s.*\(",
    "a type in Haskell": r"\w+\s::\s",
    "a declaration": r"(?:let|const|var|val|int|float|double|char|bool|string|String|auto)\s+(?:mut\s)?[\w$]+\s*(?:[:=]|;)",
    "print(": r"print(?:f|ln)?\(",
    "a statement with a value": r"""(?:puts|echo|print|return|throw|raise|yield)\s(?:["']|[\w.]+[\[.]\w|.*[;)\]]\s*$)""",
    "an import": r"(?:from\s[\w.]+\s)?(?:import|using|package)\s[\w.*]+\s*(?:;|\bas\s|$)",
    "the C preprocessor": r"\#\s*(?:include|define|if|endif)\b",
}
# Marks of code, in a line whose strings are "s" and whose comments are gone.
_MARKS = {
    "how a line begins": rf"^[ \t]*(?={'|'.join(_LINE_HEADS.values())})",
    # neither item(s) nor f(x) = 3, since no program assigns to a call
    "a call": rf"(?<![\w$\\])(?!(?:{_FORMULA})\()[A-Za-z_$][\w$]+[!?]?(?=\((?!e?s\)))(?!\([^()]*\)\s*:?=[^=])",
    "a call of a method": r"""[\w)\]"]\.[A-Za-z_]\w*[!?]?(?=\()""",
    "an element of a list": r"(?<![\w\\])[a-z_]\w*\[[^\[\]\s]",
    "snake_case": r"(?<![\w\\^/@#.-])[A-Za-z]{2,}(?:_[A-Za-z0-9]+)+(?![\w-])",  # not the x_1 of mathematics
    "camelCase": r"(?<![\w\\^/@#.-])[a-z]{2,}[A-Z][a-z]+\w*",  # not iPhone
    "a comparison": r"(?<![=<>!])===?(?![=>])|\s!==?\s",
    "and, or": r"&&|\s\|\|\s",
    "an assignment with an operator": r"[\w)\]]\s?[-+*/%.]=\s",
    "++, **, //": r"\w\+\+(?!\w)|\w\*\*\w|\w\s//\s\w",
    ":=": r"[^)\s]\s:=\s",
    "::": r"[\w>]\s?::\s?\w",
    "an arrow": r"\w->\w|\)\s*[=-]>\s|^[ \t]*[\w.]+\s*<-\s",
    "a shift": r"""\w\s(?:<<|>>)\s["\w]""",
    "the shell's blocks": r";\s*(?:do|then|done|fi)\b",
    "a string given or assigned": r"""(?:(?<=\w)\(|[=+])\s*["']""",
    "a list or dictionary assigned": r"[a-z]\w\s=\s[\[{]",
    "a variable with a $": r"\$[A-Za-z_]\w*\s*(?:=|->|\[)",
    "a lambda": r"\blambda\s[\w,\s]*:",
    "a block in Ruby": r"(?:\bdo|[({])\s*\|[\w, ]+\|",
}
_MARK = re.compile("|".join(_MARKS.values()), re.MULTILINE)
# what JSON and formulas have too: it counts only where there are other marks
_WEAK_MARK = re.compile(r'(?:[;{]|\)\))\s*$|^\s*[}\])]+[;,)]*\s*$|[\[,]\s*"s"|^\s*[a-z_]\w+\s=\s(?=[^=]+$)')
# GSM8K's marks, LaTeX, addresses
_NOISE = re.compile(
    r"<<[^<>\n]*>>|\$(?=\S)[^$\n]*[^\s$]\$(?!\w)|https?://[^\s'\"<>)]+|(?<![\w.+-])[\w.+-]+@[\w-]+\.\w[\w.]*"
)
_LEAD = re.compile(r"^[A-Z][\w ,'()-]{2,60}:[ \t]+(?=\S)", re.MULTILINE)  # "Answer: " before code
_TICKED = re.compile(r"(?<=[\w,;(] )`[^`\n]*`|`[^`\n]*`(?= ?\w)")  # code inside a sentence
_APOSTROPHE = re.compile(r"(?<=[A-Za-z]{2})'(?=[a-z]{1,2}\b)")


def record_evidence(record: Record) -> str | None:
    """The first field that holds code, and why: 'output: fenced python block at line 3'; None where none does."""
    for name, text in (("instruction", record.instruction), ("input", record.input), ("output", record.output)):
        if evidence := code_evidence(text):
            return f"{name}: {evidence}"
    return None


def code_evidence(text: str) -> str | None:
    """Why the text holds code, in one line, or None where it does not."""
    text = text.replace("\r\n", "\n").replace("\xa0", " ")
    for fence in _FENCE.finditer(text):
        if (language := fence[1].lower()) not in NOT_CODE:
            return f"fenced {language} block at line {text.count(chr(10), 0, fence.start()) + 1}"
    for pattern, instead in ((_FENCE, ""), (_NOISE, "URL"), (_LEAD, ""), (_TICKED, "word")):
        text = pattern.sub(instead, text)
    text = text.replace("`", " ")
    for what, statement in _STATEMENTS.items():
        if found := statement.search(text):
            return f"{what} at line {text.count(chr(10), 0, found.start()) + 1}"
    if _MARK.search(text):
        text = _APOSTROPHE.sub("’", text)
        for language in ("python", "javascript"):  # two kinds of comments and quotes; nothing else matters here
            if evidence := _program(text, language):
                return evidence
    return None


def _program(text: str, language: str) -> str | None:
    """How many marks of code there are in which lines, if that proves code; None otherwise."""
    filled = marks = weak_marks = 0
    lines = []
    for number, (skeleton, kinds) in enumerate(_skeletons(text, language), 1):
        if not kinds.strip("n"):  # empty, a comment, or numbers
            continue
        filled += 1
        if _prose(kinds) <= max(1, MAX_PROSE * len(kinds)):
            lines.append(number)
            marks += len(_MARK.findall(skeleton))
            weak_marks += len(_WEAK_MARK.findall(skeleton))
    needed = max(MARKS_ALONE if len(lines) == filled else MARKS_AMONG_PROSE, len(lines) / LINES_A_MARK)
    if marks and marks + weak_marks >= needed:
        return f"{marks + weak_marks} marks of code in {len(lines)} of {filled} lines, the first line {lines[0]}"
    return None


def _prose(kinds: str) -> int:
    """How many tokens are prose: errors, a word behind a number (5 apples), and words in a row.

    Of three or more words in a row all count, of two only one, since a type and its variable are a pair too.
    """
    rows = (len(row) for row in re.findall("w+", kinds))
    return kinds.count("e") + kinds.count("nw") + sum(row if row > 2 else row - 1 for row in rows)


def _skeletons(text: str, language: str) -> Iterator[tuple[str, str]]:
    """Per line: its skeleton, which is the code without comments and with "s" for each string, and its tokens' kinds.

    Kinds are a letter for each token that is not white space, see _kind.
    """
    skeleton, kinds = "", ""
    for type_, value in _lexer(language).get_tokens(text):
        kind = _kind(type_)
        for number, piece in enumerate(value.split("\n")):
            if number:
                yield skeleton, kinds
                skeleton, kinds = "", ""
            if not piece or kind == "c":
                continue
            if kind == "s":
                if kinds[-1:] == "s" and skeleton.endswith('"s"'):  # the same string goes on
                    continue
                piece = '"s"'
            skeleton += piece
            if not piece.isspace():
                kinds += kind
    yield skeleton, kinds


@cache
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False)


@cache
def _kind(type_: _TokenType) -> str:
    """The kind of a token: c(omment), s(tring), n(umber), e(rror), w(ord) or o(ther)."""
    literal, comment = Token.Literal, Token.Comment
    families: list[tuple[_TokenType, str]] = [
        (literal.String.Doc, "c"),
        (comment.Preproc, "o"),
        (comment.Hashbang, "o"),
        (comment, "c"),
        (literal.String, "s"),
        (literal.Number, "n"),
        (Token.Error, "e"),
        (Token.Name, "w"),
    ]
    return next((kind for family, kind in families if type_ in family), "o")
