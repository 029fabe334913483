"""Which rung holds on this machine: each is tried with a program that is right, one that is wrong and one that escapes.

A sandbox that is broken looks perfect, since nothing gets out of a program that does not run.
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
# each part names itself if it got out
_ESCAPE = """
import os, socket

def tried(name, action):
    try:
        return [name] if action() else []
    except OSError:  # refused; anything else ends the program, and with it the rung
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
    """The best rung that holds, or the wanted one. InputError, with what to install, where none does."""
    reasons: list[str] = []
    for rung in SANDBOXES if wanted is None else [wanted]:
        if (reason := failing(rung)) is None:
            if reasons:
                say(f"not isolated by {'; '.join(reasons)}; {INSTALL} for the better one")
            return rung
        reasons.append(f"{rung}: {reason}")
    raise InputError(
        f"no isolation to run generated code in ({'; '.join(reasons)}); {INSTALL}, or pass --unsafe_no_isolation"
    )


def failing(rung: str) -> str | None:
    """Why a rung does not hold on this machine; None if it does."""
    try:
        sandbox = make(rung)
    except SandboxError as error:
        return str(error)
    good = judge_python("def answer(x):\n    return x + 1\n", _TESTS, sandbox, _LIMITS)
    if good.name != PASS:
        return f"a right program does not pass: {good.name} {good.stderr}".strip()
    wrong = judge_python("def answer(x):\n    return x\n", _TESTS, sandbox, _LIMITS)
    if wrong.name != FAIL:
        return f"a wrong program does not fail: {wrong.name} {wrong.stderr}".strip()
    if rung == UNSAFE:
        return None
    os.environ["SANDBOX_CANARY"] = "1"
    try:
        with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as listener:
            folder = Path(name)
            folder.chmod(0o777)
            canary = folder / "canary"
            canary.write_text("canary")
            canary.chmod(0o644)
            call = f"found = escapes({str(canary)!r}, {name!r}, {listener.getsockname()[1]}, {os.getpid()})"
            tests = Tests("", f"{call}\nassert found == [], found", ("escapes",))
            kept = judge_python(_ESCAPE, tests, sandbox, _LIMITS)
            if kept.name != PASS or (folder / "escaped").exists():
                return f"a program gets out: {kept.name} {kept.stderr}".strip()
    finally:
        del os.environ["SANDBOX_CANARY"]
    return None
