"""Which answers hold Python, and whether it parses."""

import pytest
from seedkit.python_answers import parses, python_code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("def f(x):\n    return x\n", "def f(x):\n    return x\n"),
        ("import numpy as np\nx = np.ones(3)", "import numpy as np\nx = np.ones(3)"),
        ("Do this:\n```python\nx = 1\n```\nand then\n```\ny = 2\n```\n", "x = 1\ny = 2\n"),
        ("```\nfor x in y:\n    print(x)\n```", "for x in y:\n    print(x)\n"),
        ("```py\nx = 1", "x = 1"),  # the fence does not close
        ("```javascript\nimport x\n```", None),
        ("import java.util.List;", None),
        ("#include <stdio.h>\nint main() { return 0; }", None),
        ("function f(x) { return x; }", None),
        ("SELECT * FROM t WHERE x IN (1, 2);", None),
        ("You can import the module and define a class: it works.", None),
        ("", None),
    ],
)
def test_whether_the_code_is_python(answer: str, code: str | None) -> None:
    assert python_code(answer) == code


@pytest.mark.parametrize(
    ("code", "right"),
    [("x = 1", True), ('x = "\\d"', True), ("x = (1", False), ("x\0", False), ("(" * 10_000, False), ("", True)],
)
def test_whether_it_parses(code: str, right: bool) -> None:
    assert parses(code) is right
