"""Where the four public releases are, on the hub and in a folder of downloaded files."""

from collections.abc import Sequence
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


def local_files(sources: Sequence[str], folder: Path) -> dict[str, Path]:
    """The releases' files in a folder: each under its own name, with the repository's folders or without, else the only
    one of a name that it may have too.

    Raises:
        InputError: of some release there is none, or more than one; all of them are named.
    """
    found, faults = {}, []
    for source in sources:
        release = RELEASES[source]
        own = [folder / name for name in dict.fromkeys((release.name, release.file)) if (folder / name).is_file()]
        also = {path for pattern in release.also for path in folder.glob(pattern) if path.is_file()}
        candidates = own[:1] or sorted(also)
        if len(candidates) == 1:
            found[source] = candidates[0]
        else:
            got = ", ".join(path.name for path in candidates) or "no such file"
            faults.append(f"{source}: expected one file {' or '.join([release.name, *release.also])}, got {got}")
    if faults:
        raise InputError(f"{folder}: {'; '.join(faults)}")
    return found
