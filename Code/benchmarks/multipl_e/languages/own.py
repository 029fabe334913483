"""A problem of our own in each language, in the form that MultiPL-E gives its own, with a reference: the data set has none.

It shows before anything is graded that a right program passes on this machine and a wrong one fails.
"""

from benchmarks.multipl_e.languages.base import LANGUAGES

TASK = "HumanEval_0_next_number"
_C_LIKE = "// The number after n.\n"
_CHECKS = ((1, 2), (-5, -4), (99, 100))
_JAVA = "import java.util.*;\nimport org.javatuples.*;\nclass Problem {\n"
_GO_TEST = """\
func TestNext_Number(t *testing.T) {
  candidate := next_number
	type test struct {
		actual   interface{}
		expected interface{}
	}
   tests := []test{
@     { actual: candidate(IN), expected: OUT },@
   }

	for i, tc := range tests {
		t.Run(fmt.Sprintf("test num % d", i), func(t *testing.T) {
			if fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {
				t.Errorf("expected '%s', got '%s'", tc.expected, tc.actual)
			}
		})
	}
}
"""
# language -> (prompt, reference, tests); a test between two @ is repeated for each of _CHECKS
_OWN: dict[str, tuple[str, str, str]] = {
    "py": (
        'def next_number(n: int) -> int:\n    """The number after n."""\n',
        "    return n + 1\n",
        "def check(candidate):\n@    assert candidate(IN) == OUT@\n\ncheck(next_number)\n",
    ),
    "js": (
        f"{_C_LIKE}function next_number(n){{\n",
        "  return n + 1;\n}\n",
        "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = next_number;\n"
        "@  assert.deepEqual(candidate(IN),OUT);@\n}\n\ntest();",
    ),
    "ts": (
        f"{_C_LIKE}function next_number(n: number): number {{\n",
        "  return n + 1;\n}\n",
        "declare var require: any;\nconst assert = require('node:assert');\n\n\nfunction test() {\n"
        "  let candidate = next_number;\n@  assert.deepEqual(candidate(IN),OUT);@\n}\n\ntest();",
    ),
    "sh": (
        "#!/bin/bash\n# The number after n.\n#\n# $1 is an integer\nnext_number() {\n",
        "    echo $(($1 + 1))\n",
        '}\n\ncandidate() {\n    next_number "$@"\n}\n\nset -e\nrun_test() {\n@    [[ $(candidate "IN") = "OUT" ]]@\n}\n\nrun_test\n',
    ),
    "cpp": (
        f"#include<assert.h>\n#include<bits/stdc++.h>\n{_C_LIKE}long next_number(long n) {{\n",
        "    return n + 1;\n",
        "}\nint main() {\n    auto candidate = next_number;\n@    assert(candidate((IN)) == (OUT));@\n}\n",
    ),
    "java": (
        f"{_JAVA}    public static long nextNumber(long n) {{\n",
        "        return n + 1;\n",
        "    }\n    public static void main(String[] args) {\n@    assert(nextNumber((INl)) == (OUTl));@\n    }\n\n}\n",
    ),
    "cs": (
        "using System;\nusing System.Diagnostics;\nclass Problem {\n    public static long NextNumber(long n) {\n",
        "        return n + 1;\n",
        "    }\n    public static void Main(string[] args) {\n@    Debug.Assert(NextNumber((INL)) == (OUTL));@\n    }\n\n}\n",
    ),
    "go": (
        f'package next_number_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\n{_C_LIKE}func next_number(n int) int {{\n',
        "\treturn n + 1\n}\n",
        _GO_TEST,
    ),
    "rs": (
        "/// The number after n.\nfn next_number(n: isize) -> isize {\n",
        "    n + 1\n",
        "}\n\nfn main() {\n    let candidate = next_number;\n@    assert_eq!(candidate(IN), OUT);@\n}\n",
    ),
    "php": (
        f"<?php\n{_C_LIKE}function next_number($n) {{\n",
        "    return $n + 1;\n}\n",
        "function candidate(...$args) {\n    return next_number(...$args);\n}\n\nfunction test(): void {\n"
        '@    if (candidate(IN) !== OUT) { throw new Exception("Test failed!"); }@\n}\n\ntest();',
    ),
    "rb": (
        "# The number after n.\ndef next_number(n)\n",
        "  n + 1\nend\n",
        "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_next_number\n"
        "    candidate = method(:next_number)\n@    assert_equal(OUT, candidate.call(IN))@\n  end\nend\n",
    ),
    "pl": (
        "# The number after n.\nsub next_number {\n    my($n) = @_;\n",
        "    return $n + 1;\n}\n",
        "use Test::Deep;\n\n\nsub testhumaneval {\n    my $candidate = \\&next_number;\n"
        '@        if(eq_deeply($candidate->(IN),OUT)) {\n        print "ok!" }else{\n        exit 1;\n        }@\n}\n\ntesthumaneval();\n',
    ),
    "lua": (
        "-- The number after n.\nlocal function next_number(n)\n",
        "  return n + 1\nend\n",
        "lu = require('luaunit')\n\nfunction test_humaneval()\nlocal candidate = next_number\n"
        "@    lu.assertEquals(candidate(IN), OUT)@\nend\n\nos.exit(lu.LuaUnit.run())",
    ),
    "r": (
        "# The number after n.\nnext_number <- function(n) {",
        "\n  n + 1\n}\n",
        "test_humaneval <- function() {\n    candidate <- next_number\n"
        "@    stopifnot(isTRUE(all.equal(candidate(IN), OUT)))@\n}\ntest_humaneval()",
    ),
    "d": (
        "import std.math;\n/*\nThe number after n.\n*/\nlong next_number(long n) \n",
        "{\n    return n + 1;\n}\n",
        "unittest\n{\n    alias candidate = next_number;\n\n@    assert(candidate(INL) == OUTL);@\n}\nvoid main(){}",
    ),
    "jl": (
        '"""The number after n."""\nfunction next_number(n::Int64)::Int64 \n',
        "    n + 1\nend\n",
        "using Test\n\n@testset begin\n\ncandidate = next_number;\n\t@test(candidate(1) == 2)\nend\n",
    ),
    "rkt": (
        "#lang racket\n\n;; The number after n.\n(define (next_number n)\n",
        "  (+ n 1))\n",
        "(require rackunit)\n\n(define (test-humaneval) \n\n  (let (( candidate next_number))\n"
        "@    (check-within (candidate IN) OUT 0.001)@\n))\n\n(test-humaneval)",
    ),
    "scala": (
        "import scala.math._\nobject Problem {\n    def nextNumber(n : Long) : Long = {\n",
        "        n + 1\n",
        "    }\n    def main(args: Array[String]) = {\n@    assert(nextNumber((INl)) == (OUTl));@\n    }\n\n}\n",
    ),
    "swift": (
        "\n/// The number after n.\nfunc next_number(n: Int) -> Int {\n",
        "    return n + 1\n",
        "}\n\n@assert(next_number(n: IN) == OUT)@\n",
    ),
}


def own_row(language: str, origin: str) -> tuple[dict[str, object], str]:
    """(a row as the data set's, a completion that passes)"""
    prompt, reference, tests = _OWN[language]
    if language != "jl":  # an @ is its own
        before, repeated, after = tests.rsplit("@", 2)
        tests = before + "\n".join(_filled(repeated, *check) for check in _CHECKS) + after
    name = TASK if origin == "humaneval" else TASK.replace("HumanEval", origin)
    row: dict[str, object] = {
        "name": name,
        "language": language,
        "prompt": prompt,
        "tests": tests,
        "stop_tokens": [*LANGUAGES[language].stop],
    }
    return row, reference


def _filled(test: str, given: int, wanted: int) -> str:
    return test.replace("IN", str(given)).replace("OUT", str(wanted))
