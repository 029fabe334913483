"""Bash judged from outside the jail: its tests as data, and hostile completions."""

import subprocess

import pytest
from benchmarks.multipl_e.languages.bash import sh_calls
from multipl_e_support import ATTACKS, judged, none_passes, own
from sandbox.contract import Sandbox
from sandbox.judging.verdict import FAIL, PASS


def test_words_of_bash() -> None:
    text = r'"a\\b\"c\$d\`e\!f\n" "" "é"'
    tests = f'}}\n\ncandidate() {{\n    f "$@"\n}}\n\nset -e\nrun_test() {{\n    [[ $(candidate {text}) = "x" ]]\n}}\n\nrun_test\n'
    (call,) = sh_calls(tests)
    said = subprocess.run(["bash", "-c", f"printf '%s\\n' {text}"], capture_output=True, text=True, check=True).stdout
    assert list(call.arguments) == said.split("\n")[:-1]
    for bad in ('"$HOME"', '"`id`"', "x", '"a" | cat'):
        with pytest.raises(ValueError, match="expected"):
            sh_calls(tests.replace(text, bad))


def test_top_level_code_sees_no_arguments_of_a_test(sandbox: Sandbox) -> None:
    """As in the authors' script, which is started without any."""
    program = "next_number() {\n    echo $(($1 + 1))\n}\n"
    for last in (
        "if [ $# -ne 0 ]; then\n    exit 1\nfi\n",
        'if [ -n "${1:-}" ]; then next_number() { echo "$1"; }; fi\n',
        'for one in "$@"; do exit 1; done\nshift 2>/dev/null || true\n',
    ):
        assert judged("sh", own("sh"), program + last, sandbox).name == PASS, last
        assert judged("sh", own("sh"), (program + last).replace("+ 1", "- 1"), sandbox).name == FAIL, last


def test_a_call_goes_on_after_an_error_as_in_the_authors_script(sandbox: Sandbox) -> None:
    """`$(candidate ...)` clears `set -e`, whoever set it; `set -u` holds on."""
    body = "    local i=0\n    ((i++))\n    echo $(($1 + 1))\n}\n"
    assert judged("sh", own("sh"), "set -euo pipefail\nnext_number() {\n" + body, sandbox).name == PASS
    unset = body.replace("echo", 'echo "$not_there"; echo')
    assert judged("sh", own("sh"), "set -euo pipefail\nnext_number() {\n" + unset, sandbox).name == FAIL


def test_hostile_completions(sandbox: Sandbox) -> None:
    none_passes("sh", own("sh"), ATTACKS["sh"], sandbox)
