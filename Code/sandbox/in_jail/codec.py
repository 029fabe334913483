"""Values as plain data, on both sides of a jail's wall. This file's source runs in the jail too, so it imports nothing.

The judge sends marshal and the jail answers in JSON: marshal is fast, but only data from a trusted side may be read with it.
None, True, False, str, float and small int stand for themselves; everything else is a list that starts with a tag
(README.md lists the tags). A subclass is encoded as the plain type below it, so that nothing with methods of its own comes out.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # the typing module would take longer to import than most programs to run
    from collections.abc import Callable
    from typing import Any

DEPTH = 200  # levels of nesting that are encoded
LONGEST = 1_000_000  # items of a range, and the length that an object may claim to have
CLASHES = 100  # different values of one answer with the same hash
DIGITS = 1_000  # decimal digits of a Decimal or a Fraction
_WHOLE = 1 << 53  # integers from here on are sent as text: JSON readers may round them


class Unsendable(Exception):
    """A value that is no plain data, or nested too deeply."""


def encode(value: Any, handle: Callable[[Any], Any], depth: int = 0) -> Any:
    """`value` as plain data.

    `handle(object)` gives what stands for an object that is no plain data, or raises. Raises Unsendable where the value is
    nested in more than DEPTH levels.
    """
    kind = type(value)
    if value is None or kind is bool or kind is str or kind is float:
        return value
    if kind is int:
        return value if -_WHOLE < value < _WHOLE else ["i", hex(value)]
    if depth > DEPTH:
        raise Unsendable("nested too deeply")
    depth += 1
    if kind is list:
        return ["l", *_encoded(value, handle, depth)]
    if kind is tuple:
        return ["t", *_encoded(value, handle, depth)]
    if kind is dict:
        return ["d", *[[encode(key, handle, depth), encode(item, handle, depth)] for key, item in value.items()]]
    if kind is set or kind is frozenset:
        return ["s" if kind is set else "z", *_encoded(value, handle, depth)]
    if kind is bytes or kind is bytearray:
        return ["b" if kind is bytes else "B", value.decode("latin-1")]
    if kind is complex:
        return ["c", value.real, value.imag]
    if kind is range:
        return ["r", *[encode(item, handle, depth) for item in (value.start, value.stop, value.step)]]
    if value is Ellipsis or value is NotImplemented:
        return ["e", value is Ellipsis]
    return _other(value, kind, handle, depth)


def _encoded(items: Any, handle: Callable[[Any], Any], depth: int) -> list[Any]:
    """Each of the items as `encode` gives it; a call for each of a million numbers would take most of the time."""
    return [
        item
        if (kind := type(item)) is str or kind is float or kind is int and -_WHOLE < item < _WHOLE
        else encode(item, handle, depth)
        for item in items
    ]


_PLAIN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)


def _other(value: Any, kind: type, handle: Callable[[Any], Any], depth: int) -> Any:
    """Types that are less frequent, subclasses of plain types, and objects."""
    if kind in (type({}.keys()), type({}.values()), type({}.items())):
        tag = "k" if kind is type({}.keys()) else "v" if kind is type({}.values()) else "m"
        return [tag, *[encode(item, handle, depth) for item in value]]
    where, name = kind.__module__, kind.__qualname__
    if where == "collections" and name == "deque":
        return ["q", encode(value.maxlen, handle, depth), *[encode(item, handle, depth) for item in value]]
    if where == "decimal" and name == "Decimal":
        return ["D", str(value)]
    if where == "fractions" and name == "Fraction":
        return ["F", encode(value.numerator, handle, depth), encode(value.denominator, handle, depth)]
    if where == "datetime" and name == "timedelta":
        return ["w", value.days, value.seconds, value.microseconds]
    if where == "datetime" and name == "date":
        return ["y", value.year, value.month, value.day]
    if where == "datetime" and name == "datetime" and value.tzinfo is None:
        return ["u", value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
    if where == "numpy" and name == "ndarray":
        return ["a", encode(value.tolist(), handle, depth)]
    if where == "numpy" and hasattr(value, "item"):
        return encode(value.item(), handle, depth)
    if kind is type and value in _PLAIN:
        return ["T", value.__name__]
    for base in kind.__mro__[1:]:
        if base is int:
            return encode(int.__index__(value), handle, depth)
        if base is float:
            return float.__pos__(value)
        if base is str:
            return str.__str__(value)
        if base is complex:
            return encode(complex.__pos__(value), handle, depth)
        if base in (bytes, bytearray):
            return encode(base(memoryview(value)), handle, depth)
        if base is dict:
            return encode(dict(dict.items(value)), handle, depth)
        if base in (list, tuple, set, frozenset):
            return encode(base(base.__iter__(value)), handle, depth)
    return handle(value)


def digest(value: object) -> str:
    """A hash of a list, tuple or text as Python shows it, "" of any other type; values of the same hash are equal.

    Who does not know a value cannot know its hash, so a hash from a jail says as much as the value. 1 and 1.0 are equal and
    have two hashes: another hash says nothing.
    """
    if type(value) not in (list, tuple, str):
        return ""
    import hashlib

    shown = f"str {value}" if type(value) is str else repr(value)
    return hashlib.blake2b(shown.encode(errors="surrogatepass"), digest_size=16).hexdigest()


class Hashes:
    """How many different values of one answer share a hash: a set or a dict of many such values takes hours to make.

    All values that come out of a jail are counted, not those alone that are in a set: a test may make a set of any of them.
    """

    def __init__(self) -> None:
        self._firsts: dict[int, Any] = {}
        self._others: dict[int, set[Any]] = {}  # those that differ from the first

    def add(self, value: Any) -> None:
        """Count a value; one that has no hash, such as a list, is left out. ValueError at more than CLASHES of one hash."""
        try:
            number = hash(value)
        except TypeError:
            return
        first = self._firsts.setdefault(number, value)
        if first is not value and first != value:
            others = self._others.setdefault(number, set())
            others.add(value)
            if len(others) >= CLASHES:
                raise ValueError("too many values of the same hash")


_AS_THEY_ARE = {bool, str, float, int}  # types that stand for themselves
# what the items of a tag become
_COLLECTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "l": list,
    "t": tuple,
    "s": set,
    "z": frozenset,
    "k": lambda items: dict.fromkeys(items).keys(),
    "v": lambda items: dict(enumerate(items)).values(),
    "m": lambda items: dict(items).items(),
}


def decode(data: Any, resolve: Callable[[str, list[Any]], Any], hashes: Hashes | None = None) -> Any:
    """The value that `encode` was given, a new one.

    `resolve(tag, rest)` is asked for tags that are not plain. `hashes` counts the values of an answer that is not trusted.
    Nonsense raises ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError or RecursionError, and
    whatever `resolve` raises.
    """
    kind = type(data)
    if data is None or kind is bool or kind is str or kind is float or kind is int:
        return data
    if kind is not list or not data or type(data[0]) is not str:
        raise ValueError("not a value")
    tag, *rest = data
    if tag in _COLLECTIONS:
        items = [item if type(item) in _AS_THEY_ARE else decode(item, resolve, hashes) for item in rest]
        return _COLLECTIONS[tag](_counted(items, hashes))
    if tag == "d":
        keys = _counted([decode(key, resolve, hashes) for key, _ in rest], hashes)
        items = _counted([decode(item, resolve, hashes) for _, item in rest], hashes)
        return dict(_counted(list(zip(keys, items, strict=True)), hashes))
    if tag == "i":
        return int(rest[0], 16)
    if tag == "b":
        return rest[0].encode("latin-1")
    if tag == "B":
        return bytearray(rest[0].encode("latin-1"))
    if tag == "c":
        return complex(float(rest[0]), float(rest[1]))
    if tag == "r":
        found = range(*_counted([decode(item, resolve, hashes) for item in rest], hashes))
        if len(found) > (
            LONGEST if hash(found.step) else CLASHES
        ):  # with a step of hash 0 all its numbers share theirs
            raise ValueError("a range of too many numbers")
        return found
    if tag == "e":
        return Ellipsis if rest[0] else NotImplemented
    if tag == "T":
        return {plain.__name__: plain for plain in _PLAIN}[rest[0]]
    if tag in "qDFwyua":
        return _rare(tag, _counted([decode(item, resolve, hashes) for item in rest], hashes))
    return resolve(tag, rest)


def _counted(items: list[Any], hashes: Hashes | None) -> list[Any]:
    """The items, once they are counted, as is a tuple of them: a test may make one of a list to put it into a set."""
    if hashes is not None:
        for item in items:
            if (
                type(item) is not int or not -_WHOLE < item < _WHOLE
            ):  # such an integer shares its hash with one other at most
                hashes.add(item)
        hashes.add(tuple(items))
    return items


def _rare(tag: str, rest: list[Any]) -> Any:
    """Types that few programs use, whose modules are imported with the first of them."""
    import collections
    import datetime
    import decimal
    import fractions

    if tag == "a":
        import numpy

        if not _numbers(rest[0]):
            raise ValueError("an array of something else than numbers")
        return numpy.array(rest[0])
    if tag == "q":
        return collections.deque(rest[1:], rest[0])
    if tag == "D" and (len(rest[0]) > DIGITS or not -DIGITS < decimal.Decimal(rest[0]).adjusted() < DIGITS):
        raise ValueError("a Decimal of too many digits")
    if tag == "F" and max(map(int.bit_length, rest)) > 4 * DIGITS:
        raise ValueError("a Fraction of too many digits")
    return {
        "D": decimal.Decimal,
        "F": fractions.Fraction,
        "w": datetime.timedelta,
        "y": datetime.date,
        "u": datetime.datetime,
    }[tag](*rest)


def _numbers(value: Any) -> bool:
    return all(map(_numbers, value)) if type(value) is list else type(value) in (bool, int, float)
