"""Where the rows of MBPP are: in the authors' file, in the hub's parquet files, or on the hub."""

from collections.abc import Iterator
from pathlib import Path

from seedkit.errors import InputError

from evaluation.benchmarks.released import Row, from_hub, read_rows

REPOSITORY = "google-research-datasets/mbpp"
SPLITS = ("train", "test", "validation", "prompt")  # together the 974 or 427 problems


def mbpp_rows(source: Path | None, config: str, name: str) -> Iterator[Row]:
    """The rows of one of the two sets: `config` is its name on the hub, `name` that of the authors' file."""
    for path in (
        from_hub(REPOSITORY, [f"{config}/{split}-00000-of-00001.parquet" for split in SPLITS])
        if source is None
        else _files(source, config, name)
    ):
        yield from read_rows(path)


def _files(source: Path, config: str, name: str) -> list[Path]:
    if not source.is_dir():
        return [source]
    if (source / name).is_file():
        return [source / name]
    for folder in (source / config, source):
        if found := sorted(folder.glob("*.parquet")):
            return found
    raise InputError(f"{source}: expected a folder with {name}, or {config}/*.parquet as on the hub, got neither")
