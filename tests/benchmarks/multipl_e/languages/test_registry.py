"""The registry: a name, an alias and a control problem belong to one language."""

from pathlib import Path

from benchmarks.multipl_e.languages import base, registry
from benchmarks.multipl_e.languages.registry import LANGUAGES
from support import ROOT


def test_names_are_of_one_language() -> None:
    names = [name for language in LANGUAGES.values() for name in (language.name, *language.aliases)]
    assert len(names) == len(set(names))
    assert len(LANGUAGES) == len(registry._ALL)


def test_every_control_problem_is_of_one_language() -> None:
    folder = Path(base.__file__).parent / "controls"
    assert sorted(language.control for language in LANGUAGES.values()) == sorted(
        path.name for path in folder.iterdir() if path.name != "README.md"
    )


def test_the_table_of_languages_is_complete() -> None:
    text = (ROOT / "Code" / "benchmarks" / "multipl_e" / "languages" / "README.md").read_text()
    for language in LANGUAGES.values():
        packages = " ".join(language.toolchain.packages) if language.toolchain else ""
        row = next(line for line in text.split("\n") if line.startswith(f"| `{language.name}` | {language.title} |"))
        assert packages in row and language.judged in row
