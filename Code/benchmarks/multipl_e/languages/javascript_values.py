"""The tests of MultiPL-E in JavaScript, TypeScript and Bash as data: what they call, and what must come of it."""

import json
import re
from dataclasses import dataclass
from typing import Any

_JS = re.compile(
    r"\s*(?:declare var require: any;\s*)?const assert = require\('node:assert'\);\s*function test\(\) \{\s*"
    r"let candidate = (?P<name>[\w$]+);\s*(?P<checks>.*?)\s*\}\s*test\(\);\s*",
    re.DOTALL,
)
_JS_CHECK = "assert.deepEqual(candidate("
_JS_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:\\.|[^\"\\])*\")|(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<word>true|false|null|undefined)\b"
    r"|(?P<mark>[\[\]{}:,()]))",
    re.DOTALL,
)
_JS_WORDS = {"true": True, "false": False, "null": None}
_SH = re.compile(
    r"\s*\}?\s*candidate\(\) \{\s*(?P<name>[\w-]+) \"\$@\"\s*\}\s*set -e\s*run_test\(\) \{\n(?P<checks>.*?)\n?\}\s*run_test\s*",
    re.DOTALL,
)
_SH_STRING = r"\"(?:\\.|[^\"\\$`])*\""
_SH_CHECK = re.compile(rf"\s*\[\[ \$\(candidate((?: +{_SH_STRING})*)\) = ({_SH_STRING}) \]\]", re.DOTALL)


class Undefined:
    """JavaScript's undefined."""

    def __repr__(self) -> str:
        return "undefined"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined)

    def __hash__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Call:
    """`arguments`: for JavaScript one text of source, for Bash the words."""

    arguments: Any
    expected: Any


class _Reader:
    """JavaScript literals from a text; numbers are floats, as they are there. ValueError at anything else."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at

    def token(self) -> re.Match[str]:
        match = _JS_TOKEN.match(self.text, self.at)
        if not match:
            raise ValueError(f"expected a literal, got {self.text[self.at : self.at + 40]!r}")
        self.at = match.end()
        return match

    def values(self, end: str) -> list[Any]:
        """What stands between commas up to the mark `end`."""
        found: list[Any] = []
        while True:
            token = self.token()
            if token["mark"] == end:
                return found
            found.append(self.value(token))
            token = self.token()
            if token["mark"] == end:
                return found
            if token["mark"] != ",":
                raise ValueError(f"expected , or {end}, got {token[0].strip()!r}")

    def value(self, token: re.Match[str]) -> Any:
        if token["string"]:
            return json.loads(token["string"].replace("\n", "\\n"))  # one test of the data set has a new line as it is
        if token["number"]:
            return float(token["number"])
        if token["word"]:
            return _JS_WORDS.get(token["word"], Undefined())
        if token["mark"] == "[":
            return self.values("]")
        if token["mark"] == "{":
            return self.fields()
        raise ValueError(f"expected a literal, got {token[0].strip()!r}")

    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        token = self.token()
        while token["mark"] != "}":
            if not token["string"] or self.token()["mark"] != ":" or token["string"] == '"__proto__"':
                raise ValueError(f"expected a name and a colon, got {token[0].strip()!r}")
            found[json.loads(token["string"])] = self.value(self.token())
            token = self.token()
            if token["mark"] == ",":
                token = self.token()
            elif token["mark"] != "}":
                raise ValueError(f"expected , or }}, got {token[0].strip()!r}")
        return found


def js_calls(tests: str) -> tuple[Call, ...]:
    """The calls of a test program in JavaScript or TypeScript. ValueError where it is none of the regular form."""
    program = _JS.fullmatch(tests)
    if not program:
        raise ValueError("expected one function `test` with calls of assert.deepEqual")
    calls, at, end = [], program.start("checks"), program.end("checks")
    while at < end:
        if not tests.startswith(_JS_CHECK, at):
            raise ValueError(f"expected {_JS_CHECK}...), got {tests[at : at + 40]!r}")
        reader = _Reader(tests, at + len(_JS_CHECK))
        arguments = reader.values(")")
        if reader.token()["mark"] != ",":
            raise ValueError("expected an argument and what must come of it")
        expected = reader.value(reader.token())
        if reader.token()["mark"] != ")" or not tests.startswith(";", reader.at):
            raise ValueError(f"expected ); after {expected!r:.40}")
        calls.append(Call(", ".join(map(as_js, arguments)), expected))
        at = reader.at + 1
        at += len(tests[at:end]) - len(tests[at:end].lstrip())
    return tuple(calls)


def as_js(value: Any) -> str:
    """A literal as JavaScript source."""
    if isinstance(value, Undefined):
        return "undefined"
    if isinstance(value, list):
        return f"[{', '.join(map(as_js, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)}: {as_js(item)}' for key, item in value.items())}}}"
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() and value else value)


def sh_calls(tests: str) -> tuple[Call, ...]:
    """The calls of a test program in Bash. ValueError where it is none of the regular form."""
    program = _SH.fullmatch(tests)
    if not program:
        raise ValueError("expected one function `run_test` with tests of what `candidate` prints")
    checks, calls, at = program["checks"].rstrip(), [], 0
    while at < len(checks):
        match = _SH_CHECK.match(checks, at)
        if not match:
            raise ValueError(f"expected [[ $(candidate ...) = ... ]], got {checks[at : at + 60].strip()!r}")
        words = tuple(_sh_text(word) for word in re.findall(_SH_STRING, match[1], re.DOTALL))
        calls.append(Call(words, _sh_text(match[2])))
        at = match.end()
    return tuple(calls)


def _sh_text(literal: str) -> str:
    """What Bash makes of a string in double quotes: a backslash counts before $, `, ", \\ and the end of a line."""
    return re.sub(r'\\([$`"\\\n])', lambda found: found[1].strip("\n"), literal[1:-1])
