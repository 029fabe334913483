"""A command with three pipes, and nothing of it left once it is closed: what all rungs start."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

from evaluation.sandbox.contract import SandboxError, Usage
from evaluation.sandbox.processes import children, end, usage


class ProcessJail:
    """`user`: the uid and gid to run as, from 0 to 2**32 - 2; None keeps this process's."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, user: int | None = None,
        keep: Sequence[int] = (), confine: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self._others = set(children(os.getpid()))
        drop = {} if user is None else {"user": user, "group": user, "extra_groups": ()}
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                env=environment, cwd="/", pass_fds=keep, start_new_session=True, preexec_fn=confine, **drop,
            )  # type: ignore[call-overload]  # fmt: skip  # the overloads know nothing of `drop`
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxError(f"{command[0]} cannot be started: {error}") from None
        self.stdin, self.stdout, self.stderr = (
            pipe.fileno() for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        for pipe in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(pipe, False)

    def usage(self) -> Usage:
        return usage([self._process.pid])

    def close(self) -> int:
        """Exit status; negative for the signal that ended it."""
        if self._process.returncode is None:
            statuses = end([self._process.pid], self._others)
            self._process.returncode = os.waitstatus_to_exitcode(statuses.get(self._process.pid, 0))
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        return int(self._process.returncode)

    def ended(self) -> int | None:
        """Its exit status if it has ended by itself, without reaping it; None while it runs."""
        info = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if info is None:
            return None
        return info.si_status if info.si_code == os.CLD_EXITED else -info.si_status
