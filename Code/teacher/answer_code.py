"""The code in an answer: in which language it is, and how a text in that language is parsed."""

import ast
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from benchmarks.extraction import blocks_of_any_language, extract_code, without_thoughts
from benchmarks.multipl_e.languages.registry import LANGUAGES, missing
from benchmarks.python_syntax import is_python, tree_of
from sandbox.judging.native_judge import Native

PYTHON = "py"
MOST_CHARACTERS = (
    1 << 18
)  # of an answer that are searched for code: far more than a model writes, and little enough to search
_PYTHON_TAGS = {"py", "python", "python2", "python3", "py3"}
# what stands in fences besides programs
_NO_CODE = {"", "text", "txt", "plaintext", "plain", "output", "console", "none", "json", "yaml", "yml", "xml", "csv"}
_NO_CODE |= {"markdown", "md", "latex", "tex", "diff", "log", "ini", "toml", "http", "mermaid"}
_TAGS = {tag: language.name for language in LANGUAGES.values() for tag in (*language.fences, language.name)} | {
    "c": "c"
}
# a program has one of these; a word or a sum that happens to be Python has none
_DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AugAssign)
_PROGRAM = (*_DEFINING, ast.For, ast.While, ast.With, ast.If, ast.Try, ast.Call, ast.Lambda)


@dataclass(frozen=True, slots=True)
class AnswerCode:
    """The code of an answer; `language` is PYTHON, a name of MultiPL-E, "c", or the fence's own word for another one."""

    language: str
    code: str

    @property
    def parses(self) -> bool | None:
        """Whether it is Python that parses; None for another language."""
        return is_python(self.code) if self.language == PYTHON else None


def code_of(text: str, names: Collection[str] = ()) -> AnswerCode | None:
    """The code in an answer, None where there is none.

    With blocks it is in the language that takes most of them; untagged blocks are Python where no other tells a language.
    Of Python it is what `extract_code` finds, which should define one of `names`; of another language its blocks, joined.
    """
    answer = without_thoughts(text.replace("\r\n", "\n"))[:MOST_CHARACTERS]
    blocks = blocks_of_any_language(answer)
    sizes: Counter[str] = Counter()
    for block in blocks:
        if block.tag not in _NO_CODE:
            sizes[_language(block.tag)] += len(block.code)
    if sizes:
        language = sizes.most_common(1)[0][0]
    else:
        language = PYTHON
    if language != PYTHON:
        return AnswerCode(language, "\n".join(one.code for one in blocks if _language(one.tag) == language))
    code = extract_code(answer, names)
    if sizes or (_is_program(code) and (not blocks or any(block.tag == "" for block in blocks))):
        return AnswerCode(PYTHON, code)
    return None


def _language(tag: str) -> str:
    return PYTHON if tag in _PYTHON_TAGS else _TAGS.get(tag, tag)


def _is_program(code: str) -> bool:
    tree = tree_of(code)
    return tree is not None and any(isinstance(node, _PROGRAM) for node in ast.walk(tree))


# TypeScript's own parser: a type that is wrong, or a module that is not there, is no error of syntax
_TYPESCRIPT = (
    "const ts=require('/usr/share/nodejs/typescript'),fs=require('fs');"
    "const file=ts.createSourceFile('a.ts',fs.readFileSync('a.ts','utf8'),99,false);"
    "const found=file.parseDiagnostics;"
    "if(found.length){console.log(ts.flattenDiagnosticMessageText(found[0].messageText,' '));process.exit(1)}"
)
# language -> (name of the file, command). C, C++ and D are compiled up to the code; of the others the parser alone is asked
_PARSERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "js": ("a.js", ("node", "--check", "a.js")),
    "ts": ("a.ts", ("node", "-e", _TYPESCRIPT)),
    "java": (
        "A.java",
        ("javac", "-proc:none", *(f"-XDshould-stop.{when}=PARSE" for when in ("ifError", "ifNoError")), "A.java"),
    ),
    "c": ("a.c", ("gcc", "-fsyntax-only", "a.c")),
    "cpp": ("a.cpp", ("g++", "-std=c++20", "-fsyntax-only", "a.cpp")),
    "cs": ("a.cs", ("mcs", "--parse", "a.cs")),
    "go": ("a.go", ("gofmt", "-e", "a.go")),
    "php": ("a.php", ("php", "-l", "a.php")),
    "rb": ("a.rb", ("ruby", "-c", "a.rb")),
    "pl": ("a.pl", ("perl", "-c", "a.pl")),
    "lua": ("a.lua", ("luac5.4", "-p", "a.lua")),
    "r": ("a.r", ("Rscript", "--vanilla", "-e", "invisible(parse('a.r'))")),
    "sh": ("a.sh", ("bash", "-n", "a.sh")),
    "d": ("a.d", ("gdc", "-fsyntax-only", "a.d")),
}
_NONCE_FILE = "nonce"


def unchecked_because(language: str) -> str | None:
    """Why code in a language cannot be parsed here; None where it can."""
    if language not in _PARSERS:
        return f"no parser for {language!r}"
    return missing("cpp" if language == "c" else language)


def parsing_program(answer: AnswerCode, nonce: str, seconds: float) -> Native:
    """What `build_and_run` passes where the code parses: its parser is the build, and the run says the nonce."""
    name, command = _PARSERS[answer.language]
    code = answer.code
    if answer.language == "js" and any(line.startswith(("import ", "export ")) for line in code.splitlines()):
        name = "a.mjs"
        command = tuple(word.replace("a.js", name) for word in command)
    if answer.language == "php" and "<?" not in code:
        code = f"<?php\n{code}"
    if answer.language == "go" and not any(line.startswith("package ") for line in code.splitlines()):
        code = f"package main\n{code}"
    return Native({name: code}, ("cat", _NONCE_FILE), nonce, (command,), nonce_file=_NONCE_FILE, build_seconds=seconds)
