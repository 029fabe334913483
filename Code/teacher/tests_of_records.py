"""Tests that a teacher writes for a record: how it is asked for them, what is taken of its answer, and how they are run.

The tests are as little trusted as the answers: both run in the jail. They run in the answer's own process, so that an answer
which means to cheat could; that the results are printed behind a mark stops accidents alone.
"""

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.python_syntax import bound_by, is_python, loaded, tree_of
from inference.chat import Message
from seedkit.records import Record

from teacher.answer_code import PYTHON, code_of

MOST_TESTS = 20  # that are taken of an answer
TEST_S = 2.0  # seconds of processor time of a test, so that a busy machine fails none
_WAITING = 4  # times as many by the clock, for a test that sleeps
PROMPT = """\
Write tests in Python for a solution of the task below. Answer with one ```python block that holds plain assert statements, at most \
10 of them, each about another behaviour that the task asks for, with exact values. Use no test framework and do not write the \
solution: it is defined already, as

{interface}

Task:
{query}
"""


@dataclass(frozen=True, slots=True)
class TestProgram:
    """Tests as a list of statements."""

    __test__ = False  # otherwise pytest takes a class of this name for tests

    steps: tuple[tuple[bool, str], ...]  # (whether it is a test, statements), in their order
    names: tuple[str, ...]  # that the tests use and do not define

    @property
    def count(self) -> int:
        """How many tests there are."""
        return sum(is_test for is_test, _ in self.steps)


def interface(texts: Iterable[str]) -> str | None:
    """The signatures in the first answer whose code is Python that defines something; None where no answer does.

    The teacher is shown no body, so that tests say what the task asks for and not what an answer does.
    """
    for text in texts:
        found = code_of(text)
        tree = tree_of(found.code) if found is not None and found.language == PYTHON else None
        if tree is not None and (lines := [line for node in tree.body for line in _signatures(node)]):
            return "\n".join(lines)
    return None


def _signatures(node: ast.stmt, indent: str = "") -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return [f"{indent}{kind} {node.name}({ast.unparse(node.args)}){returns}: ..."]
    if isinstance(node, ast.ClassDef):
        inner = [line for one in node.body for line in _signatures(one, indent + "    ")]
        return [f"{indent}class {node.name}:", *(inner or [f"{indent}    ..."])]
    return []


def messages_for_tests(record: Record, shown: str) -> tuple[Message, ...]:
    """The messages that ask for tests of a record, to a solution with this interface."""
    return (Message("user", PROMPT.replace("{interface}", shown).replace("{query}", record.query)),)


def parse_tests(text: str) -> TestProgram | None:
    """The tests in an answer: its asserts, its functions test_..., and the methods of its unittest classes.

    At most MOST_TESTS of them; what stands between them is run in its place. None where there is no test, or it is not Python.
    """
    found = code_of(text)
    tree = tree_of(found.code) if found is not None and found.language == PYTHON and is_python(found.code) else None
    if tree is None:
        return None
    steps: list[tuple[bool, str]] = []
    calls: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
            continue
        steps.append((isinstance(node, ast.Assert), ast.unparse(node)))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test") and not _required(node.args):
            calls.append(f"{node.name}()")
        if isinstance(node, ast.ClassDef) and node.bases:
            methods = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
            calls += [f"{node.name}({name!r}).debug()" for name in methods if name.startswith("test")]
    steps += [(True, call) for call in calls]
    kept: list[tuple[bool, str]] = []
    for is_test, source in steps:
        if not is_test or sum(one for one, _ in kept) < MOST_TESTS:
            kept.append((is_test, source))
    bound = {name for node in ast.walk(tree) if not _of_the_solution(node) for name in bound_by(node)}
    program = TestProgram(tuple(kept), tuple(sorted(loaded(tree) - bound)))
    return program if program.count else None


def _of_the_solution(node: ast.AST) -> bool:
    """Whether it is an import from a module that Python does not have: tests may name one that the solution is thought to be in."""
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] not in sys.stdlib_module_names


def _required(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional > 0 or None in arguments.kw_defaults


def harness(code: str, tests: TestProgram, mark: str) -> str:
    """A program that loads an answer's code as a module, runs the tests in it, and prints the mark and a list of true and false.

    Each test has TEST_S seconds. What stands between the tests may fail; the tests that need it then do.
    """
    return _HARNESS.format(code=code, steps=list(tests.steps), mark=mark, seconds=TEST_S, waiting=_WAITING * TEST_S)


_HARNESS = """\
def main():
    import json, posix, signal, sys
    write, dump = posix.write, json.dumps
    timers = (signal.SIGPROF, signal.ITIMER_PROF, {seconds!r}), (signal.SIGALRM, signal.ITIMER_REAL, {waiting!r})
    module = type(sys)("solution")
    sys.modules["solution"] = module

    class Late(BaseException):
        pass

    def ring(number, frame):
        raise Late

    def attempt(source):
        try:
            for number, timer, seconds in timers:
                signal.signal(number, ring)
                signal.setitimer(timer, seconds)
            exec(compile(source, "<answer>", "exec"), module.__dict__)
            return True
        except BaseException:
            return False
        finally:
            for _, timer, _ in timers:
                signal.setitimer(timer, 0)

    loaded = attempt({code!r})
    results = []
    for is_test, source in {steps!r}:
        passed = loaded and attempt(source)
        if is_test:
            results.append(passed)
    sys.stdout.flush()
    text = ({mark!r} + dump(results)).encode()
    while text:
        text = text[write(1, text):]


main()
"""
