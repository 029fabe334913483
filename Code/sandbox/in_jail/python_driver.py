"""Runs in the jail, in front of the candidate's program: calls it as the judge outside asks, and answers.

It holds no secret: the expected values never come here, so whatever a candidate does to this code, it can only answer.
Nothing is imported that is not built in, and no exit code means anything. Its source is sent in behind codec.py's.
"""
# what it takes from the judge is trusted, and what it catches is handed on: ruff's S302 and BLE001 do not apply
# ruff: noqa: F821, S302, BLE001
# mypy: ignore-errors

import builtins
import marshal
import posix
import sys

# how a program of its own ended; no secret, and nothing that makes it right
SYNTAX, DENIED, SPENT = 120, 121, 122


def _drive(commands, answers):
    """Answer until the end; or the program that is to run by itself."""
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
        "call": call,
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
        "has": lambda value, item: item in value,
    }

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
        what, *rest = marshal.loads(received(commands))
        if what == "program":
            return rest[0]
        try:
            if what == "load":
                answer = load(rest)
            else:
                answer = act(what, rest)
        except BaseException as error:
            answer = raised(error)
        send(answers, as_json(answer).encode())


def _main():
    commands, answers = pipes()
    limits, packages = marshal.loads(received(commands))
    if packages:
        sys.path.append(packages)
    confine(limits)
    send(answers, b'["ready"]')
    program = _drive(commands, answers)
    # a program of its own: what comes after the command is its input, and its output goes straight out
    posix.dup2(commands, 0)
    posix.dup2(answers, 1)
    posix.close(commands)
    posix.close(answers)
    try:
        code = compile(program, "<candidate>", "exec")
    except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(SYNTAX)
    try:
        exec(code, sys.modules["__main__"].__dict__)
    except SystemExit:
        pass
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        number = getattr(error, "errno", None)
        sys.exit(DENIED if number in (1, 13, 30) else SPENT if isinstance(error, MemoryError) else 1)


_main()
