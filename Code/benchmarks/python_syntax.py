"""Is a text Python, and which names are in it? The texts are what models write, so nothing of them is ever run here."""

import ast
import threading
import warnings

_WARNINGS = threading.Lock()  # the filters of `warnings` belong to the whole process


def is_python(source: str) -> bool:
    """Whether Python would compile it: it parses, nothing returns outside a function, and __future__ comes first.

    It is only parsed: a page of nested `finally` can make compiling endless.
    """
    tree = tree_of(source)
    if tree is None:
        return False
    first = True  # so far there were only the docstring and imports from __future__
    for number, node in enumerate(tree.body):
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if future and not first or _returns(node):
            return False
        first = first and (
            future or number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )
    return True


def _returns(node: ast.AST) -> bool:
    """Whether a return or yield in it belongs to no function."""
    todo = [node]
    while todo:
        inner = todo.pop()
        if isinstance(inner, ast.Return | ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(inner)
    return False


def is_code(text: str) -> bool:
    """Whether it is a program, or the indented body of a function, and more than blanks."""
    return bool(text.strip()) and (is_python(text) or is_python(f"def body():\n{text}\n"))


def tree_of(source: str) -> ast.Module | None:
    """Its syntax tree; None if it does not parse."""
    with _WARNINGS, warnings.catch_warnings():
        # about the candidate's style: where warnings are errors, they would look like bad syntax
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):  # NUL bytes; nested too deeply
            return None


def loaded(tree: ast.AST) -> set[str]:
    """Names that code reads, wherever they are bound."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def bound_by(node: ast.AST) -> list[str]:
    """Names that one node binds itself; those that its children bind are left out."""
    match node:
        case ast.Import(names) | ast.ImportFrom(names=names):
            return [(alias.asname or alias.name).partition(".")[0] for alias in names]
        case (
            ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name) | ast.ExceptHandler(name=str(name))
        ):
            return [name]
        case ast.Assign(targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.Name(name, ast.Store()) | ast.AnnAssign(ast.Name(name)) | ast.arg(name):
            return [name]
    return []
