"""The judge's side of a jail's wall: calls go in, plain answers come out, and objects that stay in the jail are Remotes."""

import errno
import marshal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from sandbox.in_jail import codec
from sandbox.judging.channel import Channel, Deadline, Ended, Gone, LimitExceeded

_BLOCKED = {errno.EPERM, errno.EACCES, errno.EROFS}  # what the system says where a jail forbids something


class Syntax(Exception):
    """The candidate's program is not Python; none of its readings is."""


class Stopped(Exception):
    """The candidate raised something that is no Exception, such as SystemExit."""


class Session:
    """The calls into one jail. What can break off a conversation (channel.py) is raised by all of its methods."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.denied = False  # the last call failed because it tried what the jail forbids
        self.broken: str | None = None  # why the conversation is over; None while it is not
        self.ended = False  # the program in the jail ended by itself
        self.late = False  # the deadline has passed
        self.closed = False  # the judge is done

    def load(self, programs: Sequence[str]) -> None:
        """Run the first of the programs that is Python. Raises Syntax, or what the program raised."""
        self.send(marshal.dumps(("load", *programs)))
        answer = self._answered()
        if answer[0] == "syntax":
            raise Syntax(str(answer[1]))
        if answer[0] == "raise":
            self._raise(answer)

    def allow(self, seconds: float) -> None:
        """Give the program `seconds` from now for all that comes next."""
        self._channel.allow(seconds)

    @property
    def seconds(self) -> float:
        """Since the program started."""
        return self._channel.seconds

    @property
    def ran(self) -> float:
        """Those seconds without the time that the program waited for a processor."""
        return self._channel.ran

    def act(self, what: str, *operands: Any) -> Any:
        """What one of python_driver.py's ACTIONS in the jail gives; raises what the candidate raised in it."""
        self.send(self.message(what, *operands))
        return self.answer(list(operands[1]) if what == "call" else [])

    def message(self, what: str, *operands: Any) -> bytes:
        """One of ACTIONS as `send` takes it."""
        return marshal.dumps((what, *[codec.encode(operand, self._outgoing) for operand in operands]))

    @property
    def room(self) -> int:
        """Bytes of messages that may be sent ahead: with so many unread ones in its pipe, sending never waits."""
        return self._channel.room

    def send(self, *messages: bytes) -> None:
        """Ask for something; the answers come in the order of the messages."""
        with self._watched():
            self._channel.send(*messages)

    def answer(self, arguments: Sequence[Any] = ()) -> Any:
        """The answer to the first message that has none yet; `arguments` of a call are changed as the candidate has.

        Raises what the candidate raised.
        """
        answer = self._answered()
        if answer[0] == "raise":
            self._raise(answer)
        if answer[0] != "value":
            raise self._gone("an answer of an unknown form")
        try:
            for index, value in answer[2] if arguments else ():
                _replace(arguments[index], self._incoming(value))
            self.denied = False
            return self._incoming(answer[1])
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, ArithmeticError):
            raise self._gone("an answer that cannot be read as a value") from None

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Takes down why the conversation breaks off, and refuses to go on with one that has."""
        if self.closed or self.broken is not None:
            raise Ended(self.broken or "it ended")
        try:
            yield
        except Deadline:
            self.late = True
            raise
        except (Ended, LimitExceeded) as error:
            self.broken = str(error)
            self.ended = isinstance(error, Gone)
            raise

    def _answered(self) -> Any:
        with self._watched():
            answer = self._channel.receive()
        if (
            type(answer) is not list
            or not answer
            or type(answer[0]) is not str
            or len(answer) < 2
            and answer != ["loaded"]
        ):
            raise self._gone("an answer of an unknown form")
        return answer

    def _gone(self, why: str) -> Ended:
        """The error to raise; from here on the jail is asked nothing more."""
        self.broken = why
        return Ended(why)

    def _outgoing(self, value: object) -> Any:
        """See codec.encode: of objects, Remotes alone go into the jail."""
        if type(value) is Remote:
            return object.__getattribute__(value, "_address")
        raise TypeError(f"a {type(value).__name__} cannot be passed into the jail")

    def _incoming(self, data: Any) -> Any:
        return codec.decode(data, self._resolve, codec.Hashes())

    def _resolve(self, tag: str, rest: list[Any]) -> "Remote":
        """See codec.decode."""
        if tag == "o" and rest and type(rest[0]) is int:
            return Remote(self, ["o", rest[0]])
        raise ValueError(f"a value of an unknown kind {tag[:20]!r}")

    def _raise(self, answer: list[Any]) -> NoReturn:
        """Raise what the candidate raised: the built-in class below its own, without its message."""
        name, number = answer[1], answer[2] if len(answer) > 2 else None
        self.denied = number in _BLOCKED
        kind = getattr(sys.modules["builtins"], name, None) if type(name) is str else None
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise Stopped("the candidate stopped the program")
        if issubclass(kind, UnicodeError):
            kind = UnicodeError
        raise kind(f"raised by the candidate{'' if number is None else f', errno {number}'}")


def _replace(old: Any, new: Any) -> None:
    """Change an argument in place as the candidate has changed its copy. TypeError where that has another type."""
    if type(old) is not type(new):
        raise TypeError
    if type(old) is list or type(old) is bytearray:
        old[:] = new
    elif type(old) is dict or type(old) is set:
        old.clear()
        old.update(new)
    else:  # a deque
        old.clear()
        old.extend(new)


class Remote:
    """An object in the jail. Plain data is never equal to it.

    Its address is ["o", its number] or, for a name of the program, ["N", name].
    """

    __slots__ = ("_address", "_session")

    def __init__(self, session: Session, address: list[Any]) -> None:
        object.__setattr__(self, "_session", session)
        object.__setattr__(self, "_address", address)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return _act(self, "call", list(args), options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # numpy and others ask for protocols, and would believe the answer
            raise AttributeError(name)
        return _act(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _act(self, "set", name, value)

    def __eq__(self, other: object) -> bool:
        if type(other) is not Remote:
            return False
        same = object.__getattribute__(self, "_address") == object.__getattribute__(other, "_address")
        return same or _act(self, "equal", other) is True

    def __hash__(self) -> int:
        return hash(str(object.__getattribute__(self, "_address")))

    def __bool__(self) -> bool:
        return _act(self, "truth") is True

    def __str__(self) -> str:
        return _text(_act(self, "text"))

    def __repr__(self) -> str:
        return _text(_act(self, "show"))

    def __len__(self) -> int:
        length = _act(self, "length")
        if type(length) is not int or not 0 <= length <= codec.LONGEST:  # list() makes room for as many
            raise TypeError("a length that is no number of items")
        return length

    def __iter__(self) -> Iterator[Any]:
        return _Iteration(_act(self, "iterate"))

    def __next__(self) -> Any:
        return next(_Iteration(self))

    def __getitem__(self, key: Any) -> Any:
        return _act(self, "item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _act(self, "put", key, value)


class _Iteration:
    """A loop over an iterator in the jail."""

    def __init__(self, remote: Any) -> None:
        self._remote = remote

    def __iter__(self) -> "_Iteration":
        return self

    def __next__(self) -> Any:
        found = _act(self._remote, "next")
        if type(found) is not list or len(found) > 1:
            raise TypeError("an iterator that gives no item and does not end")
        if not found:
            raise StopIteration
        return found[0]


def session_of(remote: Remote) -> Session:
    """The conversation with the jail that an object is in; TypeError where it is none."""
    if type(remote) is not Remote:
        raise TypeError("expected an object in the jail")
    session: Session = object.__getattribute__(remote, "_session")
    return session


def _act(remote: Remote, what: str, *operands: Any) -> Any:
    return session_of(remote).act(what, remote, *operands)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("expected a text")
    return value
