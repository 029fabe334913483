"""Subsets as sets of ids, and how far they overlap: the steps of overlap.py."""

from collections.abc import Collection, Sequence
from pathlib import Path

from seedkit.errors import InputError
from seedkit.manifest import documents, read_manifest, subset_files
from seedkit.verify_mixes import rows


def subsets(folders: Sequence[Path]) -> dict[str, set[str]]:
    """The record ids of every subset in finished output folders, by file name, in the order of the manifests.

    Raises InputError for a folder that is none or has no subsets, two of the same source and name, or a damaged file.
    """
    found: dict[str, set[str]] = {}
    for folder in folders:
        names = [name for output in documents(read_manifest(folder)) for name in subset_files(output)]
        if not names:
            raise InputError(f"{folder}: expected a folder with subsets of records, got one without")
        for name in names:
            label = Path(name).stem
            if label in found:
                raise InputError(f"{folder / name}: another folder has a subset of that name")
            try:
                found[label] = {row["id"] for row in rows(folder / name)}
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise InputError(f"{folder / name}: expected records with ids, got {error}") from None
    return found


def jaccard(first: Collection[str], second: Collection[str]) -> float:
    """|A and B| / |A or B| of two sets of ids, not both empty."""
    one, two = set(first), set(second)
    return len(one & two) / len(one | two)
