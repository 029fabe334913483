"""No isolation at all: for --unsafe_no_isolation, and marked in every result."""

from collections.abc import Sequence

from evaluation.sandbox.contract import Jail, Limits
from evaluation.sandbox.jail import ProcessJail
from evaluation.sandbox.view import View


class Plain:
    rung = "none"

    def __init__(self, view: View) -> None:
        self._view, self.tasks = view, 4096
        self.python = str(view.python)
        self.packages = str(view.packages) if view.packages else None

    def start(self, command: Sequence[str], limits: Limits) -> Jail:
        return ProcessJail(command, self._view.environment)
