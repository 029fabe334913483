"""The jail's side of the pipes: frames of 4 bytes of length and a message. Its source is sent in behind codec.py's."""

# mypy: ignore-errors

import posix
from _json import encode_basestring_ascii as _quoted


def pipes():
    """(where commands come from, where answers go): moved out of the way of what the candidate reads and prints."""
    commands, answers = posix.dup(0), posix.dup(1)
    nothing = posix.open("/dev/null", posix.O_RDWR)
    posix.dup2(nothing, 0)
    posix.dup2(2, 1)  # what is printed goes the way of the error messages
    posix.close(nothing)
    return commands, answers


def received(place):
    size = int.from_bytes(read(place, 4), "little")
    return read(place, size)


def read(place, size):
    parts = []
    while size:
        part = posix.read(place, size)
        if not part:
            posix._exit(0)  # the judge is gone
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def send(place, data):
    data = len(data).to_bytes(4, "little") + data
    while data:
        data = data[posix.write(place, data) :]


def as_json(data):
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
    return "[" + ",".join([as_json(item) for item in data]) + "]"


def confine(limits):
    """The rest of the limits; nothing untrusted is here yet."""
    import resource

    for name, most in limits:
        hard = resource.getrlimit(getattr(resource, name))[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(getattr(resource, name), (most, most))
