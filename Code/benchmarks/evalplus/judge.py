"""Judging a completion by its answers to a problem's inputs: base first, and plus in the same jail where base passes.

Each input is a call into the candidate's program; its answer comes out of the jail and is compared there. As in the evalplus
package the time of a call is a multiple of what the reference took, and that of all of them has a cap.
"""

from dataclasses import dataclass, replace

from sandbox.contract import Limits, Sandbox
from sandbox.judging.calls_ahead import CallsAhead
from sandbox.judging.channel import Deadline
from sandbox.judging.python_judge import Checks, Tests, judge_python
from sandbox.judging.remote_objects import Remote, Session
from sandbox.judging.verdict import INFRA_ERROR, Verdict
from seedkit.errors import InputError

from benchmarks.evalplus.comparison import Oracle
from benchmarks.evalplus.expected import LARGE, InputSet, expected, reference_answers

# of the evalplus package, release 0.3.1 (config.py): a call's least seconds, and the multiple of its reference's time
LEAST_S, TIME_FACTOR = 1.0, 4.0
MEMORY = 4 << 30  # bytes that a program may use at least (eval/__init__.py), where answers are LARGE
MOST_BYTES = 64 << 20  # of one answer
# seconds that all calls of a part may take together (eval/__init__.py); where the reference needs more than its share of
# them here, the multiple of its time
MOST_S = 60.0


@dataclass(frozen=True, slots=True)
class PlusTests:
    """The two parts of a problem's tests: its inputs, or programs where the release has these.

    `base` is None where the release does not say which of the tests are those of the base benchmark.
    """

    base: InputSet | Tests | None
    plus: InputSet | Tests
    names: tuple[str, ...]  # the function


class _Part:
    """The Checks of python_judge for one part."""

    def __init__(self, name: str, calls: InputSet, least_s: float) -> None:
        self._name, self._calls = name, calls
        self.answers = expected(calls)
        self._limits = [max(least_s, TIME_FACTOR * answer.seconds) for answer in self.answers]
        self._number = 0  # of the call that is under way

    def run(self, session: Session) -> None:
        inputs = self._calls.read()
        held = [answer.digest is not None for answer in self.answers]
        calls = CallsAhead(Remote(session, ["N", self._calls.name]), zip(inputs, held, strict=True))
        comparison = Oracle(self._calls.data_set, self._calls.name, self._calls.atol)
        reference_s = sum(answer.seconds for answer in self.answers)
        end = session.seconds + min(max(MOST_S, TIME_FACTOR * reference_s), sum(self._limits)) + 1
        for number, (arguments, answer, seconds) in enumerate(zip(inputs, self.answers, self._limits, strict=True)):
            self._number = number + 1
            left = end - session.seconds
            if left <= 0 and (left := end - session.ran) <= 0:
                raise Deadline
            session.allow(min(seconds, left))
            if answer.digest is None:
                comparison.check(arguments, calls.answer(), answer.value)
            elif calls.answer() != answer.digest:
                found = calls.held()  # equal all the same, perhaps, such as 1.0 and 1
                [(value, _)] = reference_answers(self._calls, number)
                comparison.check(arguments, found, value)

    def failed(self, error: Exception) -> str:
        """Which input it was."""
        why = str(error) if isinstance(error, AssertionError) and str(error) else type(error).__name__
        return f"{self._name} input {self._number} of {len(self.answers)}: {why}"[:500]


def most_seconds(limits: Limits) -> float:
    """The longest that `judge` may take, where the reference takes no more than its share of MOST_S."""
    return limits.seconds + 2 * (MOST_S + 1)


def judge(program: str, tests: PlusTests, sandbox: Sandbox, limits: Limits, *, otherwise: str | None) -> Verdict:
    """As judge_python; `limits.seconds` are for loading the program, and at least for each call."""
    try:
        plus = _checks("plus", tests.plus, limits)
        base = None if tests.base is None else _checks("base", tests.base, limits)
    except InputError as error:
        return Verdict(INFRA_ERROR, 0.0, str(error))
    sizes = [answer.size for part in (base, plus) if isinstance(part, _Part) for answer in part.answers]
    # an answer may be thrice as long as the longest that is expected; it must not fill the judge's memory. How long those of
    # programs are only these know: 11 MB for HumanEval/130
    known = not isinstance(plus, Tests)
    room = replace(
        limits,
        memory=max(limits.memory, MEMORY) if max(sizes, default=0) > LARGE else limits.memory,
        answer=max(limits.answer, min(3 * max(sizes, default=0), MOST_BYTES) if known else MOST_BYTES),
        output=max(limits.output, min(3 * sum(sizes), 16 * MOST_BYTES) if known else 16 * MOST_BYTES),
    )
    if base is None:
        return judge_python(program, plus, sandbox, room, otherwise=otherwise)
    return judge_python(program, base, sandbox, room, otherwise=otherwise, further=plus)


def _checks(name: str, tests: InputSet | Tests, limits: Limits) -> Checks:
    return tests if isinstance(tests, Tests) else _Part(name, tests, limits.seconds)
