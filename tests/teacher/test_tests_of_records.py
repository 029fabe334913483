"""What is shown of answers when tests are asked for, what is taken of the tests, and which code and language an answer has."""

import pytest
from seedkit.records import Record
from teacher.answer_code import code_of
from teacher.tests_of_records import MOST_TESTS, interface, messages_for_tests, parse_tests


def fenced(code: str, tag: str = "python") -> str:
    return f"```{tag}\n{code}```\n"


def test_a_teacher_is_shown_signatures_and_no_bodies() -> None:
    code = "import os\nSECRET = 1\nasync def f(a: int, *b, c=2) -> str:\n    return SECRET\nclass A(B):\n    x = 1\n    def g(self): ...\n"
    shown = interface(
        ["no code", fenced("x = 1\n"), fenced("def broken(\n"), fenced(code), fenced("def other(): ...\n")]
    )
    assert shown == "async def f(a: int, *b, c=2) -> str: ...\nclass A:\n    def g(self): ..."
    assert interface(["prose", fenced("SELECT 1", "sql")]) is None
    (message,) = messages_for_tests(Record("a", "do {query} {interface}", "", ""), "def f(): ...")
    assert (
        message.role == "user"
        and message.content.endswith("do {query} {interface}\n")
        and "def f(): ..." in message.content
    )


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("assert f(1) == 2\nassert f(2) == 3\n", 2),
        ("def test_f():\n    assert f(1) == 2\n", 1),
        ("def test_f(x):\n    assert f(x)\n", 0),
        ("def test_f(x=1, *, y=2):\n    assert f(x)\n", 1),
        (
            "class TestF(unittest.TestCase):\n    def setUp(self): ...\n    def test_a(self): ...\n    def test_b(self): ...\n",
            2,
        ),
        ("print(f(1))\n", 0),
        ("assert f(1\n", 0),
        ("".join(f"assert f({n})\n" for n in range(50)), MOST_TESTS),
    ],
)
def test_what_counts_as_a_test(code: str, count: int) -> None:
    found = parse_tests(fenced(code))
    assert (found.count if found else 0) == count


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (fenced("x = 1\n"), "py"),
        (fenced("x = 1\n", ""), "py"),
        (fenced("const a = 1\n", "js") + fenced("x\n", "text"), "js"),
        (fenced("x = 1\n") + fenced("SELECT a FROM b WHERE c = d\n", "sql"), "sql"),
        (fenced("int main() { return 0; }\n", "c"), "c"),
        (fenced("echo 1\n", "bash"), "sh"),
        (fenced("{}\n", "json"), None),
        ("def f():\n    return 1\n", "py"),
        ("Hello", None),
        ("It is 4.", None),
        ("", None),
    ],
)
def test_language(text: str, language: str | None) -> None:
    found = code_of(text)
    assert (found.language if found else None) == language


def test_with_tests_the_block_that_defines_what_they_use_is_taken() -> None:
    text = fenced("def f(a):\n    return a\n") + fenced(
        "for number in range(100):\n    print('a long example', number)\n"
    )
    found, wanted = code_of(text), code_of(text, ("f",))
    assert found is not None and wanted is not None
    assert found.code.startswith("for number") and wanted.code.startswith("def f")
