"""Tests in JavaScript as data."""

import pytest
from benchmarks.multipl_e.case import Call
from benchmarks.multipl_e.languages.javascript_tests import js_calls
from benchmarks.multipl_e.languages.javascript_values import Undefined


def test_literals() -> None:
    tests = (
        "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = f;\n"
        '  assert.deepEqual(candidate([1, -2.5], "a\\"),(\\u00e9"),{"k": [undefined, true]});\n'
        '  assert.deepEqual(candidate("one\ntwo"),null);\n}\n\ntest();'
    )
    first, second = js_calls(tests)
    assert first == Call('[1, -2.5], "a\\"),(\\u00e9"', {"k": [Undefined(), True]})
    assert second == Call('"one\\ntwo"', None)
    for bad in ("candidate(x),1", "candidate(1),f()", 'candidate(1),{"__proto__": 1}', "candidate(1) ,", "other(1),1"):
        with pytest.raises(ValueError, match="expected"):
            js_calls(
                tests.replace("candidate([1, -2.5]", "X", 1).replace(
                    'X, "a\\"),(\\u00e9"),{"k": [undefined, true]}', bad
                )
            )
