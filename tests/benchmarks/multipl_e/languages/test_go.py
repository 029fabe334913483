"""Go: answers with tests of their own and with imports that they do not use; hostile completions."""

import pytest
from multipl_e_support import ATTACKS, judged, needs, none_passes, own
from sandbox.contract import Sandbox
from sandbox.judging.verdict import FAIL, PASS, SYNTAX

HEADER = 'package main\n\nimport (\n\t"fmt"\n\t"strings"\n\t"testing"\n)\n\n'
BODY = "func next_number(n int) int {\n\treturn n + len(strings.TrimSpace(fmt.Sprint(1)))\n}\n"
# that of the data set has the same name
TESTS = "\nfunc TestNext_Number(t *testing.T) {\n\tif next_number(1) != 2 {\n\t\tt.Error(1)\n\t}\n}\n"


@pytest.mark.heavy
def test_tests_of_its_own_need_not_compile(sandbox: Sandbox) -> None:
    """As for the authors, whose completions end before the next function (chat_completions.py)."""
    needs("go")
    problem = own("go")
    for tests in (
        TESTS,
        TESTS.replace("t.Error(1)", "t.Error(got)"),
        TESTS.replace("t.Error(1)", "unused := 1"),
        TESTS.replace("t.Error(1)", 'reflect.DeepEqual(1, "1")'),
        '\nfunc main() {\n\tvar result string = next_number(1)\n\tfmt.Println("it is", result)\n}\n',
    ):
        answer = HEADER + BODY + tests
        assert judged("go", problem, answer, sandbox).name == PASS, tests
        assert judged("go", problem, answer.replace("n + ", "n - "), sandbox).name == FAIL, tests


def test_imports_that_are_not_used_are_a_syntax_error(sandbox: Sandbox) -> None:
    """As in the authors' harness, which gives them to Go as they are (eval_go.py); those that the prompt has are used."""
    needs("go")
    problem = own("go")
    assert judged("go", problem, HEADER + BODY, sandbox).name == PASS  # "testing" is the prompt's
    unused = HEADER.replace('"fmt"', '"fmt"\n\t"sort"') + BODY
    verdict = judged("go", problem, unused, sandbox)
    assert verdict.name == SYNTAX and "sort" in verdict.stderr


@pytest.mark.heavy
def test_hostile_completions(sandbox: Sandbox) -> None:
    none_passes("go", own("go"), ATTACKS["go"], sandbox)
