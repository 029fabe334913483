"""Values of JavaScript outside the jail, and which of them assert.deepEqual takes for equal.

Equality is that of the legacy assertion mode (nodejs.org/api/assert.html): JavaScript's == for values that are no objects.
Numbers are float here, and int is a BigInt.
"""

import json
import math
import re
from typing import Any

_SPACE = " \t\n\v\f\r\xa0\ufeff\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_DECIMAL = re.compile(r"[+-]?(?:Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)
_PREFIXED = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)", re.ASCII)
_LONGEST = 4_000  # digits of a BigInt that is compared


class Undefined:
    """JavaScript's undefined."""

    def __repr__(self) -> str:
        return "undefined"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined)

    def __hash__(self) -> int:
        return 0


class Opaque:
    """An answer that is equal to nothing: a function, a Map, an array with a hole."""


def as_js(value: Any) -> str:
    """A literal as JavaScript source."""
    if isinstance(value, Undefined):
        return "undefined"
    if isinstance(value, list):
        return f"[{', '.join(map(as_js, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)}: {as_js(item)}' for key, item in value.items())}}}"
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() and value else value)


def decoded(data: Any) -> Any:
    """A value as javascript_driver.js sends it: null, true, "text" and 1.5 stand for themselves, the rest is tagged.

    ["a", item ...] is an array, ["o", [key, value] ...] an object, ["u"] undefined, ["n", "NaN"] a number that JSON has not,
    ["i", "ff"] a BigInt in hexadecimal digits, ["x", kind] all else. ValueError, TypeError or IndexError on nonsense.
    """
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
    """Whether assert.deepEqual takes one for the other; `expected` is a literal of a test."""
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
