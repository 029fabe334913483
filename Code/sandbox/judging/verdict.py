"""What can come of running one completion."""

from dataclasses import dataclass

PASS, FAIL, TIMEOUT, MEMORY, BLOCKED, SYNTAX, INFRA_ERROR = VERDICTS = (
    "pass",
    "fail",
    "timeout",
    "memory",
    "blocked",
    "syntax",
    "infra_error",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`infra_error` is a fault of the machine or the sandbox and says nothing about the completion: never a fail.

    `blocked` is a completion that failed because it tried what the jail forbids. `stderr` is the first lines of what it
    printed there, or what the judge has to say.
    """

    name: str  # one of VERDICTS
    seconds: float
    stderr: str = ""
