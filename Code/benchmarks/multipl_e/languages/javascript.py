"""JavaScript and TypeScript judged from outside the jail: only arguments go in, and plain answers come out.

What assert.deepEqual says of an answer is said here instead, with JavaScript's == for values that are no objects
(nodejs.org/api/assert.html, "legacy assertion mode"). Types of TypeScript are taken off, not checked.
"""

import json
import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import sandbox
from sandbox.contract import Limits, Sandbox, SandboxError
from sandbox.judging.channel import Channel, Deadline, Ended, LimitExceeded
from sandbox.judging.driver_process import explain
from sandbox.judging.verdict import BLOCKED, FAIL, INFRA_ERROR, MEMORY, PASS, SYNTAX, TIMEOUT, Verdict

from benchmarks.multipl_e.case import Case
from benchmarks.multipl_e.languages.javascript_values import Undefined
from benchmarks.multipl_e.languages.toolchain import TYPESCRIPT

# descriptors 4 and 3 are the judge's; the candidate reads nothing and what it prints goes to standard error
_START = """\
exec 4<&0 3>&1 0</dev/null 1>&2
ulimit -c 0; ulimit -n 64; ulimit -f {blocks}; ulimit -d {kilobytes}
exec node --no-warnings --max-old-space-size={megabytes} -e "$@"
"""
_SPACE = " \t\n\v\f\r\xa0\ufeff\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_DECIMAL = re.compile(r"[+-]?(?:Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)
_PREFIXED = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)", re.ASCII)
_LONGEST = 4_000  # digits of a BigInt that is compared


class Opaque:
    """An answer that is equal to nothing: a function, a Map, an array with a hole."""


def judge_js(case: Case, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    """Run one completion against the calls of its tests, each reading of it in a jail of its own."""
    outcomes = []
    for whole in case.readings(completion):
        outcome = _in_a_jail(case, _program(case, completion, whole), sandbox, limits)
        if outcome.name != SYNTAX:
            return outcome
        outcomes.append(outcome)
    return outcomes[0]


def _program(case: Case, completion: str, whole: bool) -> str:
    if not whole:
        return case.prompt + completion
    if case.language == "ts":
        return completion
    # a script of its own, as the authors run it, exports nothing
    text = re.sub(
        r"^export[ \t]+(?:default[ \t]+\w+[ \t]*;?|\{[^}]*\}[ \t]*;?)[ \t]*$", "", completion, flags=re.MULTILINE
    )
    return re.sub(
        r"^export[ \t]+(?:default[ \t]+)?(?=(?:async|function|const|let|var|class)\b)", "", text, flags=re.MULTILINE
    )


def _in_a_jail(case: Case, program: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    start = _START.format(
        blocks=limits.disk // 512,
        kilobytes=2 * limits.memory >> 10,
        megabytes=limits.memory * 3 // 4 >> 20,
    )
    try:
        jail = sandbox.start(
            ["/bin/sh", "-c", start, "sh", _driver(), *([TYPESCRIPT] if case.language == "ts" else [])], limits
        )
    except SandboxError as error:
        return Verdict(INFRA_ERROR, 0.0, str(error))
    channel = Channel(jail, limits)
    try:
        try:
            if channel.receive() != ["ready"]:
                return Verdict(INFRA_ERROR, 0.0, "node did not come to life")
        except (Ended, LimitExceeded, Deadline):
            channel.drain()
            return Verdict(INFRA_ERROR, 0.0, explain("node did not come to life", channel))
        channel.begin(limits.seconds)
        verdict, why = _verdict(case, program, channel)
        seconds = channel.seconds
        channel.drain()
        shown = explain(why, channel)
        if verdict == FAIL and "JavaScript heap out of memory" in shown:
            verdict = MEMORY
        return Verdict(verdict, seconds, "" if verdict == PASS else shown)
    finally:
        jail.close()


@cache
def _driver() -> str:
    return (Path(sandbox.__path__[0]) / "in_jail" / "javascript_driver.js").read_text(encoding="utf-8")


def _verdict(case: Case, program: str, channel: Channel) -> tuple[str, str]:
    try:
        answer = _asked(channel, "load", program, case.name)
        if answer[0] == "syntax":
            return SYNTAX, str(answer[1])
        if answer != ["loaded"]:
            return _no_value(answer)
        for call in case.calls:
            answer = _asked(channel, "call", call.arguments)
            if answer[0] != "value":
                return _no_value(answer)
            if not equal(decoded(answer[1]), call.expected):
                return FAIL, f"{case.name}({call.arguments:.200}) gives something else than {call.expected!r:.200}"
        return PASS, ""
    except Deadline:
        return TIMEOUT, ""
    except LimitExceeded as error:
        return error.verdict, str(error)
    except Ended as error:
        return FAIL, str(error)
    except (ValueError, TypeError, IndexError, RecursionError):
        return FAIL, "an answer that is none"


def _no_value(answer: list[Any]) -> tuple[str, str]:
    if answer[0] == "raise":
        return (BLOCKED, "it tried what the jail forbids") if answer[1] is True else (FAIL, "it threw an error")
    return FAIL, "an answer that is none"


def _asked(channel: Channel, *message: Any) -> list[Any]:
    channel.send(json.dumps(message).encode())
    answer = channel.receive()
    if type(answer) is not list or len(answer) < 1 + (answer[:1] != ["loaded"]):
        raise ValueError
    return answer


def decoded(data: Any) -> Any:
    """A value of JavaScript: numbers are float, int is a BigInt. ValueError and the like on nonsense."""
    if isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, list):
        if isinstance(data, dict):
            raise ValueError
        return data
    tag, *rest = data
    if tag == "a":
        return [decoded(item) for item in rest]
    if tag == "o":
        return {key: decoded(item) for key, item in rest}
    if tag == "u":
        return Undefined()
    if tag == "n":
        return float(rest[0].replace("Infinity", "inf"))
    if tag == "i" and len(rest[0]) < _LONGEST:
        return int(rest[0], 16)
    return Opaque()


def equal(actual: Any, expected: Any) -> bool:
    """Whether assert.deepEqual takes one for the other; `expected` is a literal."""
    if isinstance(expected, list):
        same_length = isinstance(actual, list) and len(actual) == len(expected)
        return same_length and all(map(equal, actual, expected))
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and actual.keys() == expected.keys()
            and all(equal(actual[key], item) for key, item in expected.items())
        )
    if isinstance(actual, list | dict | Opaque):
        return False
    return _loosely_equal(actual, expected)


def _loosely_equal(one: Any, other: Any) -> bool:
    """JavaScript's == for two values that are no objects; here NaN is equal to itself."""
    empty = [value is None or isinstance(value, Undefined) for value in (one, other)]
    if any(empty):
        return all(empty)
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    for text, number in ((one, other), (other, one)):
        if isinstance(text, str) and type(number) is int:
            return _big(text) == number
    left, right = _number(one), _number(other)
    return left == right or (one != one and other != other)


def _number(value: Any) -> float | int:
    """What JavaScript's Number makes of it; a BigInt stays as exact as it is."""
    if isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        number: float | int = value
        return number
    text = value.strip(_SPACE)
    if not text:
        return 0.0
    if _PREFIXED.fullmatch(text):
        return float(int(text, 0)) if len(text) < 200 else math.inf
    return float(text.replace("Infinity", "inf")) if _DECIMAL.fullmatch(text) else math.nan


def _big(text: str) -> int | None:
    text = text.strip(_SPACE)
    if _PREFIXED.fullmatch(text) and len(text) < _LONGEST:
        return int(text, 0)
    return int(text or "0") if re.fullmatch(r"[+-]?\d+|", text, re.ASCII) and len(text) < _LONGEST else None
