"""What RQ1 and RQ3 say of the records: complexity and vectors, matched by id."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from seedkit.errors import InputError
from seedkit.files import file_facts
from seedkit.sources import Source, describe_file

Numbers = NDArray[np.float64]  # a value for every record, NaN where it has none


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What RQ1 and RQ3 say of a source's records, where quality_diversity is asked for."""

    complexity: Numbers | None = None  # the semantic score, 0 to 5
    vectors: NDArray[np.float32] | None = None  # (records, dimension), unit length, NaN where there is none
    files: dict[str, Any] = field(default_factory=dict)  # as the manifest names them


def read_knowledge(source: Source, args: argparse.Namespace) -> Knowledge:
    """Complexity and vectors of the source's records, matched by id.

    Raises InputError where a file cannot be read, is of another form, or lacks a record.
    """
    if "quality_diversity" not in args.method:
        return Knowledge()
    ids = [record.id for record in source.records]
    sidecar = args.embeddings.with_suffix(".json")
    files = {
        path.name: describe_file(path, file_facts(path))
        for path in (args.complexity_scores, args.embeddings, sidecar)
        if path.exists()
    }
    return Knowledge(
        np.array(_in_order(ids, _semantic(args.complexity_scores), args.complexity_scores), dtype=np.float64),
        _vectors(ids, args.embeddings, sidecar),
        files,
    )


def _semantic(path: Path) -> dict[str, float]:
    """The semantic difficulty of each record that has one, by id; NaN for the others."""
    found = {}
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = orjson.loads(line)
                    value = row["semantic"]
                    found[str(row["id"])] = float("nan") if value is None else float(value)
                except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                    raise InputError(
                        f'{path}:{number}: expected a row of RQ1\'s complexity_scores.jsonl with "id" and "semantic"'
                    ) from None
    except OSError as error:
        raise InputError(f"--complexity_scores {path}: cannot be read: {error.strerror}") from None
    return found


def _vectors(ids: Sequence[str], path: Path, sidecar: Path) -> NDArray[np.float32]:
    """The records' vectors; a memory map where the file has the same records in the same order."""
    try:
        vectors: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
        names = [str(name) for name in orjson.loads(sidecar.read_bytes())["ids"]]
    except OSError as error:
        raise InputError(f"--embeddings {path}: cannot be read: {error.strerror or error}: {error.filename}") from None
    except (ValueError, KeyError, TypeError, EOFError):
        raise InputError(
            f"--embeddings {path}: expected RQ3's embeddings.npy with its sidecar {sidecar.name}"
        ) from None
    if vectors.ndim != 2 or len(vectors) != len(names):
        raise InputError(f"--embeddings {path}: expected {len(names)} rows as in {sidecar.name}, got {vectors.shape}")
    if names == list(ids):
        return vectors
    rows = _in_order(ids, {name: row for row, name in enumerate(names)}, path)
    return vectors[np.array(rows, dtype=np.int64)]


def _in_order(ids: Sequence[str], values: Mapping[str, Any], path: Path) -> list[Any]:
    missing = [id_ for id_ in ids if id_ not in values]
    if missing:
        raise InputError(
            f"{path}: {len(missing):,} of {len(ids):,} records are not in it, e.g. {missing[0]}; expected a file made from "
            "the same records"
        )
    return [values[id_] for id_ in ids]
