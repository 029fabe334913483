"""Every README is true where code can tell: its links resolve, its commands exist and take the flags, its files are there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ROOT, Command

READMES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in ("runs", "quickstart") for part in path.relative_to(ROOT).parts)
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ANY_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
# a file of the repository by its name, or by a path that is one of the repository's
NAMED = re.compile(r"`([\w./*-]+\.(?:py|sh|js)|(?:Code|tests|Datas/sample)/[\w./*-]*)`")


def anchors(path: Path) -> set[str]:
    """What GitHub makes of the headings of a file."""
    heads = re.findall(r"^#+ +(.+)$", ANY_FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def dead_links(path: Path) -> Iterator[str]:
    for target in LINK.findall(ANY_FENCE.sub("", path.read_text())):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield f"{path}: {target}: no such file"
        elif anchor and (file.is_dir() or anchor not in anchors(file)):
            yield f"{path}: {target}: no such heading"


def commands(path: Path) -> Iterator[list[str]]:
    """The words of each command in the blocks of shell, a command a pipe or && parts."""
    for block in FENCE.findall(path.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            words: list[str] = []
            for word in shlex.split(line, comments=True):
                if word in ("|", "&&", ";", "||"):
                    yield words
                    words = []
                else:
                    words.append(word)
            yield words


def scripts(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """(script or module, its arguments) where a command runs Python or bash."""
    for at, word in enumerate(words[:-1]):
        if word == "-m" and Path(words[at - 1]).name.startswith("python"):
            yield words[at + 1], words[at + 2 :]
        elif word.endswith(("python", "bash")) and words[at + 1].endswith((".py", ".sh")):
            yield words[at + 1], words[at + 2 :]


def is_there(path: Path, name: str) -> bool:
    """Whether a README's name of a file is one beside it, from the root, from Code/, or of one file somewhere."""
    for base in (path.parent, ROOT, ROOT / "Code"):
        if any(base.glob(name.rstrip("/"))):
            return True
    return "/" not in name and any(True for top in ("Code", "tests") for _ in (ROOT / top).rglob(name))


def unknown_files(path: Path) -> list[str]:
    """Names in backticks that are no file's; one in capitals, such as SCRIPT_steps.py, stands for many."""
    names = NAMED.findall(ANY_FENCE.sub("", path.read_text()))
    return [
        name for name in names if not re.search(r"\b[A-Z]{3,}", name.replace("README", "")) and not is_there(path, name)
    ]


def wrong_commands(path: Path, script_main: Command) -> Iterator[str]:
    """Scripts that are not there, and flags that a script's --help does not name."""
    helps: dict[str, str] = {}
    for words in commands(path):
        for script, arguments in scripts(words):
            if not script.endswith((".py", ".sh")):
                module = ROOT / "Code" / script.replace(".", "/")
                if script.startswith("seedkit") and not module.with_suffix(".py").is_file():
                    yield script
            elif not (ROOT / script).is_file():
                yield script
            elif script.startswith("Code/") and script.endswith(".py"):
                if script not in helps:
                    helps[script] = script_main(script.removeprefix("Code/"), "--help").stdout
                for flag in (word.partition("=")[0] for word in arguments if word.startswith("--")):
                    if not re.search(rf"{flag}\b", helps[script]):
                        yield f"{script} {flag}"


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_its_links_resolve(path: Path) -> None:
    assert list(dead_links(path)) == []


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_files_that_it_names_are_there(path: Path) -> None:
    assert unknown_files(path) == []


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_its_commands_exist_and_take_their_flags(path: Path, script_main: Command) -> None:
    assert list(wrong_commands(path, script_main)) == []


def test_what_is_wrong_is_found(tmp_path: Path, script_main: Command) -> None:
    """A README of lies: each kind is told."""
    lies = tmp_path / "README.md"
    lies.write_text(
        "# Lies\n[a](no.md) [b](#none) [c](#lies) `Code/no/file.py` `Code/seedkit/cli.py`\n```bash\n"
        "python Code/no.py --x\ncd x && python Code/evaluation/grade.py --no_such_flag --samples \\\n    1\n"
        "python -m seedkit.no x\n```\n"
    )
    assert [fault.partition("README.md: ")[2] for fault in dead_links(lies)] == [
        "no.md: no such file",
        "#none: no such heading",
    ]
    assert unknown_files(lies) == ["Code/no/file.py"]
    assert list(wrong_commands(lies, script_main)) == [
        "Code/no.py",
        "Code/evaluation/grade.py --no_such_flag",
        "seedkit.no",
    ]
