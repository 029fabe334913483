"""What can become of one completion that is run."""

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
    """What became of one completion; README.md has a table of what leads to which verdict.

    `syntax`: it is no program of its language, or does not compile. `blocked`: it failed after it had tried what the jail
    forbids. `infra_error`: a fault of the machine or the sandbox, which says nothing about the completion; never a fail.
    """

    name: str  # one of VERDICTS
    seconds: float  # that the completion took, as far as it came
    stderr: str = ""  # what the judge has to say, then the first lines that the completion printed to standard error
    base: str | None = None  # the verdict on the base tests alone, where a benchmark has others besides them
