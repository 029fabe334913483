"""Bash judged from outside the jail: only arguments go in, and what the function prints comes out.

Each call runs in a shell of its own that has read the program, as the authors' `$(candidate ...)` does: exit status and
standard error count for nothing, new lines at the end are dropped.
"""

from sandbox.contract import Limits, Sandbox
from sandbox.judging.channel import Channel
from sandbox.judging.native_judge import PROCESSES, in_builder
from sandbox.judging.verdict import FAIL, PASS, SYNTAX, TIMEOUT, Verdict

from benchmarks.multipl_e.case import Case

_PROGRAM = "solution.sh"
_CALL = f'exec 2>/dev/null; source ./{_PROGRAM} >/dev/null; ("$0" "$@")'
_SLACK = 5.0  # seconds for the jail to answer beyond what a call may take


def judge_sh(case: Case, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    """Run one completion against the calls of its tests, all in one jail."""
    joined, alone = f"{case.prompt}{completion}\n{case.spoken.closes}\n", f"{completion}\n"
    # one that ends before a stop token lacks the brace that the tests close
    programs = [alone, f"{alone}{case.spoken.closes}\n", joined] if case.whole(completion) else [joined, alone]
    jail_limits = Limits(limits.seconds, limits.memory, limits.disk, limits.output, PROCESSES)
    return in_builder(sandbox, jail_limits, lambda channel: _judged(case, programs, channel, limits))


def _judged(case: Case, programs: list[str], channel: Channel, limits: Limits) -> Verdict:
    channel.begin(limits.seconds + _SLACK)
    refused: Verdict | None = None
    for program in programs:
        channel.ask(("write", {_PROGRAM: program}))
        status, taken, said, _ = channel.ask(("run", ["bash", "-n", _PROGRAM], limits.seconds, {}))
        if status == 0:
            break
        refused = refused or Verdict(SYNTAX, taken, str(said)[:500])
    else:
        return refused or Verdict(SYNTAX, 0.0)
    spent = 0.0
    for call in case.calls:
        answer = channel.ask(("run", ["bash", "-c", _CALL, case.name, *call.arguments], limits.seconds - spent, {}))
        if answer[0] == "error":
            return Verdict(FAIL, spent, str(answer[2])[:500])
        _, taken, said, why = answer
        spent += taken
        if why:
            return Verdict(
                TIMEOUT if why == "timeout" else FAIL, spent, "" if why == "timeout" else "it printed too much"
            )
        if str(said).replace("\0", "").rstrip("\n") != call.expected:
            words = " ".join(map(repr, call.arguments))
            return Verdict(FAIL, spent, f"{case.name} {words:.200} prints something else than {call.expected!r:.200}")
    return Verdict(PASS, spent)
