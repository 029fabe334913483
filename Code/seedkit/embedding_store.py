"""Embeddings on the disk: made chunk by chunk, kept as one .npy, used again if texts and encoder are the same.

`NAME-HASH.npy` is float32 of shape (n, dimension) in the order of the records. Beside it `NAME-HASH.json` holds the ids,
what identifies the encoder (model, revision, instruction, dtype), a hash of the texts and one of the array. During a run
every chunk is a file of its own in `NAME-HASH.chunks/`, with rows of NaN for what is not computed yet; it is written as
often as `run_chunks` says, so a killed run loses only the last seconds.
"""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from seedkit.embed import EncoderSpec
from seedkit.errors import RunError
from seedkit.files import file_facts, sync, write_atomic
from seedkit.stage import chunked, run_chunks


@dataclass
class Embeddings:
    """Vectors of n texts, memory-mapped. `computed` texts were encoded in this run, the others in an earlier one."""

    path: Path
    vectors: NDArray[np.float32]
    computed: int


def embed(
    encoder: EncoderSpec,
    texts: Mapping[int, str],
    ids: Sequence[str],
    folder: Path,
    name: str,
    *,
    label: str,
    resume: bool = True,
) -> Embeddings:
    """Unit vectors of `texts` (by record number) as the rows of an array with a row for each of the `ids`.

    Records without a text have a row of NaN. The array is a file in `folder`; equal texts are encoded once.

    Raises RunError if the encoder returns other than one finite vector of length 1 for each text.
    """
    order = sorted(texts)
    keys, unique, chunks = chunked([texts[number] for number in order])
    identity = {
        **encoder.identity,
        "texts": _digest(f"{number} {key}" for number, key in zip(order, keys, strict=True)),
    }
    header = {"ids": list(ids), "encoder": identity}
    stem = f"{name}-{_digest([orjson.dumps(header).decode()])}"
    final, sidecar, chunk_folder = (folder / f"{stem}{suffix}" for suffix in (".npy", ".json", ".chunks"))
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        sidecar.unlink(missing_ok=True)
        shutil.rmtree(chunk_folder, ignore_errors=True)
    if (kept := _kept(final, sidecar, header)) is not None:
        return Embeddings(final, kept, 0)

    chunk_folder.mkdir(exist_ok=True)
    paths = [chunk_folder / f"{number:06}.npy" for number in range(len(chunks))]
    begun: dict[int, NDArray[np.float32]] = {}  # chunks that are not whole
    missing: dict[int, list[int]] = {}
    for number, path in enumerate(paths):
        vectors = _found(path, len(chunks[number]))
        missing[number] = list(range(len(chunks[number]))) if vectors is None else _strange(vectors)
        if vectors is not None and missing[number]:
            begun[number] = vectors
    computed = 0
    changed: set[int] = set()

    def write() -> None:
        for number in changed:
            buffer = BytesIO()
            np.save(buffer, begun[number], allow_pickle=False)
            write_atomic(paths[number], [buffer.getvalue()])
            if not _strange(begun[number]):
                del begun[number]
        changed.clear()

    try:
        with encoder.workers() as workers:
            for number, indices, result, due in run_chunks(workers, unique, chunks, missing, label):
                _check(result, len(indices), label)
                if number not in begun:
                    begun[number] = np.full((len(chunks[number]), result.shape[1]), np.nan, dtype=np.float32)
                begun[number][indices] = result
                changed.add(number)
                computed += len(indices)
                if due:
                    write()
    finally:
        write()
    rows: dict[str, list[int]] = {}
    for number, key in zip(order, keys, strict=True):
        rows.setdefault(key, []).append(number)
    _assemble(final, list(zip(paths, chunks, strict=True)), rows, len(ids))
    write_atomic(sidecar, [orjson.dumps({**header, "sha256": file_facts(final).sha256}, option=orjson.OPT_INDENT_2)])
    shutil.rmtree(chunk_folder)
    return Embeddings(final, _open(final), computed)


def _digest(lines: Iterable[str]) -> str:
    digest = blake2b(digest_size=8)
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def _kept(final: Path, sidecar: Path, header: dict[str, Any]) -> NDArray[np.float32] | None:
    """The array of an earlier run, if its sidecar says that it is the same and its hash that it is whole."""
    if not (final.exists() and sidecar.exists()):
        return None
    try:
        recorded = orjson.loads(sidecar.read_bytes())
    except orjson.JSONDecodeError:
        return None
    if recorded != {**header, "sha256": file_facts(final).sha256}:
        return None
    return _open(final)


def _open(path: Path) -> NDArray[np.float32]:
    vectors: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
    return vectors


def _found(path: Path, count: int) -> NDArray[np.float32] | None:
    """The vectors (`count`, dimension) of a chunk that an earlier run began, NaN where there is none yet; None without."""
    try:
        vectors: NDArray[np.float32] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return vectors if vectors.ndim == 2 and len(vectors) == count and vectors.dtype == np.float32 else None


def _strange(vectors: NDArray[np.float32]) -> list[int]:
    """The rows that are not finite and of length 1."""
    strange: list[int] = np.flatnonzero(~(np.abs(np.linalg.norm(vectors, axis=1) - 1) < 1e-3)).tolist()
    return strange


def _check(result: NDArray[np.float32], count: int, label: str) -> None:
    if result.shape[0] != count:
        raise RunError(f"{label}: {result.shape[0]} vectors came back for {count} texts")
    if bad := _strange(result):
        raise RunError(f"{label}: the encoder gave {len(bad)} of {count} vectors that are not finite and of length 1")


def _assemble(
    final: Path, chunk_files: Sequence[tuple[Path, list[str]]], rows: Mapping[str, list[int]], count: int
) -> None:
    """Write the vectors of all chunks to their records' rows of `final`, on the disk.

    `chunk_files` are (file of vectors, key of each); `rows` are a key's rows among the `count`. Other rows become NaN.
    """
    dimension = _open(chunk_files[0][0]).shape[1] if chunk_files else 0
    partial = final.with_name(f".{final.name}.partial")
    target = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=(count, dimension))
    with partial.open("r+b") as file:  # the space is reserved now: a full disk later would crash in the memory map
        os.posix_fallocate(file.fileno(), 0, partial.stat().st_size)
    filled = np.zeros(count, dtype=bool)
    for path, chunk in chunk_files:
        vectors = _open(path)
        pairs = [(row, index) for index, key in enumerate(chunk) for row in rows[key]]
        targets, sources = np.array(pairs, dtype=np.int64).T
        target[targets] = vectors[sources]
        filled[targets] = True
    target[~filled] = np.nan
    target.flush()
    del target
    sync(partial)
    partial.replace(final)
    sync(final.parent)
