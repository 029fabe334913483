"""The tests of MultiPL-E in JavaScript and TypeScript as data: what they call, and what must come of it."""

import json
import re
from typing import Any

from benchmarks.multipl_e.case import Call
from benchmarks.multipl_e.languages.javascript_values import Undefined, as_js

_PROGRAM = re.compile(
    r"\s*(?:declare var require: any;\s*)?const assert = require\('node:assert'\);\s*function test\(\) \{\s*"
    r"let candidate = (?P<name>[\w$]+);\s*(?P<checks>.*?)\s*\}\s*test\(\);\s*",
    re.DOTALL,
)
_CHECK = "assert.deepEqual(candidate("
_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:\\.|[^\"\\])*\")|(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<word>true|false|null|undefined)\b"
    r"|(?P<mark>[\[\]{}:,()]))",
    re.DOTALL,
)
_WORDS = {"true": True, "false": False, "null": None}


class _Reader:
    """Reads JavaScript literals from a text, from index `at` on; numbers become float. ValueError at anything else."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at

    def token(self) -> re.Match[str]:
        """The next string, number, word or mark, which is then behind."""
        match = _TOKEN.match(self.text, self.at)
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
        """The value that begins with a token."""
        if token["string"]:
            return json.loads(token["string"].replace("\n", "\\n"))  # one test of the data set has a new line as it is
        if token["number"]:
            return float(token["number"])
        if token["word"]:
            return _WORDS.get(token["word"], Undefined())
        if token["mark"] == "[":
            return self.values("]")
        if token["mark"] == "{":
            return self.fields()
        raise ValueError(f"expected a literal, got {token[0].strip()!r}")

    def fields(self) -> dict[str, Any]:
        """What stands between braces, of which the first has been read."""
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
    """The calls of a test program in JavaScript or TypeScript. ValueError where it has not the data set's form."""
    program = _PROGRAM.fullmatch(tests)
    if not program:
        raise ValueError("expected one function `test` with calls of assert.deepEqual")
    calls, at, end = [], program.start("checks"), program.end("checks")
    while at < end:
        if not tests.startswith(_CHECK, at):
            raise ValueError(f"expected {_CHECK}...), got {tests[at : at + 40]!r}")
        reader = _Reader(tests, at + len(_CHECK))
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
