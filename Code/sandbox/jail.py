"""A command with three pipes, of which nothing is left once it is closed: what every sandbox starts."""

import os
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence

from sandbox.contract import Jail, Limits, SandboxError, Usage
from sandbox.processes import children, end, usage
from sandbox.view import View

GRACE = 1.0  # seconds that a program may take to end after it has closed its output


class ProcessJail:
    """A running command and all that it starts; see contract.Jail."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        user: int | None = None,
        keep: Sequence[int] = (),
        network: bool = False,
        confine: Callable[[], None] | None = None,
    ) -> None:
        """Start `command` in a session of its own.

        Args:
            command: the program, looked up by its path, and its arguments.
            environment: all of its environment.
            user: the uid and gid to run as, from 0 to 2**32 - 2; None keeps those of this process.
            keep: file descriptors that stay open in it.
            network: whether it makes a network namespace of its own, in which sockets can be counted.
            confine: called in the child before the program is executed.

        Raises:
            SandboxError: the program cannot be started.
        """
        self._network = network
        self._others = set(children(os.getpid()))
        drop = {} if user is None else {"user": user, "group": user, "extra_groups": ()}
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=environment,
                cwd="/",
                pass_fds=keep,
                start_new_session=True,
                preexec_fn=confine,
                **drop,
            )  # type: ignore[call-overload]  # the overloads know nothing of `drop`
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxError(f"{command[0]} cannot be started: {error}") from None
        self.end = os.pidfd_open(self._process.pid)
        self.stdin, self.stdout, self.stderr = (
            pipe.fileno() for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        for pipe in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(pipe, False)

    def usage(self) -> Usage:
        return usage([self._process.pid], network=self._network)

    def end_input(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()

    def close(self, *, ended: bool = False) -> int | None:
        """See contract.Jail.close; `ended` waits for at most GRACE seconds."""
        if ended and self.end >= 0:
            poll = select.poll()
            poll.register(self.end, select.POLLIN)
            poll.poll(GRACE * 1000)
        own: int | None = self._process.poll()
        statuses = end([self._process.pid], self._others)
        if own is None:
            self._process.returncode = os.waitstatus_to_exitcode(statuses.get(self._process.pid, 0))
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        if self.end >= 0:
            os.close(self.end)
            self.end = -1
        return own


class Plain:
    """No isolation at all, for --unsafe_no_isolation; every result says so."""

    name = "none"

    def __init__(self, view: View) -> None:
        self._view, self.tasks = view, 4096
        self.python = str(view.python)
        self.packages = str(view.packages) if view.packages else None

    def start(self, command: Sequence[str], limits: Limits) -> Jail:
        return ProcessJail(command, self._view.environment)
