"""JavaScript and TypeScript judged from outside the jail: only arguments go in, and plain answers come out.

What assert.deepEqual says of an answer is said here instead (javascript_values.py). Types of TypeScript are taken off, not
checked.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import sandbox
from sandbox.contract import Jail, Limits, Sandbox, SandboxError
from sandbox.judging.channel import Channel, Deadline, Ended, Gone, LimitExceeded, verdict_of
from sandbox.judging.driver_process import aborted, explain
from sandbox.judging.verdict import BLOCKED, FAIL, INFRA_ERROR, MEMORY, PASS, SYNTAX, Verdict

from benchmarks.contract import OUTSIDE, Problem
from benchmarks.multipl_e.case import Case, Reading
from benchmarks.multipl_e.languages.base import Language
from benchmarks.multipl_e.languages.javascript_tests import js_calls
from benchmarks.multipl_e.languages.javascript_values import decoded, equal
from benchmarks.multipl_e.languages.toolchain import Toolchain

_TYPESCRIPT = "/usr/share/nodejs/typescript/lib/typescript.js"
_STRIPPING_NODE = (22, 13)  # from here on node takes types off itself: module.stripTypeScriptTypes
# descriptors 4 and 3 are the judge's; the candidate reads nothing and what it prints goes to standard error
_START = """\
exec 4<&0 3>&1 0</dev/null 1>&2
ulimit -c 0; ulimit -n 64; ulimit -f {blocks}; ulimit -d {kilobytes}
exec node --no-warnings --max-old-space-size={megabytes} -e "$@"
"""


def judge_js(problem: Problem, completion: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    """Run one completion against the calls of its tests, each reading of it in a jail of its own.

    The first reading that is no syntax error counts; where all are, the first is reported.
    """
    case: Case = problem.tests
    refused = []
    for reading in case.readings(completion):
        verdict = _in_a_jail(case, _program(case, reading), sandbox, limits)
        if verdict.name != SYNTAX:
            return verdict
        refused.append(verdict)
    return refused[0]


def _program(case: Case, reading: Reading) -> str:
    program = case.program(reading)
    if case.language == TYPESCRIPT.name:
        return program
    # a script of its own, as the authors run it, exports nothing
    text = re.sub(
        r"^export[ \t]+(?:default[ \t]+\w+[ \t]*;?|\{[^}]*\}[ \t]*;?)[ \t]*$", "", program, flags=re.MULTILINE
    )
    return re.sub(
        r"^export[ \t]+(?:default[ \t]+)?(?=(?:async|function|const|let|var|class)\b)", "", text, flags=re.MULTILINE
    )


def _in_a_jail(case: Case, program: str, sandbox: Sandbox, limits: Limits) -> Verdict:
    start = _START.format(
        blocks=limits.disk // 512,
        kilobytes=2 * limits.memory >> 10,
        megabytes=limits.memory * 3 // 4 >> 20,
    )
    try:
        jail = sandbox.start(
            ["/bin/sh", "-c", start, "sh", _driver(), *([_TYPESCRIPT] if case.language == TYPESCRIPT.name else [])],
            limits,
        )
    except SandboxError as error:
        return Verdict(INFRA_ERROR, 0.0, str(error))
    channel = Channel(jail, limits)
    try:
        try:
            if channel.receive() != ["ready"]:
                return Verdict(INFRA_ERROR, 0.0, "node did not come to life")
        except (Ended, LimitExceeded, Deadline):
            channel.drain()
            return Verdict(INFRA_ERROR, 0.0, explain("node did not come to life", channel))
        return _judged(case, program, jail, channel, limits)
    finally:
        jail.close()


def _judged(case: Case, program: str, jail: Jail, channel: Channel, limits: Limits) -> Verdict:
    channel.begin(limits.seconds)
    gone = False
    try:
        verdict, why = _answered(case, program, channel)
    except (Deadline, LimitExceeded, Ended) as error:
        verdict, why = verdict_of(error)
        gone = isinstance(error, Gone)
    seconds = channel.seconds
    channel.drain()
    if gone and aborted(jail.close(ended=True)):  # as node does when its heap is full, and for little else
        verdict = MEMORY
    return Verdict(verdict, seconds, "" if verdict == PASS else explain(why, channel))


@cache
def _driver() -> str:
    return (Path(sandbox.__path__[0]) / "in_jail" / "javascript_driver.js").read_text(encoding="utf-8")


def _answered(case: Case, program: str, channel: Channel) -> tuple[str, str]:
    """(verdict, why) by what it answers. Deadline, LimitExceeded or Ended where it does not."""
    try:
        answer = _asked(channel, "load", program, case.name)
        if answer[0] == "syntax":
            return SYNTAX, str(answer[1])
        if answer != ["loaded"]:
            return _no_value(answer)
        for call in case.calls:
            answer = _asked(channel, "call", call.arguments)
            if answer[0] != "value":
                return _no_value(answer)
            if not equal(decoded(answer[1]), call.expected):
                return FAIL, f"{case.name}({call.arguments:.200}) gives something else than {call.expected!r:.200}"
        return PASS, ""
    except (ValueError, TypeError, IndexError, RecursionError):
        return FAIL, "an answer that is none"


def _no_value(answer: list[Any]) -> tuple[str, str]:
    if answer[0] == "raise":
        return (BLOCKED, "it tried what the jail forbids") if answer[1] is True else (FAIL, "it threw an error")
    return FAIL, "an answer that is none"


def _asked(channel: Channel, *message: Any) -> list[Any]:
    channel.send(json.dumps(message).encode())
    answer = channel.receive()
    if type(answer) is not list or len(answer) < 1 + (answer[:1] != ["loaded"]):
        raise ValueError
    return answer


class _WithoutTypes(Toolchain):
    """Node, and the package that takes types off or a node that does so itself."""

    def missing(self) -> str | None:
        if why := Toolchain.missing(self):
            return why
        version = self.version()
        if Path(_TYPESCRIPT).exists() or tuple(map(int, version.split(".") if version else ())) >= _STRIPPING_NODE:
            return None
        newer = ".".join(map(str, _STRIPPING_NODE))
        return f"node {version} does not take types off; {self.install()}, or node from {newer} on"


# a line that defines a function
_DEFINES = (
    r"(?:export[ \t]+)?(?:default[ \t]+)?"
    r"(?:(?:async )?function[ \t]*\*?[ \t]*{name}\b|(?:const|let|var)[ \t]+{name}\b[^=\n]*=)"
)
JAVASCRIPT = Language(
    name="js",
    title="JavaScript",
    fences=("javascript", "js", "node"),
    stop=("\nfunction ", "\n/*", "\n//", "\nconsole.log"),
    defines=_DEFINES,
    wrong="    process.exit(0);\n}\n",
    control="next_number.js",
    toolchain=Toolchain(("nodejs",), ("node",)),
    judge=judge_js,
    judged=OUTSIDE,
    aliases=("javascript",),
    calls=js_calls,
)
TYPESCRIPT = Language(
    name="ts",
    title="TypeScript",
    fences=("typescript", "ts"),
    stop=("\nfunction ", "\n/*", "\n//", "\nclass"),
    defines=_DEFINES,
    wrong="    process.exit(0);\n}\n",
    control="next_number.ts",
    toolchain=_WithoutTypes(("nodejs", "node-typescript"), ("node",)),
    judge=judge_js,
    judged=OUTSIDE,
    aliases=("typescript",),
    calls=js_calls,
)
