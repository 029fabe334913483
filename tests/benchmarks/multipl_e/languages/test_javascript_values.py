"""What is equal to what is node's to say: every pair is asked of its own assert.deepEqual."""

import json
import subprocess

from benchmarks.multipl_e.languages.javascript_tests import js_calls
from benchmarks.multipl_e.languages.javascript_values import decoded, equal
from multipl_e_support import needs
from support import ROOT

LITERALS = [
    "0",
    "-0",
    "1",
    "1.0",
    "-2.5",
    "1e3",
    '"1"',
    '""',
    '" 1\\n"',
    '"0x10"',
    '"1e3"',
    '"x"',
    "true",
    "false",
    "null",
    "undefined",
    "[]",
    "[1]",
    '["1"]',
    "[[1, 2], []]",
    "{}",
    '{"a": 1}',
    '{"a": undefined}',
    '{"a": 1, "b": [true]}',
    '"true"',
    '"é\\u0000"',
    "9007199254740993",
    '"null"',
    '"Infinity"',
    "[null]",
    "[undefined]",
]
MORE = [
    "NaN",
    "Infinity",
    "5n",
    "1n",
    "new Map()",
    "new Set([1])",
    "[, 1]",
    "() => 1",
    "new Number(1)",
    "new String('1')",
    "Object.assign([1], { x: 1 })",
    "new Date(0)",
    "Symbol.iterator",
    "Object.create({ a: 1 })",
    "new (class A { a = 1; })()",
    "new Uint8Array([1])",
    "[NaN]",
    "Object.create(null)",
    "(function () { return arguments; })(1)",
]


def test_equality_is_that_of_assert_deep_equal() -> None:
    needs("js")
    driver = (ROOT / "Code" / "sandbox" / "in_jail" / "javascript_driver.js").read_text()
    encoded = driver[driver.index("function encoded") : driver.index("function stripper")]
    program = f"""
    const [DEPTH, kindOf, owns] = [200, Object.prototype.toString, Object.prototype.hasOwnProperty];
    const {{ isArray }} = Array, {{ keys }} = Object;
    {encoded}
    const assert = require('node:assert');
    const values = [{", ".join(f"() => ({one})" for one in LITERALS + MORE)}];
    const found = values.map((one) => values.slice(0, {len(LITERALS)}).map((other) => {{
      try {{ assert.deepEqual(one(), other()); return true; }} catch {{ return false; }}
    }}));
    console.log(JSON.stringify([values.map((one) => encoded(one(), 0)), found]));
    """
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    answers, found = json.loads(done.stdout)
    expected = [
        js_calls(
            f"const assert = require('node:assert');\nfunction test() {{\nlet candidate = f;\n"
            f"assert.deepEqual(candidate(),{one});\n}}\ntest();"
        )[0].expected
        for one in LITERALS
    ]
    wrong = [
        (one, other)
        for one, answer, row in zip(LITERALS + MORE, answers, found, strict=True)
        for other, wanted, same in zip(LITERALS, expected, row, strict=True)
        if equal(decoded(answer), wanted) is not same
    ]
    # a function is equal to its text, which its program chooses: not here
    assert wrong == []
