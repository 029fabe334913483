"""Models, by folder or hub id: which revision it is, on which devices and in which precision it runs."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from seedkit.cli import rarer_collections, say
from seedkit.errors import InputError, UsageError
from seedkit.files import file_facts
from seedkit.ray_cluster import cluster_devices, gpu_names, split

NO_GPU_FOUND = 6  # exit code of nvidia-smi: what was asked for is not there
# Endings of the files that decide what a model computes; a training run's optimizer states and checkpoints do not.
MODEL_FILES = {".json", ".safetensors", ".bin", ".txt", ".model", ".jinja"}


def model_revision(name: str) -> str:
    """What identifies the weights: the commit of a hub model, or a hash over the files of a local folder."""
    folder = Path(name)
    if folder.is_dir():
        digest = sha256()
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.suffix in MODEL_FILES and not inside.parts[0].startswith((".", "checkpoint-")) and path.is_file():
                digest.update(f"{inside.as_posix()}\0{file_facts(path).sha256}\n".encode())
        return f"sha256:{digest.hexdigest()[:32]}"
    return hub_revision(name)


def hub_revision(name: str, version: str | None = None) -> str:
    """commit:HASH of a hub model's version (a branch, tag or commit; the main branch if None)."""
    from transformers.utils import cached_file
    from transformers.utils.hub import extract_commit_hash

    with loading(name):
        path = cached_file(name, "config.json", revision=version)
    return f"commit:{extract_commit_hash(path, None)}"


def model_label(name: str) -> str:
    """A hub id as it is, a folder by its name alone: its path differs from machine to machine."""
    return Path(name).resolve().name if Path(name).is_dir() else name


@contextmanager
def loading(name: str) -> Iterator[None]:
    """Turn whatever the libraries raise on a missing or damaged model into an InputError of one line."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers.utils import logging

    logging.disable_progress_bar()
    if Path(name).is_file():
        raise InputError(f"model {name}: expected a model folder or a hub id, got a file")
    # what transformers and its tokenizers were seen to raise on folders that are damaged or no model folders
    damage = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError)
    try:
        yield
    except (*damage, SafetensorError, StrictDataclassError) as error:
        what = f"{type(error).__name__}: {(str(error).strip() or 'no reason given').splitlines()[0]}"
        where = "cannot be loaded" if Path(name).is_dir() else "no such folder, and not to be had from the model hub"
        raise InputError(f"model {name}: {where}: {what}") from None


def devices(wanted: str) -> list[str]:
    """The devices to run on, one worker each: every visible GPU for auto and cuda, else those listed, as cuda:0,cuda:1.

    Behind an @ stands the cluster whose devices are meant, see seedkit.ray_cluster.
    auto is the CPU where there is no GPU. Raises UsageError for a device that is not there, and for auto where there is a
    GPU that torch cannot use: hours on the CPU, with other models, are not what was meant.
    """
    wanted, cluster = split(wanted)
    if cluster:
        return cluster_devices(wanted, cluster)
    rarer_collections()
    import torch

    names = [name.strip() for name in wanted.split(",")]
    if names == ["auto"]:
        names = ["cuda"] if torch.cuda.is_available() else ["cpu"]
        if names == ["cpu"] and (found := unusable_gpu()):
            raise UsageError(
                f"--device auto: {found}, but torch {torch.__version__} cannot use it ({_why_no_cuda()}); mend that, or go on "
                "without it: --device cpu"
            )
    if any(name.startswith("cuda") for name in names) and not torch.cuda.is_available():
        raise UsageError(f"--device {wanted}: no CUDA device is visible; expected --device cpu, or a GPU node")
    if names == ["cuda"]:
        return [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    names = ["cuda:0" if name == "cuda" else name for name in names]
    for name in names:
        try:
            device = torch.device(name)
        except RuntimeError:
            device = torch.device("meta")
        if device.type not in ("cpu", "cuda"):
            raise UsageError(f"--device {wanted}: expected auto, cpu, cuda or a list like cuda:0 cuda:1")
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise UsageError(f"--device {wanted}: there are {torch.cuda.device_count()} CUDA devices")
    return names


def unusable_gpu() -> str | None:
    """What says that this machine has an NVIDIA GPU, for where torch sees none; None where it has none or it is hidden.

    A GPU is hidden where CUDA_VISIBLE_DEVICES is empty or -1. Where nvidia-smi itself fails, a driver that does not work
    is more likely than no GPU.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return None
    driver = Path("/proc/driver/nvidia/gpus")
    if driver.is_dir() and any(driver.iterdir()):
        return f"{driver} lists a GPU"
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return f"{tool} is there"
    if asked.returncode == NO_GPU_FOUND:
        return None
    names = asked.stdout.split("\n")[0].strip() if asked.returncode == 0 else ""
    return f"nvidia-smi finds {names}" if names else f"{tool} is there"


def _why_no_cuda() -> str:
    """In one line, why torch has no CUDA device."""
    import torch

    if torch.version.cuda is None:
        return "it is built without CUDA"
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:  # an old driver, among others
        return str(error).splitlines()[0]
    return "it sees no device"


def device_kind(on: Sequence[str]) -> str:
    """What computes on these devices, as far as it decides about last bits: cpu, or the names of the GPUs."""
    kind, cluster = split(on[0])
    kind = kind.partition(":")[0] if cluster else kind
    if kind == "cuda" and cluster:
        return ", ".join(gpu_names(cluster))
    import torch

    gpus = [int(number) for name in on if name.startswith("cuda:") for number in name.removeprefix("cuda:").split("+")]
    return ", ".join(sorted({torch.cuda.get_device_name(number) for number in gpus})) or kind


def circumstances(dtype: str, on: Sequence[str], batch_tokens: int) -> dict[str, str]:
    """What results depend on in low precision; in float32 it changes last digits only."""
    return {} if dtype == "float32" else {"batch_tokens": str(batch_tokens), "device": device_kind(on)}


def resolve_dtype(wanted: str, device: str, cpu: str = "float32") -> str:
    """The precision to compute in: for auto bfloat16 on a GPU and `cpu` on a CPU."""
    if wanted != "auto":
        return wanted
    return "bfloat16" if device.startswith("cuda") else cpu


def resolve_kind(what: str, wanted: str, large: str, small: str, device: str, model: tuple[str, str | None]) -> str:
    """The kind of model for --`what`; for auto it is chosen here, and the choice is printed.

    auto is `large` on a GPU or where the flag `model`, (name, value), has a value, and `small` elsewhere.
    """
    if wanted != "auto":
        return wanted
    flag, given = model
    gpu = device.startswith("cuda")
    why = "CUDA is there" if gpu else f"{flag} is given" if given else "no CUDA device"
    kind = large if gpu or given else small
    say(f"{what}: {kind} ({why})")
    return kind
