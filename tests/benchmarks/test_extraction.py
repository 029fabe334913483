"""The code in answers as base models and chat models write them."""

import pytest
from benchmarks import contract
from benchmarks.extraction import cut, extract_code
from benchmarks.humaneval import HumanEval
from benchmarks.mbpp import Mbpp
from benchmarks.python_syntax import is_python
from sandbox.judging.python_judge import Tests

ADD = "def add(a, b):\n    return a + b\n"
USE = "print(add(1, 2))\n"


def ask(answer: str, *names: str) -> str:
    return extract_code(answer, names or ("add",))


@pytest.mark.parametrize(
    "tag", ["", "python", "py", "python3", "Python", " python", "python title=add.py", "{.python}"]
)
@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_one_block(fence: str, tag: str) -> None:
    for answer in (
        f"{fence}{tag}\n{ADD}{fence}",
        f"Sure! Here it is:\n\n{fence}{tag}\n{ADD}{fence}\n\nIt adds `a` and `b`.\n",
        f"Sure!\r\n{fence}{tag}\r\n{ADD}{fence}   \r\nDone.".replace("\n", "\r\n").replace("\r\r", "\r"),
    ):
        assert ask(answer) == ADD


FENCED = f"```python\n{ADD}```"
IN_DOCSTRING = '''def add(a, b):
    """Add two numbers.

    ```
    add(1, 2)
    ```

```python
add(3, 4)
```
    """
    return a + b
'''
CASES = {
    "usage in a block before": (f"```python\n{USE * 9}```\nwith\n{FENCED}\n", ADD),
    "usage in a block after": (f"{FENCED}\nUse it:\n```python\n{USE * 9}```", ADD),
    "a shell block first": (f"```bash\npip install x\n```\n{FENCED}", ADD),
    "output last": (f"{FENCED}\n```text\n{'3 ' * 99}\n```", ADD),
    "the first of two versions": (f"{FENCED}\nor\n```python\ndef add(*x):\n    return sum(x)\n```", ADD),
    "a broken version first": (f"```python\ndef add(a, b:\n    ...\n```\nFixed:\n{FENCED}", ADD),
    "another tag, no other block": (f"```text\n{ADD}```", ADD),
    "fences in a docstring": (f"Here:\n```python\n{IN_DOCSTRING}```\nDone.\n```\nadd(1, 2)\n```", IN_DOCSTRING),
    "longer fence outside": (f"````\n{IN_DOCSTRING}````", IN_DOCSTRING),
    "fence of the other kind inside": (f"~~~python\n{IN_DOCSTRING}~~~\nDone.", IN_DOCSTRING),
    "in a list": ("1. Write it:\n\n   ```python\n   def add(a, b):\n       return a + b\n   ```\n2. Run it.", ADD),
    "a list's mark before the fence": ("- ```python\n  def add(a, b):\n      return a + b\n  ```\n", ADD),
    "a list's mark, code at column 0": (f"1. ```python\n{ADD}```\n", ADD),
    "in a list, by a tab": ("*\tso:\n\t```py\n\tdef add(a, b):\n\t    return a + b\n\t```", ADD),
    "all of it indented inside": ("```python\n    def add(a, b):\n        return a + b\n```", ADD),
    "first line indented by a slip": (f"```python\n {ADD}{ADD}```", ADD + ADD),
    "text before the fence": (f"The answer is: ```python\n{ADD}```", ADD),
    "closed at the end of a line": ("```python\ndef add(a, b):\n    return a + b```", ADD),
    "the same, with more to come": ("```python\ndef add(a, b):\n    return a + b```\nor\n```\n1\n```", ADD),
    "inline code": (f"Use `add` or ``x`y``, as in ```add(1)```.\n{FENCED}", ADD),
    "never closed": (f"Here:\n```python\n{ADD}", ADD),
    "cut off": ("Here:\n```python\ndef add(a, b):\n    return (a +", "def add(a, b):\n    return (a +\n"),
    "cut off in the second block": (f"{FENCED}\nTests:\n```python\nassert add(1, ", ADD),
    "fence cut off": (f"Here:\n```python\n{ADD}``", f"{ADD}``\n"),
    "no block defines it": (f"```python\n1\n```\n```python\n{USE * 3}```", USE * 3),
    "no block is Python": ("```\na b\n```\n```\na b c\n```", "a b c\n"),
    "a class": ("```python\nclass add:\n    pass\n```", "class add:\n    pass\n"),
    "a value": ("```python\nx\n```\n```python\nadd = lambda a, b: a + b\n```", "add = lambda a, b: a + b\n"),
    "an empty block": (f"```\n```\n{FENCED}", ADD),
    "bare code": (ADD, ADD),
    "bare code, a blank first": (f" {ADD}{USE}", ADD + USE),
    "prose around bare code": (f"Here is the code:\n\n{ADD}\nIt adds them, as asked.", f"{ADD}\n"),
    "prose that begins like code": (f"from what you say:\n\n{ADD}\nThat is it.", f"{ADD}\n"),
    "a bare body": ("    c = a + b\n    return c\n", "    c = a + b\n    return c\n"),
    "a body in a fence": ("```python\n    c = a + b\n    return c\n```", "    c = a + b\n    return c\n"),
    "prose": ("I cannot do that.", "I cannot do that."),
    "nothing": ("", ""),
    "thoughts": (f"<think>\nMaybe ```python\ndef add(): pass\n```?\n</think>\n\n{FENCED}", ADD),
    "thoughts that the template opened": (f"Maybe\n```\ndef add(): pass\n```\n</think>\n{FENCED}", ADD),
    "thoughts before bare code": (f"<think>hm</think>\n\n{ADD}", ADD),
    "thoughts that never end": ("<think>\n```python\ndef add(): pass\n```\n", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_answers(case: str) -> None:
    answer, expected = CASES[case]
    assert ask(answer) == expected


HELPER = "import math\n\ndef half(x):\n    return math.floor(x / 2)\n"
ENTRY = "def add(a, b):\n    return half(a) + half(b)\n"
NODE = "class Node:\n    pass\n"
DEPTH = "def depth(node):\n    return 1\n"


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([HELPER, ENTRY], [HELPER, ENTRY]),
        ([ENTRY, HELPER], [HELPER, ENTRY]),
        (["import math\n", "half = math.floor\n", ENTRY, USE], ["import math\n", "half = math.floor\n", ENTRY]),
        ([HELPER, ADD], [ADD]),
        (["def half(x:\n", ENTRY], [ENTRY]),  # a broken block would break the rest
        ([ENTRY, f"{HELPER}{ADD}"], [f"{HELPER}{ADD}", ENTRY]),  # the chosen definition comes last
        (["def half(x):\n    return add(x, 0)\n", ENTRY], [ENTRY, "def half(x):\n    return add(x, 0)\n"]),
    ],
)
def test_blocks_are_joined_where_one_needs_another(blocks: list[str], expected: list[str]) -> None:
    answer = "\nand\n".join(f"```python\n{block}```" for block in blocks)
    assert ask(answer) == "\n".join(expected)


def test_all_that_the_tests_call_is_there() -> None:
    answer = f"```python\n{NODE}```\n```python\n{DEPTH}```\n```python\n{USE}```"
    assert ask(answer, "Node", "depth") == f"{DEPTH}\n{NODE}"
    answer = f"```python\n{NODE}```\n```python\n{DEPTH}print(depth(Node()))\n```"
    assert ask(answer, "Node", "depth") == f"{NODE}\n{DEPTH}print(depth(Node()))\n"


def test_long_and_hostile_answers_end() -> None:
    for answer in (
        "```python\n" * 3000,
        "```python\nx = (\n```\n" * 100,
        "def f(:\n" * 3000,
        "`" * 10_000,
        " " * 100_000 + "x",
        "```python\n" + "(" * 5000,
        "x" + ".y" * 50_000,
        "-" * 50_000 + "1",
        "x = '\0'\n",
        "9" * 5000,
        "\ud800",
    ):
        assert isinstance(ask(answer), str)


STOP = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("    return 1\n\ndef g():\n    pass", "    return 1\n"),
        ("    return 1\n# next\nclass A:", "    return 1"),
        (
            "    if x:\n        print(1)\n    # kept\n    return 1\n",
            "    if x:\n        print(1)\n    # kept\n    return 1\n",
        ),
        ("\n\n\tx = 1\r\n\treturn x\nprint(x)", "\n\n\tx = 1\r\n\treturn x"),
        ("\ndef f", ""),
        ("", ""),
    ],
)
def test_base_answers_end_at_the_first_stop_sequence(raw: str, expected: str) -> None:
    assert cut(raw, STOP) == expected


PROMPT = 'import math\n\ndef add(a: int, b: int) -> int:\n    """Add."""\n'
PROBLEM = contract.Problem(
    "HumanEval/0", PROMPT, "", "    return a + b\n", "    return None\n", Tests(PROMPT, "", ("add",))
)
FUTURE = f"from __future__ import annotations\n\n{ADD}"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (FENCED, ADD),
        (f"```python\n{PROMPT}    return a + b\n```", f"{PROMPT}    return a + b\n"),
        ("```python\n    return a + b\n```", "    return a + b\n"),
        ("    return a + b", "    return a + b"),
        ("```python\nif a:\n    a += b\n\nreturn a\n```", "    if a:\n        a += b\n\n    return a\n"),
        ("return a + b", "    return a + b"),
        (f"```python\n{FUTURE}```", FUTURE),
        ("No.", "No."),
    ],
)
def test_humaneval_takes_a_program_or_a_body(answer: str, expected: str) -> None:
    completion = HumanEval().extract(PROBLEM, answer, instruct=True)
    assert completion == expected
    program = PROMPT + completion if is_python(PROMPT + completion) else completion  # as the judge takes them
    assert is_python(program) == (answer != "No.")
    if answer != "No.":
        names: dict[str, object] = {}
        exec(program, names)
        assert names["add"](2, 3) == 5  # type: ignore[operator]


def test_humaneval_base_answers_keep_their_indentation() -> None:
    assert HumanEval().extract(PROBLEM, "    return a + b\n\n\nif x:\n", instruct=False) == "    return a + b\n\n"
    assert HumanEval().extract(PROBLEM, FENCED, instruct=False) == "```python"


def test_a_program_starts_on_a_line_of_its_own() -> None:
    problem = contract.Problem("HumanEval/0", PROMPT.rstrip(), "", "", "", Tests(PROMPT, "", ("add",)))
    assert HumanEval().extract(problem, FENCED, instruct=True) == f"\n{ADD}"


def test_mbpp_answers() -> None:
    problem = contract.Problem("Mbpp/1", "", "", "", "", Tests("", "", ("add",)))
    assert Mbpp().extract(problem, f"{ADD}[DONE]\n\nYou are", instruct=False) == ADD
    assert Mbpp().extract(problem, f"```python\n{ADD}```\n[DONE]", instruct=True) == ADD
