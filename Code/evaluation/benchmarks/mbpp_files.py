"""Where the rows of MBPP are: in the authors' file, in the hub's parquet files, or on the hub."""

from collections.abc import Iterator
from pathlib import Path

from seedkit.errors import InputError, RunError

from evaluation.benchmarks.released import Row, read_rows

REPOSITORY = "google-research-datasets/mbpp"
SPLITS = ("train", "test", "validation", "prompt")  # together the 974 or 427 problems


def mbpp_rows(source: Path | None, config: str, name: str) -> Iterator[Row]:
    """The rows of one of the two sets: `config` is its name on the hub, `name` that of the authors' file."""
    for path in _from_hub(config) if source is None else _files(source, config, name):
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


def _from_hub(config: str) -> list[Path]:
    """The files in the hub's cache, downloaded where they are not yet there: from then on no network is needed."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    names = [f"{config}/{split}-00000-of-00001.parquet" for split in SPLITS]
    try:
        return [Path(hf_hub_download(REPOSITORY, name, repo_type="dataset")) for name in names]
    except LocalEntryNotFoundError:
        raise InputError(
            f"{REPOSITORY}: neither in the hub's cache nor to be had from the hub; check the network, or download the"
            " data elsewhere and pass --benchmark_file FILE_OR_FOLDER"
        ) from None
    except HfHubHTTPError as error:
        raise RunError(f"{REPOSITORY}: the hub answered {error.response.status_code}; run again later") from None
