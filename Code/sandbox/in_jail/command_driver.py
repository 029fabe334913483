"""Runs in the jail, for languages that are compiled: writes files, runs compilers and the program, and reports.

As process 1 of the jail's namespace it cannot be killed from inside. It says how the program ended and what it printed; the
judge outside decides what that is worth. Its source is sent into the jail behind those of codec.py and framing.py.
"""

# what it takes from the judge is trusted: ruff's S302 does not apply; names of framing.py are defined when it runs: F821
# ruff: noqa: F821, S302
# mypy: ignore-errors

import marshal
import os
import select
import signal
import time

KEPT = 1 << 17  # bytes of output that are kept, the last ones: the nonce comes at the end
MOST = 32 << 20  # bytes of output; a command that prints more is killed
OUT_OF_TIME, TOO_MUCH_OUTPUT = "timeout", "output"  # why a command was killed; native_judge.py has the same two


def write(files):
    for name, text in files.items():
        if os.path.dirname(name):
            os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            file.write(text)
    return ["written"]


def remove(names):
    for name in names:
        os.unlink(name)
    return ["removed"]


def run(words, seconds, environment):
    """[status, seconds, output, why]: the status is negative for a signal, `why` is "" for a command that ended by itself."""
    began = time.monotonic()
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        execute(words, environment, into)
    os.close(into)
    os.set_blocking(out, False)
    poll = select.poll()
    poll.register(out, select.POLLIN)
    kept, count, open_, code, why = bytearray(), 0, True, None, ""

    def take():
        nonlocal kept, count, open_
        while open_ and count <= MOST and (data := taken(out)) is not None:
            if not data:
                poll.unregister(out)
                open_ = False
            count += len(data)
            kept = (kept + data)[-KEPT:]

    while code is None and not why:
        poll.poll(50)  # what it left running may hold its output open after its end
        take()
        code = reaped(pid, wait=not open_ and time.monotonic() < began + seconds)
        if code is None:
            late = time.monotonic() >= began + seconds
            why = TOO_MUCH_OUTPUT if count > MOST else OUT_OF_TIME if late else ""
    take()  # what it printed last
    end_all()
    os.close(out)
    return [code, time.monotonic() - began, kept.decode("utf-8", "replace"), why]


def execute(words, environment, into):
    """In the child: become the command, with nothing to read and with `into` as standard output and error."""
    try:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(into, 1)
        os.dup2(into, 2)
        os.closerange(3, 512)
        os.execvpe(words[0], words, {**os.environ, **environment})
    except OSError as error:
        os.write(2, f"{words[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def taken(fd):
    """What is in the pipe; b"" at its end, None if there is nothing now."""
    try:
        return os.read(fd, 1 << 16)
    except BlockingIOError:
        return None


def reaped(wanted, *, wait):
    """The exit code of the process `wanted`, None while it runs; orphans that have ended are reaped too."""
    if wait:  # it closed its output and gets a moment to end
        for _ in range(20):
            if (code := reaped(wanted, wait=False)) is not None:
                return code
            time.sleep(0.001)
        return None
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == wanted:
            found = os.waitstatus_to_exitcode(status)


def end_all():
    """Kill all processes but this one, the first of its namespace: nothing that a command started outlives it."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def hide():
    """Close /proc/1 to what runs beside this process: through it, that could write answers into this process's pipe."""
    import ctypes

    if ctypes.CDLL(None).prctl(4, 0, 0, 0, 0):  # PR_SET_DUMPABLE
        raise OSError("prctl")


def main():
    commands, answers = pipes()
    os.set_inheritable(commands, False)
    os.set_inheritable(answers, False)
    limits, _ = marshal.loads(received(commands))
    confine(limits)
    hide()
    os.makedirs("/tmp/work")
    os.chdir("/tmp/work")
    send(answers, b'["ready"]')
    actions = {"write": write, "remove": remove, "run": run}
    while True:
        what, *rest = marshal.loads(received(commands))
        try:
            answer = actions[what](*rest)
        except OSError as error:
            answer = ["error", error.errno, str(error)]
        send(answers, as_json(answer).encode())


main()
