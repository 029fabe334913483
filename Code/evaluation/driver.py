"""Runs in the jail, in front of the candidate's program: calls it as the judge outside asks, and answers.

It holds no secret: the expected values never come here, so whatever a candidate does to this code, it can only answer.
Nothing is imported that is not built in, and no exit code means anything. Its source is sent in behind wire.py's.
"""
# what it takes from the judge is trusted, and what it catches is handed on: ruff's S302 and BLE001 do not apply
# ruff: noqa: F821, S302, BLE001
# mypy: ignore-errors

import builtins
import marshal
import posix
import sys
from _json import encode_basestring_ascii as _quoted


def _drive(commands, answers):
    module = type(sys)("solution")
    sys.modules["solution"] = module
    names = module.__dict__
    objects = []
    end = object()

    def handle(value):
        objects.append(value)
        return ["o", len(objects) - 1, type(value).__name__]

    def resolve(tag, rest):
        if tag == "o":
            return objects[rest[0]]
        if tag == "N":
            if rest[0] not in names:
                raise NameError(f"name {rest[0]!r} is not defined")
            return names[rest[0]]
        raise ValueError(tag)

    def call(function, args, options):
        return function(*args, **options)

    def following(iterator):
        value = next(iterator, end)
        return [] if value is end else [value]

    actions = {
        "call": call, "get": getattr, "set": setattr, "equal": lambda one, other: bool(one == other), "text": str,
        "show": repr, "truth": bool, "length": len, "iterate": iter, "next": following,
        "item": lambda value, key: value[key], "put": lambda value, key, item: value.__setitem__(key, item),
        "has": lambda value, item: item in value,
    }  # fmt: skip

    def act(what, operands):
        values = [decode(item, resolve) for item in operands]
        result = encode(actions[what](*values), handle)
        if what != "call":
            return ["value", result, []]
        # an argument that was changed in place is seen outside too, as it would be without the wall
        changed = []
        for place, before in enumerate(operands[1][1:]):
            if type(before) is list and before[0] in "ldsBq":
                after = encode(values[1][place], handle)
                if after != before:
                    changed.append([place, after])
        return ["value", result, changed]

    def load(programs):
        """Run the first that is Python."""
        first = None
        for program in programs:
            try:
                code = compile(program, "<candidate>", "exec")
            except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError) as error:
                first = first or ["syntax", f"{type(error).__name__}: {error}"]
            else:
                exec(code, names)
                return ["loaded"]
        return first

    def raised(error):
        kind = type(error)
        plain = next(base for base in kind.__mro__ if getattr(builtins, base.__name__, None) is base)
        number = getattr(error, "errno", None)
        if isinstance(error, MemoryError):
            objects.clear()
        else:
            sys.excepthook(kind, error, error.__traceback__)
            sys.stderr.flush()
        return ["raise", plain.__name__, number if type(number) is int else None]

    while True:
        what, *rest = marshal.loads(_received(commands))
        try:
            if what == "load":
                answer = load(rest)
            else:
                answer = act(what, rest)
        except BaseException as error:
            answer = raised(error)
        _send(answers, _json(answer).encode())


def _received(place):
    size = int.from_bytes(_read(place, 4), "little")
    return _read(place, size)


def _read(place, size):
    parts = []
    while size:
        part = posix.read(place, size)
        if not part:
            posix._exit(0)  # the judge is gone
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _send(place, data):
    data = len(data).to_bytes(4, "little") + data
    while data:
        data = data[posix.write(place, data) :]


def _json(data):
    """JSON of nested lists; the json package would take longer to import than most programs to run."""
    kind = type(data)
    if kind is str:
        return _quoted(data)
    if data is None or kind is bool:
        return "null" if data is None else "true" if data else "false"
    if kind is int:
        return int.__repr__(data)
    if kind is float:
        text = float.__repr__(data)
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)
    return "[" + ",".join([_json(item) for item in data]) + "]"


def _confine(limits):
    """The rest of the limits; nothing untrusted is here yet."""
    import resource

    for name, most in limits:
        resource.setrlimit(getattr(resource, name), (most, most))


def _main():
    commands, answers = posix.dup(0), posix.dup(1)
    nothing = posix.open("/dev/null", posix.O_RDWR)
    posix.dup2(nothing, 0)
    posix.dup2(2, 1)  # what is printed goes the way of the error messages
    posix.close(nothing)
    limits, packages = marshal.loads(_received(commands))
    if packages:
        sys.path.append(packages)
    _confine(limits)
    _send(answers, b'["ready"]')
    _drive(commands, answers)


_main()
