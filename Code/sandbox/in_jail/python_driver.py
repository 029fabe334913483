"""Runs in the jail, in front of the candidate's program: calls it as the judge outside asks, and answers.

It holds no secret: the expected values never come here, so whatever a candidate does to this code, it can only answer.
Nothing is imported that is not built in. Its source is sent into the jail behind those of codec.py and framing.py.
"""

# what it takes from the judge is trusted, and what it catches is handed on: ruff's S302 and BLE001 do not apply; names of
# codec.py and framing.py are defined when it runs: F821
# ruff: noqa: F821, S302, BLE001
# mypy: ignore-errors

import builtins
import marshal
import posix
import sys

# why a program that was run by itself did not come to its end; stdin_judge.py has the same four. They are no secret, and
# none of them makes a program right.
SYNTAX, DENIED, SPENT, RAISED = b"syntax", b"denied", b"memory", b"raised"
END = object()
HELD = []


def call(function, args, options):
    return function(*args, **options)


def following(iterator):
    """The next item in a list; an empty list at the end."""
    value = next(iterator, END)
    return [] if value is END else [value]


def hold(function, args, options):
    """Call it and keep what it returns until the next time; the hash of that."""
    HELD[:] = [function(*args, **options)]
    return digest(HELD[0])


# what the judge can do with an object of the candidate's
ACTIONS = {
    "call": call,
    "hold": hold,
    "held": lambda _: HELD[0],
    "get": getattr,
    "set": setattr,
    "equal": lambda one, other: bool(one == other),
    "text": str,
    "show": repr,
    "truth": bool,
    "length": len,
    "iterate": iter,
    "next": following,
    "item": lambda value, key: value[key],
    "put": lambda value, key, item: value.__setitem__(key, item),
}


class Solution:
    """The module that the candidate's program becomes, and the objects of it that the judge outside has numbers of."""

    def __init__(self):
        self.module = type(sys)("solution")
        sys.modules["solution"] = self.module
        self.names = self.module.__dict__
        self.objects = []

    def handle(self, value):
        """What stands for an object outside: its number."""
        self.objects.append(value)
        return ["o", len(self.objects) - 1, type(value).__name__]

    def resolve(self, tag, rest):
        """The object that a number or a name of the program stands for."""
        if tag == "o":
            return self.objects[rest[0]]
        if tag == "N":
            if rest[0] not in self.names:
                raise NameError(f"name {rest[0]!r} is not defined")
            return self.names[rest[0]]
        raise ValueError(tag)

    def load(self, programs):
        """Run the first of them that is Python: ["loaded"], or what is wrong with the first."""
        first = None
        for program in programs:
            try:
                code = compile(program, "<candidate>", "exec")
            except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError) as error:
                first = first or ["syntax", f"{type(error).__name__}: {error}"]
            else:
                exec(code, self.names)
                return ["loaded"]
        return first

    def act(self, what, operands):
        """Do one of ACTIONS: ["value", its result, [index, value] of every argument that a call changed in place]."""
        values = [decode(item, self.resolve) for item in operands]
        result = encode(ACTIONS[what](*values), self.handle)
        if what != "call":
            return ["value", result, []]
        # an argument that was changed in place is seen outside too, as it would be without the wall
        changed = []
        for index, before in enumerate(operands[1][1:]):
            if type(before) is list and before[0] in "ldsBq":
                after = encode(values[1][index], self.handle)
                if after != before:
                    changed.append([index, after])
        return ["value", result, changed]

    def raised(self, error):
        """Print an exception as Python does: ["raise", the built-in class below its own, its errno]."""
        kind = type(error)
        plain = next(base for base in kind.__mro__ if getattr(builtins, base.__name__, None) is base)
        number = getattr(error, "errno", None)
        if isinstance(error, MemoryError):
            self.objects.clear()  # to have memory to go on
        else:
            sys.excepthook(kind, error, error.__traceback__)
            sys.stderr.flush()
        return ["raise", plain.__name__, number if type(number) is int else None]


def _drive(commands, answers):
    """Answer until the judge is gone, or until it sends a program that is to run by itself: [its text, its mark]."""
    solution = Solution()
    while True:
        what, *rest = marshal.loads(received(commands))
        if what == "program":
            return rest
        try:
            if what == "load":
                answer = solution.load(rest)
            else:
                answer = solution.act(what, rest)
        except BaseException as error:
            answer = solution.raised(error)
        send(answers, as_json(answer).encode())


def _main():
    commands, answers = pipes()
    limits, packages = marshal.loads(received(commands))
    if packages:
        sys.path.append(packages)
    confine(limits)
    send(answers, b'["ready"]')
    program, mark = _drive(commands, answers)
    # A program by itself: what comes after the command is its input, and its output goes straight out. An exit status is
    # the program's to choose and says nothing, so what only this driver knows goes behind the mark into the output.
    posix.dup2(commands, 0)
    posix.dup2(answers, 1)
    posix.close(commands)
    why = {name: mark + name for name in (SYNTAX, DENIED, SPENT, RAISED)}  # made while there is memory
    leave = posix._exit
    for module in (posix, sys.modules.get("os", posix)):
        module._exit = lambda status: leave(0)  # from 129 on a status would look like a signal
    try:
        code = compile(program, "<candidate>", "exec")
    except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError) as error:
        posix.write(answers, why[SYNTAX])
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit()
    try:
        exec(code, sys.modules["__main__"].__dict__)
    except SystemExit:
        pass
    except BaseException as error:
        denied = getattr(error, "errno", None) in (1, 13, 30)
        posix.write(answers, why[DENIED if denied else SPENT if isinstance(error, MemoryError) else RAISED])
        sys.excepthook(type(error), error, error.__traceback__)


_main()
