"""Where the four public releases are, on the hub and in a folder of downloaded files."""

from dataclasses import dataclass
from pathlib import Path

from seedkit.errors import InputError


@dataclass(frozen=True)
class Release:
    """One file of a data set repository on the hub."""

    repo: str
    file: str
    revision: str = "main"
    also: tuple[str, ...] = ()  # patterns of further names that a local copy may have

    @property
    def name(self) -> str:
        """The file's name without the repository's folders."""
        return Path(self.file).name


RELEASES = {
    "EVOL": Release("ise-uiuc/Magicoder-Evol-Instruct-110K", "data-evol_instruct-decontaminated.jsonl"),
    "OSS": Release("ise-uiuc/Magicoder-OSS-Instruct-75K", "data-oss_instruct-decontaminated.jsonl"),
    "ALPACA": Release(
        "tatsu-lab/alpaca",
        "data/train-00000-of-00001-a09b74b3ef9c3b56.parquet",
        "dce01c9b08f87459cf36a430d809084718273017",
        also=("train-00000-of-00001-*.parquet", "alpaca*.parquet", "alpaca*.json", "alpaca*.jsonl"),
    ),
    "MATH": Release("TIGER-Lab/MathInstruct", "MathInstruct.json"),
}


def local_file(source: str, folder: Path) -> Path:
    """The release's file in a folder: the one of its own name, else the only one of a name that it may have too.

    Raises:
        InputError: there is none, or more than one.
    """
    release = RELEASES[source]
    if (folder / release.name).is_file():
        return folder / release.name
    found = sorted({path for pattern in release.also for path in folder.glob(pattern) if path.is_file()})
    if len(found) != 1:
        names = " or ".join([release.name, *release.also])
        got = ", ".join(path.name for path in found) or "no such file"
        raise InputError(f"{folder}: {source}: expected one file {names}, got {got}")
    return found[0]
