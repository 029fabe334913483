"""The rules of the house that code can hold; each of them is also tried on a small house in which it is broken."""

import ast
import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ROOT

CODE = ROOT / "Code"
# from the ground up: a room imports rooms of lower floors only, and never another one of its own floor
FLOORS = (
    {"seedkit"},
    {
        "inference",
        "sandbox",
        "RQ1_complexity",
        "RQ2_composition",
        "RQ3_density",
        "RQ4_breadth",
        "baselines",
        "training",
    },
    {"benchmarks"},
    {"seeds", "teacher", "evaluation"},
    {"report"},
    {"studies"},
)
ENTRIES = {"Code", "Datas", "tests", "README.md", "requirements.txt", ".gitattributes", ".gitignore", ".ci"}
HEAVY = {"torch", "transformers", "sentence_transformers", "vllm", "sklearn", "scipy", "pandas", "matplotlib"}
# programs that run beside untrusted code are no modules: they are sent into a jail as text
PROGRAMS = {"command_driver.py", "python_driver.py"}
# what reads files, or changes the process, and so has no place outside of a function
DOING = {"open", "read_text", "read_bytes", "write_text", "mkdir", "load", "getenv", "putenv", "setdefault", "exists"}
DOING |= {"setswitchinterval", "setrecursionlimit", "set_num_threads", "signal", "chdir", "is_file", "is_dir", "glob"}

Import = tuple[str, int, bool]  # the module's whole name, its line, whether it stands at the module's top level


def files(code: Path) -> list[Path]:
    return sorted(path for path in code.rglob("*.py") if "egg-info" not in str(path))


def module(code: Path, path: Path) -> str:
    return ".".join(path.relative_to(code).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[Import]:
    """Every import statement; of `from a import b` both a and a.b, since b may be a module."""
    tree = ast.parse(path.read_text())
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, node in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield node.module or "", node.lineno, node in top
            yield from ((f"{node.module}.{alias.name}", node.lineno, node in top) for alias in node.names)


def floor_faults(code: Path) -> list[str]:
    """Imports that lead up, or to another room of the same floor."""
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    found = []
    for path in files(code):
        room = path.relative_to(code).parts[0]
        if room not in floor:
            found.append(f"{path}: {room} is no room of the house")
            continue
        for name, line, _ in imports(path):
            other = name.split(".")[0]
            if other in floor and other != room and floor[other] >= floor[room]:
                found.append(f"{path}:{line}: {room} imports {other}")
    return sorted(set(found))


def circles(code: Path) -> list[list[str]]:
    """Groups of modules that import each other, wherever in the module the statements stand."""
    modules = {module(code, path): path for path in files(code)}
    arrows = {
        name: {other for other, _, _ in imports(path) if other in modules and other != name}
        for name, path in modules.items()
    }
    while alone := {name for name, others in arrows.items() if not others & arrows.keys()}:
        arrows = {name: others for name, others in arrows.items() if name not in alone}
    while unasked := arrows.keys() - {other for others in arrows.values() for other in others}:
        arrows = {name: others for name, others in arrows.items() if name not in unasked}
    return [sorted(arrows)] if arrows else []


def done_at_import(path: Path) -> list[str]:
    """Calls outside of every function that read or change something, and what is said of os.environ there."""
    found = []
    todo: list[ast.AST] = list(ast.parse(path.read_text()).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += node.decorator_list if not isinstance(node, ast.Lambda) else []
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("__name__ == '__main__'", "TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in DOING:
                found.append(f"{path}:{node.lineno}: {ast.unparse(node)[:80]}")
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ":
            found.append(f"{path}:{node.lineno}: os.environ")
        todo += ast.iter_child_nodes(node)
    return found


def without_readme(code: Path) -> list[Path]:
    """Folders that hold a file of the repository and have no README.md."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."],
        cwd=code, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    folders = {(code / name).parent for name in listed if (code / name).is_file()}
    return sorted(folder for folder in folders if not (folder / "README.md").is_file())


def hiding(path: Path) -> bool:
    """Whether a module has the name of another one that could be imported: a script's folder comes first on the path."""
    spec = importlib.util.find_spec(path.stem) if path.stem not in ("__init__",) else None
    return spec is not None and spec.origin is not None and not Path(spec.origin).is_relative_to(CODE)


def test_rooms_import_only_lower_floors() -> None:
    assert len(files(CODE)) > 10
    assert floor_faults(CODE) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(CODE) == []


def test_nothing_is_done_at_import() -> None:
    assert [fault for path in files(CODE) if path.name not in PROGRAMS for fault in done_at_import(path)] == []


def test_every_folder_has_a_readme() -> None:
    assert without_readme(CODE) == []


@pytest.mark.parametrize("path", files(CODE), ids=lambda path: str(path.relative_to(CODE)))
def test_heavy_imports_wait_for_the_function_that_uses_them(path: Path) -> None:
    assert {name.split(".")[0] for name, _, top in imports(path) if top} & HEAVY == set()


@pytest.mark.parametrize("path", files(CODE), ids=lambda path: str(path.relative_to(CODE)))
def test_no_module_hides_a_dependency(path: Path) -> None:
    assert not hiding(path)


def test_every_class_has_a_name_of_its_own() -> None:
    names: dict[str, list[str]] = {}
    for path in files(CODE):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                names.setdefault(node.name, []).append(str(path.relative_to(CODE)))
    assert {name: where for name, where in names.items() if len(where) > 1} == {}


def test_no_edit_of_the_path_no_pickle_no_remote_code() -> None:
    for path in files(CODE):
        text = path.read_text()
        for word in ("sys.path.", "import pickle", "trust_remote_code=True", "weights_only=False"):
            jail = path.name == "python_driver.py" and word == "sys.path."  # the path of another interpreter, in a jail
            assert jail or word not in text, f"{path}: {word}"


def test_the_formatter_lays_out_the_code() -> None:
    exceptions = [path for path in files(CODE) for line in path.read_text().splitlines() if "# fmt: skip" in line]
    assert len(exceptions) < 25


def test_top_level_is_as_designed() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {name.split("/")[0] for name in listed} <= ENTRIES
    for name in listed:  # there is no LFS server: a pointer would be a file that nobody can pull
        pointer = (ROOT / name).is_file() and (ROOT / name).read_bytes().startswith(b"version https://git-lfs")
        assert not pointer, name


# --- the rules themselves, on a house in which something is planted


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Two rooms on two floors, in order."""
    code = tmp_path / "Code"
    for name, text in {
        "seedkit/files.py": "import os\n",
        "seedkit/records.py": "from seedkit.files import read\n",
        "seeds/fetch.py": "from seedkit import records\n",
    }.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
        (code / name).with_name("README.md").write_text("# A room\n")
    subprocess.run(["git", "init", "-q", str(code)], check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"})
    assert floor_faults(code) == [] and circles(code) == [] and without_readme(code) == []
    return code


@pytest.mark.parametrize("statement", ["import seeds.fetch", "def f():\n    from seeds import fetch\n"])
def test_an_import_that_leads_up_is_found(house: Path, statement: str) -> None:
    (house / "seedkit" / "files.py").write_text(f"{statement}\n")
    assert [fault.partition(": ")[2] for fault in floor_faults(house)] == ["seedkit imports seeds"]


def test_an_import_of_a_room_on_the_same_floor_is_found(house: Path) -> None:
    (house / "evaluation").mkdir()
    (house / "evaluation" / "grade.py").write_text("from seeds.fetch import fetch\n")
    (house / "cellar").mkdir()
    (house / "cellar" / "wine.py").write_text("")
    assert [fault.partition(": ")[2] for fault in floor_faults(house)] == [
        "cellar is no room of the house", "evaluation imports seeds",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "statement", ["from seedkit.records import Record", "def f():\n    from seedkit import records"]
)
def test_a_circle_is_found(house: Path, statement: str) -> None:
    (house / "seedkit" / "files.py").write_text(f"{statement}\n")
    assert circles(house) == [["seedkit.files", "seedkit.records"]]


def test_a_missing_readme_is_found(house: Path) -> None:
    (house / "seeds" / "README.md").unlink()
    assert without_readme(house) == [house / "seeds"]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("import os\nos.environ['A'] = '1'", "os.environ"),
        ("import sys\nsys.setswitchinterval(1)", "sys.setswitchinterval(1)"),
        ("with open('x') as file:\n    TEXT = file.read()", "open('x')"),
        ("class A:\n    b = Path('x').read_text()", "Path('x').read_text()"),
        ("def f():\n    return open('x')\nif __name__ == '__main__':\n    open('x')", None),
    ],
)
def test_what_is_done_at_import_is_found(house: Path, statement: str, what: str | None) -> None:
    path = house / "seedkit" / "files.py"
    path.write_text(f"{statement}\n")
    assert [fault.partition(": ")[2] for fault in done_at_import(path)] == ([what] if what else [])


def test_a_name_that_hides_a_dependency_is_found(house: Path) -> None:
    assert hiding(house / "seedkit" / "numpy.py") and not hiding(house / "seedkit" / "records_of_ours.py")
