"""The tests of LiveCodeBench as their authors pack them: JSON, pickled as one text, in zlib, in base64.

A pickle can hold programs. So its instructions are checked first, and then it is read by an unpickler that knows no class
and no function.
"""

import base64
import binascii
import io
import zlib

# the authors pack their tests with it; here no class is ever allowed, and nothing but text comes out
from pickle import Unpickler, UnpicklingError
from pickletools import genops
from typing import Any, NoReturn

from seedkit.errors import InputError

from benchmarks.dataset_rows import Row

UNPACKED = 512 << 20  # the most bytes that the tests of a problem may have
# the instructions of a pickled text, or of a dict of texts: none of them makes, calls or looks up anything else
_OPCODES = {
    "PROTO",
    "FRAME",
    "MEMOIZE",
    "BINPUT",
    "SHORT_BINUNICODE",
    "BINUNICODE",
    "BINUNICODE8",
    "EMPTY_DICT",
    "MARK",
    "SETITEM",
    "SETITEMS",
    "STOP",
}


def unpacked(row: Row, key: str, text: Any) -> str:
    """The text that a pickle in zlib in base64 holds.

    Args:
        row, key: where it stands, for the message.
        text: the value of the field, of whatever type.

    Raises:
        InputError: it is damaged, too large, or holds anything but text. Nothing of the pickle is executed.
    """

    def refused(why: str) -> InputError:
        return InputError(f'{row.where}: expected packed tests in "{key}", got {why}')

    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(text, validate=True), UNPACKED)
    except (TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise refused(f"no zlib in base64: {error}") from None
    if not unpacker.eof:
        raise refused(f"more than {UNPACKED:,} bytes" if unpacker.unconsumed_tail else "a part of it")
    try:
        end = 0
        for opcode, _, position in genops(data):  # lists the instructions and executes none
            if opcode.name not in _OPCODES:
                raise refused(f"a pickle of something else than text ({opcode.name})")
            end = (position or 0) + 1
        if end != len(data):
            raise refused("a pickle with something behind it")
        found = _Texts(io.BytesIO(data)).load()
    except (
        UnpicklingError,
        ValueError,
        TypeError,
        EOFError,
        IndexError,
        KeyError,
        AttributeError,
        OverflowError,
    ) as error:
        raise refused(f"a damaged pickle: {error}") from None
    if type(found) is dict and [*found] == ["input_output"]:  # SandboxFusion's form
        found = found["input_output"]
    if type(found) is not str:
        raise refused(f"a pickle of a {type(found).__name__}")
    return found


class _Texts(Unpickler):
    """An unpickler that knows no class and no function, so that there is nothing to make or to call."""

    def find_class(self, module: str, name: str, /) -> NoReturn:
        raise UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any, /) -> NoReturn:
        raise UnpicklingError("it asks for an object of somewhere else")
