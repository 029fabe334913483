"""The ways a script may fail. `cli.run` turns either into one line and an exit code."""


class InputError(Exception):
    """Bad usage or bad input, exit code 2. The text says where, what was expected and what came."""


class UsageError(InputError):
    """A flag has a wrong value, or flags contradict each other: it would be wrong with any input."""


class RunError(Exception):
    """The input was fine but the run failed, exit code 1. The text says what was lost (nothing, if it can resume)."""
