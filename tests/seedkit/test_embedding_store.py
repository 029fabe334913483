"""Embeddings on the disk: order, reuse, resume, and what a damaged or changed store costs."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from seedkit import stage
from seedkit.embed import EncoderSpec
from seedkit.embedding_store import embed
from seedkit.errors import RunError
from seedkit.stage import ModelSpec

TEXTS = {0: "a", 1: "bb", 3: "a", 4: "cccc", 5: "dd", 6: "eeeee", 7: "ff", 8: "ggg"}  # record 2 has no text
IDS = [f"id{number}" for number in range(9)]


class Toy:
    """A toy encoder: the direction of a text tells its length and first letter."""

    calls: list[Sequence[str]] = []
    fail_at = ""
    length = 1.0

    def __init__(self, *, device: str) -> None:
        self.device = device

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls.append(texts)
        if self.fail_at in texts:
            raise RunError("stopped")
        angles = np.array([len(text) + ord(text[0]) / 10 for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32) * np.float32(self.length)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 3)
    monkeypatch.setattr(Toy, "calls", [])
    monkeypatch.setattr(Toy, "fail_at", "")
    monkeypatch.setattr(Toy, "length", 1.0)


def encoder(**identity: str) -> EncoderSpec:
    return ModelSpec(Toy, ["cpu"], {"model": "toy", **identity})


def test_rows_are_the_records_and_equal_texts_are_encoded_once(tmp_path: Path) -> None:
    found = embed(encoder(), TEXTS, IDS, tmp_path, "e", label="toy")
    assert found.vectors.shape == (9, 2)
    assert found.vectors.dtype == np.float32
    assert np.isnan(found.vectors[2]).all()
    expected = Toy(device="cpu")(list(TEXTS.values()))
    assert (found.vectors[list(TEXTS)] == expected).all()
    assert found.computed == 7
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".npy"]


def test_reused_when_all_matches_and_only_then(tmp_path: Path) -> None:
    first = embed(encoder(), TEXTS, IDS, tmp_path, "e", label="toy")
    again = embed(encoder(), TEXTS, IDS, tmp_path, "e", label="toy")
    assert (again.path, again.computed) == (first.path, 0)
    assert embed(encoder(instruction="x"), TEXTS, IDS, tmp_path, "e", label="toy").computed == 7
    assert embed(encoder(), {**TEXTS, 8: "hhh"}, IDS, tmp_path, "e", label="toy").computed == 7
    assert embed(encoder(), TEXTS, [*IDS[:8], "x"], tmp_path, "e", label="toy").computed == 7
    assert embed(encoder(), TEXTS, IDS, tmp_path, "e", label="toy", resume=False).computed == 7


@pytest.mark.parametrize("damage", ["array", "sidecar", "missing"])
def test_a_damaged_store_is_made_anew(tmp_path: Path, damage: str) -> None:
    first = embed(encoder(), TEXTS, IDS, tmp_path, "e", label="toy")
    whole = first.path.read_bytes()
    if damage == "array":
        first.path.write_bytes(whole[:-1] + b"x")
    elif damage == "sidecar":
        first.path.with_suffix(".json").write_bytes(b'{"ids"')
    else:
        first.path.unlink()
    assert embed(encoder(), TEXTS, IDS, tmp_path, "e", label="toy").computed == 7
    assert first.path.read_bytes() == whole


def test_an_interrupted_run_goes_on_from_its_chunks(tmp_path: Path) -> None:
    whole = embed(encoder(), TEXTS, IDS, tmp_path / "whole", "e", label="toy").path.read_bytes()
    Toy.fail_at = "bb"  # in the second of three chunks
    with pytest.raises(RunError, match="stopped"):
        embed(encoder(), TEXTS, IDS, tmp_path / "cut", "e", label="toy")
    Toy.fail_at = ""
    found = embed(encoder(), TEXTS, IDS, tmp_path / "cut", "e", label="toy")
    assert found.computed == 4
    assert found.path.read_bytes() == whole


class Pairs(Toy):
    """Computes two texts at a time."""

    def batches(self, texts: list[str]) -> list[list[int]]:
        return [list(range(start, min(start + 2, len(texts)))) for start in range(0, len(texts), 2)]


def test_finished_batches_of_an_unfinished_chunk_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 100)
    spec: EncoderSpec = ModelSpec(Pairs, ["cpu"], {"model": "toy"})
    whole = embed(spec, TEXTS, IDS, tmp_path / "whole", "e", label="toy").path.read_bytes()
    assert [len(call) for call in Toy.calls] == [2, 2, 2, 1]
    Toy.fail_at = "a"  # in the last of four batches
    with pytest.raises(RunError, match="stopped"):
        embed(spec, TEXTS, IDS, tmp_path / "cut", "e", label="toy")
    Toy.fail_at = ""
    found = embed(spec, TEXTS, IDS, tmp_path / "cut", "e", label="toy")
    assert found.computed == 1
    assert found.path.read_bytes() == whole


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"short", b"zeros"])
def test_a_damaged_chunk_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    whole = embed(encoder(), TEXTS, IDS, tmp_path / "whole", "e", label="toy").path.read_bytes()
    Toy.fail_at = "a"  # in the last of three chunks
    with pytest.raises(RunError, match="stopped"):
        embed(encoder(), TEXTS, IDS, tmp_path / "cut", "e", label="toy")
    Toy.fail_at = ""
    first = min((tmp_path / "cut").glob("*.chunks/*.npy"))
    if damage in (b"short", b"zeros"):
        np.save(first, np.zeros((2 if damage == b"short" else 3, 2), dtype=np.float32))
    else:
        first.write_bytes(damage)
    found = embed(encoder(), TEXTS, IDS, tmp_path / "cut", "e", label="toy")
    assert found.computed == 4  # the damaged chunk and the one that was missing
    assert found.path.read_bytes() == whole


def test_vectors_that_are_no_unit_vectors_are_refused(tmp_path: Path) -> None:
    for length in (0.5, float("nan")):
        Toy.length = length
        with pytest.raises(RunError, match="not finite and of length 1"):
            embed(encoder(), TEXTS, IDS, tmp_path / str(length), "e", label="toy")


def test_a_full_disk_is_an_error_and_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        embed(encoder(), TEXTS, IDS, tmp_path, "e", label="toy")
    monkeypatch.undo()
    monkeypatch.setattr(stage, "CHUNK", 3)
    assert embed(encoder(), TEXTS, IDS, tmp_path, "e", label="toy").computed == 0  # the chunks were kept


def test_no_text_at_all(tmp_path: Path) -> None:
    assert embed(encoder(), {}, ["1", "2"], tmp_path, "e", label="toy").vectors.shape == (2, 0)
