"""Is a text Python, and which names are in it?"""

import ast

from benchmarks.python_syntax import bound_by, is_code, is_python, loaded, tree_of

ADD = "def add(a, b):\n    return a + b\n"


def test_what_is_python() -> None:
    assert is_python(ADD)
    assert is_python("x = '\\d'\nx is 1\n")  # warnings, which are errors here
    assert not is_python("return 1")
    assert not is_python("x = 1\nfrom __future__ import annotations")
    assert not is_python("a\0b")
    assert is_code("    return 1") and is_code("x = 1")
    assert not is_code(" \n") and not is_code("x = 1\nreturn x")


def test_names_that_code_reads_and_binds() -> None:
    tree = tree_of(
        "import os.path as p, sys\nfrom re import sub\nx, (y) = z = 1\ndef f(a): return b\nfor c in d: pass\n"
    )
    assert tree is not None
    assert loaded(tree) == {"b", "d"}
    assert {name for node in ast.walk(tree) for name in bound_by(node)} == set("p sys sub x y z f a c".split())
    assert tree_of("x = (") is None
