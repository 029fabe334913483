"""Bash judged from outside the jail: only arguments go in, and what the function prints comes out.

Each call runs in a shell of its own that has read the program, as the authors' `$(candidate ...)` does: exit status and
standard error count for nothing, new lines at the end are dropped.
"""

import re

from sandbox.contract import Limits, Sandbox
from sandbox.judging.channel import Channel
from sandbox.judging.driver_process import first_lines
from sandbox.judging.native_judge import OUT_OF_TIME, PROCESSES, in_builder
from sandbox.judging.verdict import FAIL, PASS, SYNTAX, TIMEOUT, Verdict

from benchmarks.contract import OUTSIDE, Problem
from benchmarks.multipl_e.braces import plain_bash
from benchmarks.multipl_e.case import Call, Case
from benchmarks.multipl_e.languages.base import Language
from benchmarks.multipl_e.languages.toolchain import Toolchain

_PROGRAM = "solution.sh"
# What the program does outside of its functions has no arguments, as in the authors' script. Its `set -e` does not hold in a
# call: in their `$(candidate ...)` Bash clears that option.
_CALL = f'exec 2>/dev/null; words_of_call=("$@"); set --; source ./{_PROGRAM} >/dev/null; set +e; ("$0" "${{words_of_call[@]}}")'
_SLACK = 5.0  # seconds for the jail to answer beyond what a call may take
_TESTS = re.compile(
    r"\s*\}?\s*candidate\(\) \{\s*(?P<name>[\w-]+) \"\$@\"\s*\}\s*set -e\s*run_test\(\) \{\n(?P<checks>.*?)\n?\}\s*run_test\s*",
    re.DOTALL,
)
_STRING = r"\"(?:\\.|[^\"\\$`])*\""
_CHECK = re.compile(rf"\s*\[\[ \$\(candidate((?: +{_STRING})*)\) = ({_STRING}) \]\]", re.DOTALL)


def judge_sh(problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    """Run one completion against the calls of its tests, all in one jail."""
    case: Case = problem.tests
    programs = _programs(case, completion)
    jail_limits = Limits(limits.seconds, limits.memory, limits.disk, limits.output, PROCESSES)
    return in_builder(sandbox, jail_limits, lambda channel: _judged(case, programs, channel, limits))


def _programs(case: Case, completion: str) -> list[str]:
    """The readings of a completion, each with and without the brace that the tests would close; the likeliest first."""
    found = []
    for reading in case.readings(completion):
        program = f"{case.program(reading)}\n"
        closed = f"{program}{case.syntax.closes}\n"
        found += [program, closed] if reading.whole else [closed, program]
    return [*dict.fromkeys(found)]


def _judged(case: Case, programs: list[str], channel: Channel, limits: Limits) -> Verdict:
    channel.begin(limits.seconds + _SLACK)
    return _refused(programs, channel, limits) or _called(case, channel, limits)


def _refused(programs: list[str], channel: Channel, limits: Limits) -> Verdict | None:
    """Write the first program that Bash can parse, and return None; the verdict on the first of all where it can parse none."""
    first: Verdict | None = None
    for program in programs:
        channel.ask(("write", {_PROGRAM: program}))
        status, taken, said, _ = channel.ask(("run", ["bash", "-n", _PROGRAM], limits.seconds, {}))
        if status == 0:
            return None
        first = first or Verdict(SYNTAX, taken, first_lines("", str(said)))
    return first


def _called(case: Case, channel: Channel, limits: Limits) -> Verdict:
    """The verdict on the program that was written. The time limit is that of all calls together."""
    spent = 0.0
    for call in case.calls:
        answer = channel.ask(("run", ["bash", "-c", _CALL, case.name, *call.arguments], limits.seconds - spent, {}))
        if answer[0] == "error":
            return Verdict(FAIL, spent, first_lines("", str(answer[2])))
        _, taken, said, why = answer
        spent += taken
        if why == OUT_OF_TIME:
            return Verdict(TIMEOUT, spent)
        if why:
            return Verdict(FAIL, spent, "it printed too much")
        if str(said).replace("\0", "").rstrip("\n") != call.expected:
            words = " ".join(map(repr, call.arguments))
            return Verdict(FAIL, spent, f"{case.name} {words:.200} prints something else than {call.expected!r:.200}")
    return Verdict(PASS, spent)


def sh_calls(tests: str) -> tuple[Call, ...]:
    """The calls of a test program in Bash. ValueError where it has not the data set's form."""
    program = _TESTS.fullmatch(tests)
    if not program:
        raise ValueError("expected one function `run_test` with tests of what `candidate` prints")
    checks, calls, at = program["checks"].rstrip(), [], 0
    while at < len(checks):
        match = _CHECK.match(checks, at)
        if not match:
            raise ValueError(f"expected [[ $(candidate ...) = ... ]], got {checks[at : at + 60].strip()!r}")
        words = tuple(_text(word) for word in re.findall(_STRING, match[1], re.DOTALL))
        calls.append(Call(words, _text(match[2])))
        at = match.end()
    return tuple(calls)


def _text(literal: str) -> str:
    """What Bash makes of a string in double quotes: a backslash escapes only $, `, ", \\ and the end of a line."""
    return re.sub(r'\\([$`"\\\n])', lambda found: found[1].strip("\n"), literal[1:-1])


BASH = Language(
    name="sh",
    title="Bash",
    fences=("bash", "sh", "shell"),
    stop=("\n}",),
    defines=r"(?:function[ \t]+)?{name}[ \t]*(?:\([ \t]*\))?[ \t]*\n?[ \t]*[{{(]",
    wrong="    echo wrong\n    exit 0\n",
    closes="}",
    bare=plain_bash,
    control="next_number.sh",
    toolchain=Toolchain(("bash",), ("bash",)),
    judge=judge_sh,
    judged=OUTSIDE,
    aliases=("bash",),
    calls=sh_calls,
)
