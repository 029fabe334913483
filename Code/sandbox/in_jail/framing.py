"""The jail's side of the pipes: messages in frames, each behind its length in 4 bytes, little-endian.

Its source is sent into the jail between that of codec.py and that of a driver, all as one program.
"""

# mypy: ignore-errors

import posix
from _json import encode_basestring_ascii as _quoted


def pipes():
    """(descriptor that commands come from, descriptor that answers go to), out of the way of standard input and output.

    What a candidate reads from descriptor 0 is empty from here on, and what it prints to 1 goes to 2.
    """
    commands, answers = posix.dup(0), posix.dup(1)
    nothing = posix.open("/dev/null", posix.O_RDWR)
    posix.dup2(nothing, 0)
    posix.dup2(2, 1)  # what is printed goes the way of the error messages
    posix.close(nothing)
    return commands, answers


def received(fd):
    """The bytes of the next message."""
    size = int.from_bytes(read(fd, 4), "little")
    return read(fd, size)


def read(fd, size):
    """Exactly `size` bytes; the process ends where there are no more of them."""
    pieces = []
    while size:
        piece = posix.read(fd, size)
        if not piece:
            posix._exit(0)  # the judge is gone
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def send(fd, data):
    data = len(data).to_bytes(4, "little") + data
    while data:
        data = data[posix.write(fd, data) :]


def as_json(data):
    """JSON of nested lists of plain values; importing the json package would take longer than most programs run."""
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
    """Set resource limits, soft and hard: `limits` are pairs such as ("RLIMIT_AS", bytes). Nothing untrusted is here yet."""
    import resource

    for name, most in limits:
        hard = resource.getrlimit(getattr(resource, name))[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(getattr(resource, name), (most, most))
