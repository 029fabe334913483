"""Completions of HumanEval's problems, and programs for those of HumanEval+ and MBPP+, that are right, nearly right and
broken, made from the references by rule.

Nothing here is hostile: they may run outside of a sandbox.
"""

import ast
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.contract import Problem
from benchmarks.python_syntax import is_python, tree_of

PER_PROBLEM = 3  # mutants
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitXor: ast.BitOr,
}
_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_BROKEN = (
    ("return None", "    return None\n"),
    ("nothing", ""),
    ("pass", "    pass\n"),
    ("an open bracket", "    return (\n"),
    ("no indentation", "return 1\n"),
    ("an unknown name", "    return undefined_name\n"),
    ("an exception", "    raise ValueError\n"),
    ("half an expression", "    x = 1 +\n    return x\n"),
)


@dataclass(frozen=True, slots=True)
class Variant:
    """`kind` says what was done to the reference."""

    task_id: str
    kind: str
    completion: str


def variants(problems: Sequence[Problem]) -> Iterator[Variant]:
    """For each problem the reference, up to PER_PROBLEM mutants and one broken body; the same every time."""
    for number, problem in enumerate(problems):
        yield Variant(problem.task_id, "reference", problem.reference)
        yield from mutants(problem)
        kind, completion = _BROKEN[number % len(_BROKEN)]
        yield Variant(problem.task_id, kind, completion)


def mutants(problem: Problem) -> list[Variant]:
    """One operator or constant of the reference changed; the changes are spread evenly over it."""
    count = len(_changes(_body(_parsed(problem), problem)))
    chosen = sorted({number * count // PER_PROBLEM for number in range(PER_PROBLEM)}) if count else []
    found = []
    for number in chosen:
        tree = _parsed(problem)
        kind, change = _changes(_body(tree, problem))[number]
        change()
        body = _body(tree, problem)
        text = "\n".join(ast.unparse(ast.fix_missing_locations(statement)) for statement in body)
        found.append(Variant(problem.task_id, f"{number}: {kind}", textwrap.indent(text, "    ") + "\n"))
    return found


def _parsed(problem: Problem) -> ast.Module:
    return ast.parse(problem.prompt + problem.reference)


def _body(tree: ast.Module, problem: Problem) -> list[ast.stmt]:
    """The function's statements behind the docstring."""
    [*_, function] = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == problem.tests.names[0]
    ]
    return function.body[1:]


def programs(problems: Sequence[Problem]) -> Iterator[Variant]:
    """Two whole programs for each problem of HumanEval+ or MBPP+: one with a change of it, and in turn the reference, one with
    two returns swapped, and one that is right alone for arguments no longer than those of the base; the same every time."""
    for number, problem in enumerate(problems):
        source = problem.reference if is_python(problem.reference) else problem.prompt + problem.reference
        count = len(_changes(_functions(_tree(source))))
        if count:
            tree = _tree(source)
            kind, change = _changes(_functions(tree))[number * 7 % count]
            change()
            yield Variant(problem.task_id, f"{number * 7 % count}: {kind}", ast.unparse(tree) + "\n")
        if number % 3 == 0 or (number % 3 == 1 and not (swapped := _with_returns_swapped(source))):
            yield Variant(problem.task_id, "reference", source)
        elif number % 3 == 1:
            yield Variant(problem.task_id, "two returns swapped", swapped)
        else:
            name = problem.tests.names[0]
            most = max(len(repr(tuple(call))) for call in problem.tests.base.read())
            text = f"{source}\n\nwhole = {name}\ndef {name}(*args):\n    return whole(*args) if len(repr(args)) <= {most} else None\n"
            yield Variant(problem.task_id, "short arguments alone", text)


def _tree(source: str) -> ast.Module:
    """Without a word on escapes that Python does not know, such as "\\w", of which some references have one."""
    tree = tree_of(source)
    assert tree is not None
    return tree


def _functions(tree: ast.Module) -> list[ast.stmt]:
    """The statements of all functions but their docstrings."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [statement for node in functions for statement in node.body if not _is_text(statement)]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _with_returns_swapped(source: str) -> str:
    """The program with the values of its first two different returns swapped; "" where there are none."""
    tree = _tree(source)
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    for other in returns[1:]:
        if ast.dump(returns[0]) != ast.dump(other):
            returns[0].value, other.value = other.value, returns[0].value
            return ast.unparse(tree) + "\n"
    return ""


def _changes(statements: Sequence[ast.stmt]) -> list[tuple[str, Callable[[], None]]]:
    """(what, how) of each change that can be made. Not in while loops, which might then never end."""
    found: list[tuple[str, Callable[[], None]]] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.While):
            return
        if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _BINARY:
            other = _BINARY[type(node.op)]
            found.append((f"{_name(node.op)} is {_name(other())}", lambda: setattr(node, "op", other())))
        elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISON:
            new = _COMPARISON[type(node.ops[0])]
            found.append((f"{_name(node.ops[0])} is {_name(new())}", lambda: node.ops.__setitem__(0, new())))
        elif isinstance(node, ast.BoolOp):
            opposite = ast.Or if isinstance(node.op, ast.And) else ast.And
            found.append((f"{_name(node.op)} is {_name(opposite())}", lambda: setattr(node, "op", opposite())))
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            found.append((f"{node.value} is {not node.value}", lambda: setattr(node, "value", not node.value)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            more = node.value + 1
            found.append((f"{node.value} is {more}", lambda: setattr(node, "value", more)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            less = node.value[:-1]
            found.append((f"{node.value!r} is {less!r}", lambda: setattr(node, "value", less)))
        for child in ast.iter_child_nodes(node):
            if not isinstance(node, ast.JoinedStr | ast.FormattedValue):
                visit(child)

    for statement in statements:
        visit(statement)
    return found


def _name(node: ast.AST) -> str:
    return type(node).__name__
