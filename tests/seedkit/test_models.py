"""What identifies a model: the commit of one on the hub, a hash over the files of a folder. Where models run."""

import shutil
from pathlib import Path

import pytest
from seedkit.causal_lm import load_causal_lm
from seedkit.errors import InputError, RunError, UsageError
from seedkit.models import device_kind, devices, hub_revision, model_revision

COMMIT, NEWER = "a" * 40, "b" * 40


@pytest.fixture
def hub(tiny_gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with two versions of one model."""
    import huggingface_hub.constants

    folder = tmp_path / "models--someone--small"
    for commit in (COMMIT, NEWER):
        shutil.copytree(tiny_gpt2, folder / "snapshots" / commit)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(NEWER)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return folder


def test_a_hub_model_is_its_commit(hub: Path) -> None:
    assert model_revision("someone/small") == f"commit:{NEWER}"
    assert hub_revision("someone/small", COMMIT) == f"commit:{COMMIT}"
    with pytest.raises(InputError, match="model someone/none: no such folder, and not to be had from the model hub"):
        model_revision("someone/none")


def test_a_folder_is_a_hash_over_what_decides(tiny_gpt2: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_gpt2, tmp_path / "model"))
    before = model_revision(str(folder))
    (folder / "optimizer.pt").write_bytes(b"x")
    assert model_revision(str(folder)) == before
    (folder / "config.json").write_bytes((folder / "config.json").read_bytes() + b"\n")
    assert model_revision(str(folder)) != before


def test_a_model_that_memory_does_not_hold_is_one_line(tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nMore of it.")

    monkeypatch.setattr(torch.nn.Module, "to", full)
    with pytest.raises(RunError, match=r"the memory of cpu does not hold it: CUDA out of memory[^\n]*$"):
        load_causal_lm(str(tiny_gpt2), "cpu", "float32")


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that says it is nvidia-smi, to be written by the test, on a machine where torch sees no GPU."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("torch sees a GPU")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    tool = tmp_path / "nvidia-smi"
    tool.touch(0o755)
    return tool


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("echo 'NVIDIA H200'", "nvidia-smi finds NVIDIA H200"),
        ("echo 'driver mismatch' >&2; exit 18", "nvidia-smi is there"),
    ],
)
def test_auto_stops_where_there_is_a_gpu_that_torch_cannot_use(
    nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch, says: str, found: str
) -> None:
    nvidia_smi.write_text(f"#!/bin/sh\n{says}\n")
    with pytest.raises(
        UsageError, match=rf"--device auto: \S*{found}, but torch .* cannot use it \(.*\); .*--device cpu$"
    ):
        devices("auto")
    assert devices("cpu") == ["cpu"]
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert devices("auto") == ["cpu"]


def test_auto_is_the_cpu_where_nvidia_smi_finds_no_gpu(nvidia_smi: Path) -> None:
    nvidia_smi.write_text("#!/bin/sh\necho 'No devices were found'; exit 6\n")
    assert devices("auto") == ["cpu"]


def test_what_computes_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    assert device_kind(["cpu", "cpu"]) == "cpu"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"card {min(number, 1)}")
    assert device_kind(["cuda:2", "cuda:1", "cuda:3"]) == "card 1"
    assert device_kind(["cuda:2+0"]) == "card 0, card 1"
