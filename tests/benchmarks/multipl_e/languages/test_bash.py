"""Bash judged from outside the jail: its tests as data, and hostile completions."""

import subprocess

import pytest
from benchmarks.multipl_e.languages.bash import sh_calls
from multipl_e_support import ATTACKS, none_passes, own
from sandbox.contract import Sandbox


def test_words_of_bash() -> None:
    text = r'"a\\b\"c\$d\`e\!f\n" "" "é"'
    tests = f'}}\n\ncandidate() {{\n    f "$@"\n}}\n\nset -e\nrun_test() {{\n    [[ $(candidate {text}) = "x" ]]\n}}\n\nrun_test\n'
    (call,) = sh_calls(tests)
    said = subprocess.run(["bash", "-c", f"printf '%s\\n' {text}"], capture_output=True, text=True, check=True).stdout
    assert list(call.arguments) == said.split("\n")[:-1]
    for bad in ('"$HOME"', '"`id`"', "x", '"a" | cat'):
        with pytest.raises(ValueError, match="expected"):
            sh_calls(tests.replace(text, bad))


def test_hostile_completions(sandbox: Sandbox) -> None:
    none_passes("sh", own("sh"), ATTACKS["sh"], sandbox)
