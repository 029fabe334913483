"""Which sandbox holds on this machine: each is tried with programs that are right, wrong, and out to escape.

A sandbox that is broken would look perfect, since nothing gets out of a program that does not run.
"""

import os
import socket
import tempfile
from pathlib import Path

from seedkit.cli import say
from seedkit.errors import InputError

from sandbox import SANDBOXES, UNSAFE, make
from sandbox.bubblewrap import INSTALL
from sandbox.contract import Limits, SandboxError
from sandbox.judging.python_judge import Tests, judge_python
from sandbox.judging.verdict import FAIL, PASS

_LIMITS = Limits(seconds=20)
_TESTS = Tests("", "assert answer(41) == 42", ("answer",))
# graded programs may import numpy where the interpreter has it
_NUMPY = "import numpy\ndef answer(x):\n    return int(numpy.int64(x) + 1)\n"
# each of its attempts that got out is named in its answer
_ESCAPE = """
import os, socket

def tried(name, action):
    try:
        return [name] if action() else []
    except OSError:  # refused; any other error ends the program, and with it this sandbox is out
        return []

def written(path):
    with open(path, "w") as file:
        file.write("escaped")
    return True

def connected(port):
    with socket.socket() as line:
        line.settimeout(1)
        line.connect(("127.0.0.1", port))
    return True

def forked():
    if os.fork() == 0:
        os._exit(0)
    return True

def alive(pid):
    os.kill(pid, 0)
    return True

def escapes(canary, folder, port, pid):
    return (
        tried("reading", lambda: open(canary).read()) + tried("writing", lambda: written(folder + "/escaped"))
        + tried("the network", lambda: connected(port)) + tried("signals", lambda: pid != os.getpid() and alive(pid))
        + tried("forking", forked) + tried("the environment", lambda: "SANDBOX_CANARY" in os.environ)
        + tried("the parent's memory", lambda: open("/proc/%d/environ" % pid, "rb").read())
    )
"""


def choose(wanted: str | None = None) -> str:
    """The name of the best sandbox that holds on this machine, or of the wanted one.

    Raises:
        InputError: none does, or the wanted one does not; the message says why and what to install.
    """
    reasons: list[str] = []
    for name in SANDBOXES if wanted is None else [wanted]:
        if (reason := failing(name)) is None:
            if reasons:
                say(f"not isolated by {'; '.join(reasons)}; {INSTALL} for the better one")
            return name
        reasons.append(f"{name}: {reason}")
    raise InputError(
        f"no isolation to run generated code in ({'; '.join(reasons)}); {INSTALL}, or pass --unsafe_no_isolation"
    )


def failing(name: str) -> str | None:
    """Why this sandbox does not hold on this machine; None if it does."""
    try:
        sandbox = make(name)
    except SandboxError as error:
        return str(error)
    good = judge_python("def answer(x):\n    return x + 1\n", _TESTS, sandbox, _LIMITS)
    if good.name != PASS:
        return f"a right program does not pass: {good.name} {good.stderr}".strip()
    wrong = judge_python("def answer(x):\n    return x\n", _TESTS, sandbox, _LIMITS)
    if wrong.name != FAIL:
        return f"a wrong program does not fail: {wrong.name} {wrong.stderr}".strip()
    if sandbox.packages is not None:
        numpy = judge_python(_NUMPY, _TESTS, sandbox, _LIMITS)
        if numpy.name != PASS:
            last = numpy.stderr.rpartition("\n")[2]
            return f"numpy, which lies in {sandbox.packages}, does not load: {numpy.name} {last}".strip()
    if name == UNSAFE:
        return None
    os.environ["SANDBOX_CANARY"] = "1"
    try:
        with tempfile.TemporaryDirectory() as outside, socket.create_server(("127.0.0.1", 0)) as listener:
            folder = Path(outside)
            folder.chmod(0o777)
            canary = folder / "canary"
            canary.write_text("canary")
            canary.chmod(0o644)
            call = f"found = escapes({str(canary)!r}, {outside!r}, {listener.getsockname()[1]}, {os.getpid()})"
            tests = Tests("", f"{call}\nassert found == [], found", ("escapes",))
            kept = judge_python(_ESCAPE, tests, sandbox, _LIMITS)
            if kept.name != PASS or (folder / "escaped").exists():
                return f"a program gets out: {kept.name} {kept.stderr}".strip()
    finally:
        del os.environ["SANDBOX_CANARY"]
    return None
