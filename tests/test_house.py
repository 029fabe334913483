"""The rules of the house that code can hold."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ROOT

CODE = ROOT / "Code"
FILES = sorted(CODE.rglob("*.py"))
QUESTIONS = {path.name for path in CODE.glob("RQ*") if path.is_dir()}
# what each folder may import of ours, besides itself
ROOMS = {"seedkit": set(), **{question: {"seedkit"} for question in QUESTIONS}}
ENTRIES = {"Code", "Datas", "tests", "README.md", "requirements.txt", ".gitattributes", ".gitignore", ".ci"}


def imported(path: Path) -> Iterator[tuple[str, ast.AST, int]]:
    """(first part of the module's name, node, depth) of every import; depth 0 is the module's top level."""
    tree = ast.parse(path.read_text())
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], node, 0 if node in top else 1
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield (node.module or "").split(".")[0], node, 0 if node in top else 1


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 10
    assert QUESTIONS >= {"RQ1_complexity"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CODE)))
def test_rooms_import_only_what_they_may(path: Path) -> None:
    room = path.relative_to(CODE).parts[0]
    ours = {child.name for child in CODE.iterdir() if child.is_dir()}
    used = {name for name, _, _ in imported(path)} & ours
    assert used <= ROOMS.get(room, ours) | {room}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CODE)))
def test_heavy_imports_wait_for_the_function_that_uses_them(path: Path) -> None:
    heavy = {"torch", "transformers", "sentence_transformers", "vllm", "sklearn", "scipy", "pandas", "matplotlib"}
    assert {name for name, _, depth in imported(path) if depth == 0} & heavy == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CODE)))
def test_no_module_hides_a_dependency(path: Path) -> None:
    """A script's folder comes first on the path, so datasets.py in it would be imported for datasets."""
    spec = importlib.util.find_spec(path.stem) if path.stem not in ("__init__",) else None
    assert spec is None or spec.origin is None or Path(spec.origin).is_relative_to(CODE)


def test_no_edit_of_the_path_no_pickle_no_remote_code() -> None:
    for path in FILES:
        text = path.read_text()
        for word in ("sys.path.", "import pickle", "trust_remote_code=True", "weights_only=False"):
            jail = path.name == "python_driver.py" and word == "sys.path."  # the path of another interpreter, in a jail
            assert jail or word not in text, f"{path}: {word}"


def test_top_level_is_as_designed() -> None:
    import subprocess

    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {name.split("/")[0] for name in listed} <= ENTRIES
    for name in listed:  # there is no LFS server: a pointer would be a file that nobody can pull
        assert not (ROOT / name).is_file() or not (ROOT / name).read_bytes().startswith(b"version https://git-lfs"), (
            name
        )
